from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from qa.errors import ConfigError, QAError
from qa.server.users import Users

PASSWORD = "correct horse battery"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    known = Users(tmp_path / "private" / "users.json")
    known.add("ann", PASSWORD, "editor")
    return known


def test_a_user_signs_in_with_the_password_and_with_no_other(users: Users) -> None:
    user = users.check("ann", PASSWORD)
    assert user is not None and (user.name, user.right) == ("ann", "editor")
    for name, password in (("ann", PASSWORD + " "), ("ann", ""), ("Ann", PASSWORD), ("bob", PASSWORD), ("", ""), ("ann", "x" * 100_000)):
        assert users.check(name, password) is None


def test_the_file_is_its_owners_alone_and_holds_no_password(users: Users) -> None:
    assert users.file.stat().st_mode & 0o777 == 0o600
    text = users.file.read_text()
    assert PASSWORD not in text
    assert json.loads(text)["users"][0]["password"].startswith("$argon2id$")


def test_equal_passwords_have_unequal_hashes(users: Users) -> None:
    users.add("bob", PASSWORD, "reader")
    assert len({user.password for user in users}) == 2


def test_a_name_that_is_not_there_costs_as_much_work(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    worked = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, hash, password: worked.append(hash[:24]))
    users.check("ann", "wrong password")
    users.check("nobody", "wrong password")
    assert len(worked) == 2 and worked[0] == worked[1]  # the same algorithm with the same costs


def test_a_change_by_another_process_is_seen_at_once(users: Users) -> None:
    other = Users(users.file)
    assert other.get("bob") is None
    users.add("bob", PASSWORD, "reader")
    assert other.check("bob", PASSWORD) is not None
    users.remove("bob")
    assert other.get("bob") is None
    assert [user.name for user in other] == ["ann"]


def test_a_change_keeps_the_key_and_the_other_users(users: Users) -> None:
    key = users.key
    users.add("bob", PASSWORD, "reader")
    assert not users.add("ann", "another password", "reader")
    assert users.key == key != b""
    assert [(user.name, user.right) for user in users] == [("ann", "reader"), ("bob", "reader")]


def test_a_change_that_fails_half_way_leaves_the_file_as_it_was(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    before = users.file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="users.json cannot be written: No space left on device"):
        users.add("bob", PASSWORD, "reader")
    assert users.file.read_bytes() == before
    assert sorted(file.name for file in users.file.parent.iterdir()) == ["users.json", "users.json.lock"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "../x", "é", "a" * 65, "-a", "a\n", "<b>"])
def test_a_name_is_plain(users: Users, name: str) -> None:
    with pytest.raises(QAError, match="cannot be a user's name"):
        users.add(name, PASSWORD, "reader")


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_is_long_enough_and_not_too_long(users: Users, password: str) -> None:
    with pytest.raises(QAError, match="a password has 10 to 1,000 characters"):
        users.add("bob", password, "reader")


def test_a_file_that_others_can_read_is_refused_with_the_way_out(users: Users) -> None:
    users.file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others of this machine .make it private: chmod 600"):
        Users(users.file).get("ann")


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: "{",
        lambda told: "[]",
        lambda told: json.dumps({**told, "key": "xyz"}),
        lambda told: json.dumps({**told, "users": [{**told["users"][0], "right": "owner"}]}),
        lambda told: json.dumps({**told, "users": [{"name": "ann"}]}),
    ],
)
def test_a_damaged_file_lets_nobody_in(users: Users, damage) -> None:  # type: ignore[no-untyped-def]
    users.file.write_text(damage(json.loads(users.file.read_text())))
    with pytest.raises(ConfigError, match="users.json is damaged"):
        Users(users.file).check("ann", PASSWORD)


def test_a_file_of_a_newer_version_is_refused(users: Users) -> None:
    users.file.write_text(json.dumps({**json.loads(users.file.read_text()), "version": 2}))
    with pytest.raises(ConfigError, match="is of version 2, expected 1"):
        Users(users.file).get("ann")


def test_without_a_file_there_is_nobody(tmp_path: Path) -> None:
    nobody = Users(tmp_path / "none.json")
    assert list(nobody) == [] and nobody.check("ann", PASSWORD) is None
    with pytest.raises(QAError, match="no user ann in"):
        nobody.remove("ann")
