"""`qa users`: who may reach a page that is served to others, and who of them may change what is in it."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from qa.errors import QAError
from qa.options import AsJson, ConfigFile, settings_from
from qa.terminal import print_json, say

users = typer.Typer(no_args_is_help=True, help="Who may sign in to a page that is served to others.")

Name = Annotated[str, typer.Argument(help="letters, digits and . _ @ -")]


@users.command("add")
def add_user(
    name: Name,
    editor: Annotated[bool, typer.Option("--editor", help="may also change things: articles, the model, marks (default: may ask)")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input, one line")] = False,
    config: ConfigFile = None,
) -> None:
    """Add a user, or give one that is there another password and right. Asks for the password."""
    from qa.server.users import Users, check_name

    known = Users(settings_from(config, None).server.users)
    check_name(name)
    new = known.add(name, _from_stdin() if password_stdin else _typed(), "editor" if editor else "reader")
    print(f"{'added' if new else 'changed'} {name}, {'an editor' if editor else 'a reader'}, in {known.file}")


@users.command("list")
def list_users(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the users and what they may do."""
    from qa.server.users import Users

    known = list(Users(settings_from(config, None).server.users))
    if as_json:
        print_json([{"name": user.name, "right": user.right} for user in known])
    for user in [] if as_json else known:
        print(f"{user.right}  {user.name}")


@users.command("remove")
def remove_user(name: Name, config: ConfigFile = None) -> None:
    """Remove a user; what they have open is over at once."""
    from qa.server.users import Users

    Users(settings_from(config, None).server.users).remove(name)
    print(f"removed {name}")


def _typed() -> str:
    if not _has_terminal():
        raise QAError("no terminal to type the password in (give it on standard input: --password-stdin)")
    while (password := getpass.getpass("Password: ")) != getpass.getpass("Once more: "):
        say("these differ, try again")
    return password


def _has_terminal() -> bool:
    return sys.stdin.isatty()


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")
