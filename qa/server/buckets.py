"""How often somebody may do something: so many times at once, and again as time passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MOST = 10_000  # keys remembered; those that have been quiet for long are forgotten first


class Buckets:
    """Thread-safe. A key may do `size` things at once, and `size` more evenly over each `seconds`."""

    def __init__(self, size: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = size
        self.seconds = seconds
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # key -> (how many are left, as of when)
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """0 if it may be done now, which counts; else the seconds to wait."""
        with self._lock:
            left, now = self._now(key)
            if left >= 1:
                self._keep(key, left - 1, now)
                return 0.0
            return (1 - left) * self.seconds / self.size

    def give_back(self, key: str) -> None:
        """What was taken last does not count."""
        with self._lock:
            left, now = self._now(key)
            self._keep(key, min(left + 1, self.size), now)

    def _now(self, key: str) -> tuple[float, float]:
        now = self._clock()
        left, then = self._left.get(key, (float(self.size), now))
        return min(left + (now - then) * self.size / self.seconds, self.size), now

    def _keep(self, key: str, left: float, now: float) -> None:
        self._left.pop(key, None)
        self._left[key] = left, now  # behind the others
        while len(self._left) > MOST:
            del self._left[next(iter(self._left))]
