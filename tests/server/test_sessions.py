from __future__ import annotations

from pathlib import Path

import pytest

from qa.server.sessions import Sessions
from qa.server.users import User, Users

PASSWORD = "correct horse battery"


class Clock:
    now = 1_763_800_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Sessions:
    users = Users(tmp_path / "users.json")
    users.add("ann", PASSWORD, "editor")
    users.add("bob", PASSWORD, "reader")
    return Sessions(users, hours=1, clock=clock)


def user(sessions: Sessions, name: str = "ann") -> User:
    found = sessions.users.get(name)
    assert found is not None
    return found


def name_of(sessions: Sessions, token: str) -> str | None:
    found = sessions.user(token)
    return found.name if found else None


def test_a_session_is_its_users_and_ends_with_its_hour(sessions: Sessions, clock: Clock) -> None:
    token = sessions.begin(user(sessions))
    assert name_of(sessions, token) == "ann"
    clock.now += 3599
    assert name_of(sessions, token) == "ann"
    clock.now += 1
    assert name_of(sessions, token) is None


@pytest.mark.parametrize("change", [lambda t: "", lambda t: t[:-1], lambda t: t.replace("ann", "bob"), lambda t: t + "0", lambda t: "a:b:c",
                                    lambda t: t.replace(":1", ":2", 1), lambda t: "::", lambda t: "ann:nan:" + t.rpartition(":")[2],
                                    lambda t: t.partition(":")[0], lambda t: "\udcff:1:é"])  # fmt: skip
def test_a_token_that_was_tampered_with_is_nobodys(sessions: Sessions, change) -> None:  # type: ignore[no-untyped-def]
    assert name_of(sessions, change(sessions.begin(user(sessions)))) is None


def test_signing_out_ends_all_sessions_of_the_user_and_of_no_other(sessions: Sessions, clock: Clock) -> None:
    first, second, other = sessions.begin(user(sessions)), sessions.begin(user(sessions)), sessions.begin(user(sessions, "bob"))
    clock.now += 1
    sessions.end(user(sessions))
    assert [name_of(sessions, token) for token in (first, second, other)] == [None, None, "bob"]
    clock.now += 1
    assert name_of(sessions, sessions.begin(user(sessions))) == "ann"


def test_a_new_password_or_removal_ends_the_sessions(sessions: Sessions) -> None:
    ann, bob = sessions.begin(user(sessions)), sessions.begin(user(sessions, "bob"))
    sessions.users.add("ann", "another password", "editor")
    sessions.users.remove("bob")
    assert [name_of(sessions, token) for token in (ann, bob)] == [None, None]


def test_a_right_that_was_taken_away_is_away_at_once(sessions: Sessions) -> None:
    token = sessions.begin(user(sessions))
    sessions.users.sign_out("nobody", 0)
    with sessions.users._changing() as users:
        users["ann"] = User("ann", "reader", users["ann"].password)
    found = sessions.user(token)
    assert found is not None and found.right == "reader"


def test_another_process_with_the_same_file_knows_the_session(sessions: Sessions, clock: Clock) -> None:
    other = Sessions(Users(sessions.users.file), hours=1, clock=clock)
    assert name_of(other, sessions.begin(user(sessions))) == "ann"


def test_another_file_does_not(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    other = Users(tmp_path / "other.json")
    other.add("ann", PASSWORD, "editor")
    assert name_of(Sessions(other, hours=1, clock=clock), sessions.begin(user(sessions))) is None
