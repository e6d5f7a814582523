"""Who is answered when: a few questions at a time, and those who wait take turns, so that nobody's many hold up another's one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from qa.errors import QAError

AT_ONCE = 4  # questions answered side by side; the models share the processor anyway
WAITING = 128  # questions that may wait, and half of them of one user; one more is told that the queue is full


class Place:
    """A question in the line."""

    def __init__(self, user: str) -> None:
        self.user = user
        self._admitted = threading.Event()

    @property
    def admitted(self) -> bool:
        return self._admitted.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is this question's turn, or for so long; whether it is."""
        return self._admitted.wait(seconds)

    def admit(self) -> None:
        self._admitted.set()


class Line:
    """Thread-safe. Whoever joins must leave, admitted or not."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._waiting: dict[str, deque[Place]] = {}  # by user, whose turn is next first
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, user: str) -> Iterator[None]:
        """Waits for the user's turn, and ends it."""
        place = self.join(user)
        try:
            place.wait()
            yield
        finally:
            self.leave(place)

    def join(self, user: str) -> Place:
        """QAError when no more questions may wait."""
        place = Place(user)
        with self._lock:
            self._waiting.setdefault(user, deque()).append(place)
            self._admit()
            if not place.admitted:
                self._check_room(place)
        return place

    def leave(self, place: Place) -> None:
        with self._lock:
            if place.admitted:
                self._free += 1
            else:
                self._drop(place)
            self._admit()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def ahead(self, place: Place) -> int:
        """How many of the waiting will be admitted before this one, if nobody else comes."""
        with self._lock:
            own = self._waiting.get(place.user, deque())
            if place not in own:
                return 0
            rounds = own.index(place)
            users = list(self._waiting)
            earlier = users.index(place.user)
            return rounds + sum(min(len(self._waiting[user]), rounds + (n < earlier)) for n, user in enumerate(users) if n != earlier)

    def _admit(self) -> None:
        """Gives free places to the users in turn, to each the question that it asked first."""
        while self._free and self._waiting:
            user = next(iter(self._waiting))
            places = self._waiting.pop(user)
            places.popleft().admit()
            self._free -= 1
            if places:
                self._waiting[user] = places  # behind the others

    def _check_room(self, place: Place) -> None:
        own = len(self._waiting[place.user])
        if self.waiting > self._most_waiting:
            self._drop(place)
            raise QAError(f"the queue is full: {self._most_waiting} questions are waiting (try again in a moment)")
        if own > self._most_waiting // 2:
            self._drop(place)
            raise QAError(f"the queue is full for you: {own - 1} of your questions are waiting (try again when some are answered)")

    def _drop(self, place: Place) -> None:
        places = self._waiting[place.user]
        places.remove(place)
        if not places:
            del self._waiting[place.user]
