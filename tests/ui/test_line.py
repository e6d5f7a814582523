from __future__ import annotations

import threading

import pytest

from qa.errors import QAError
from qa.ui.line import Line, Place


def admitted(places: list[Place]) -> list[str]:
    return [place.user for place in places if place.admitted]


def test_questions_are_admitted_until_the_places_are_taken() -> None:
    line = Line(at_once=2)
    places = [line.join(user) for user in "abc"]
    assert admitted(places) == ["a", "b"]
    line.leave(places[0])
    assert admitted(places[1:]) == ["b", "c"]


def test_users_take_turns_however_many_questions_one_has() -> None:
    line = Line(at_once=1)
    running = line.join("many")
    waiting = [line.join("many"), line.join("many"), line.join("many"), line.join("one"), line.join("two")]
    assert [line.ahead(place) for place in waiting] == [0, 3, 4, 1, 2]
    order = []
    for _ in range(5):
        line.leave(running)
        running = next(place for place in waiting if place.admitted)
        waiting.remove(running)
        order.append(running.user)
    assert order == ["many", "one", "two", "many", "many"]


def test_a_full_line_says_so_and_takes_questions_again_when_there_is_room() -> None:
    line = Line(at_once=1, waiting=4)
    first = line.join("a")
    for user in "bcde":
        line.join(user)
    with pytest.raises(QAError, match=r"^the queue is full: 4 questions are waiting \(try again in a moment\)$"):
        line.join("f")
    line.leave(first)
    line.join("f")


def test_one_user_cannot_fill_the_line() -> None:
    line = Line(at_once=1, waiting=4)
    places = [line.join("a") for _ in range(3)]
    with pytest.raises(QAError, match="^the queue is full for you: 2 of your questions are waiting"):
        line.join("a")
    assert not line.join("b").admitted
    assert [place.admitted for place in places] == [True, False, False]


def test_who_gives_up_waiting_makes_room() -> None:
    line = Line(at_once=1)
    first, second, third = line.join("a"), line.join("b"), line.join("c")
    line.leave(second)
    line.leave(first)
    assert third.admitted
    line.leave(third)
    assert line.join("d").admitted


def test_a_turn_ends_whatever_happens_in_it() -> None:
    line = Line(at_once=1)
    with pytest.raises(ValueError), line.turn("a"):
        raise ValueError
    done = threading.Event()
    with line.turn("a"):
        threading.Thread(target=lambda: [line.join("b").wait(), done.set()]).start()
        assert not done.is_set()
    assert done.wait(5)
