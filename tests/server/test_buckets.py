from __future__ import annotations

import pytest

from qa.server import buckets
from qa.server.buckets import Buckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_at_once_and_then_one_after_the_other(clock: Clock) -> None:
    tries = Buckets(3, 60, clock)
    assert [tries.take("ann") for _ in range(4)] == [0, 0, 0, 20]
    clock.now = 19
    assert tries.take("ann") == pytest.approx(1)
    clock.now = 20
    assert [tries.take("ann"), tries.take("ann")] == [0, pytest.approx(20)]


def test_nobody_takes_from_another(clock: Clock) -> None:
    tries = Buckets(1, 60, clock)
    assert [tries.take("ann"), tries.take("bob"), tries.take("ann")] == [0, 0, 60]


def test_waiting_long_gives_no_more_than_the_size(clock: Clock) -> None:
    tries = Buckets(2, 60, clock)
    tries.take("ann")
    clock.now = 100_000
    assert [tries.take("ann") > 0 for _ in range(3)] == [False, False, True]


def test_what_is_given_back_does_not_count(clock: Clock) -> None:
    tries = Buckets(1, 60, clock)
    for _ in range(3):
        assert tries.take("ann") == 0
        tries.give_back("ann")


def test_many_keys_take_no_memory_without_end(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST", 10)
    tries = Buckets(1, 60, clock)
    for number in range(100):
        tries.take(str(number))
    assert len(tries._left) == 10
    assert tries.take("99") > 0
