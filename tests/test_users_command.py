from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

import qa.server.users
from qa.cli import app
from qa.config import Config
from qa.errors import QAError
from qa.server.users import Users

PASSWORD = "correct horse battery"
Command = Callable[..., Result]


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Command:
    """users("add", "ann", typed="…") runs `qa users add ann`."""
    monkeypatch.setattr(qa.server.users, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1))

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["users", *arguments], input=typed)

    return run


def problem(result: Result) -> str:
    assert isinstance(result.exception, QAError)  # which `qa.cli.main` tells in one line
    return str(result.exception)


def test_users_are_added_listed_and_removed(users: Command) -> None:
    added = users("add", "ann", "--editor", "--password-stdin", typed=f"{PASSWORD}\n")
    assert added.stdout == "added ann, an editor, in users.json\n"
    assert users("add", "bob", "--password-stdin", typed=PASSWORD).stdout == "added bob, a reader, in users.json\n"
    assert users("list").stdout == "editor  ann\nreader  bob\n"
    assert json.loads(users("list", "--json").stdout) == [{"name": "ann", "right": "editor"}, {"name": "bob", "right": "reader"}]
    assert users("remove", "bob").stdout == "removed bob\n"
    assert [user.name for user in Users(Config().server.users)] == ["ann"]


def test_a_user_that_is_there_gets_another_password_and_right(users: Command) -> None:
    users("add", "ann", "--editor", "--password-stdin", typed=PASSWORD)
    changed = users("add", "ann", "--password-stdin", typed="another password\n")
    assert changed.stdout == "changed ann, a reader, in users.json\n"
    assert Users(Config().server.users).check("ann", "another password") is not None


def test_the_password_is_asked_for_twice_and_never_shown(users: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr("qa.users_command.getpass.getpass", lambda prompt: next(typed))
    monkeypatch.setattr("qa.users_command._has_terminal", lambda: True)
    added = users("add", "ann")
    assert added.exit_code == 0 and "these differ, try again" in added.stderr
    assert PASSWORD not in added.output
    assert Users(Config().server.users).check("ann", PASSWORD) is not None


def test_without_a_terminal_the_password_comes_from_standard_input(users: Command) -> None:
    assert problem(users("add", "ann")).startswith("no terminal to type the password in (give it on standard input")


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "a b", "--password-stdin"), PASSWORD, "'a b' cannot be a user's name"),
        (("add", "ann", "--password-stdin"), "short\n", "a password has 10 to 1,000 characters, this one has 5"),
        (("add", "ann", "--password-stdin"), "", "a password has 10 to 1,000 characters, this one has 0"),
        (("remove", "zoe"), "", "no user zoe in users.json (see: qa users list)"),
    ],
)
def test_a_problem_is_one_line_and_writes_nothing(users: Command, arguments: tuple[str, ...], typed: str, told: str) -> None:
    assert problem(users(*arguments, typed=typed)).startswith(told)
    assert not Config().server.users.exists()
