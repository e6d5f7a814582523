"""Goes through a scenario's steps with one kind of fault after the other."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faults import power, steps
from faults.checks import Fault, Known, articles, check, encoder_of, state
from faults.forked import DONE, FAILED, REFUSED, Ended, Tell, in_fork
from faults.worlds import Scenario, World, small_and_quick
from qa.check import check_index
from qa.store_writer import StoreWriter

KINDS = ("kill", "tear", "full", "error", "power")
WRITE, ROOM = "w", "wotm"  # letters of steps.c


@dataclass
class Tried:
    """How many points of one kind in one scenario, and what went wrong at which."""

    points: int = 0
    faults: list[str] = field(default_factory=list)


class Campaign:
    """One scenario in one place; `most` points of each kind are tried, at even distances when there are more."""

    def __init__(self, scenario: Scenario, place: Path, most: int) -> None:
        self.scenario, self.most = scenario, most
        self.world = World(place / "world")
        self._before = place / "before"
        self._log = place / "log"
        self.world.root.mkdir()
        self.known = self._learn()
        self.steps = self._count()

    def run(self, kind: str) -> Tried:
        return {"kill": self._kill, "tear": self._tear, "full": self._full, "error": self._error, "power": self._power}[kind]()

    # The kinds

    def _kill(self) -> Tried:
        return self._each(range(1, len(self.steps) + 1), lambda at: steps.Plan(steps.KILL, at), -signal.SIGKILL)

    def _tear(self) -> Tried:
        """Half of a write is on the disk when the process dies."""
        return self._each(self._at(WRITE), lambda at: steps.Plan(steps.TEAR, at), -signal.SIGKILL)

    def _full(self) -> Tried:
        """From the step on the disk is full, until the process has ended."""
        return self._each(self._at(ROOM), lambda at: steps.Plan(steps.FAIL_ON, at, errno.ENOSPC), None)

    def _error(self) -> Tried:
        """The step alone fails, as on a disk that is breaking."""
        return self._each(range(1, len(self.steps) + 1), lambda at: steps.Plan(steps.FAIL_ONCE, at, errno.EIO), None)

    def _power(self) -> Tried:
        done = self._logged()
        cuts = [(at, variant) for at in range(1, len(done) + 1) for variant in power.VARIANTS]
        tried = Tried()
        for at, variant in sample(cuts, self.most):
            disk = power.Disk.of(self._before_root())
            for step in done[:at]:
                disk.replay(step)
            disk.leave(self.world.root, variant, random.Random(at))
            shutil.copytree(self._before / "articles", self.world.articles, dirs_exist_ok=True)
            self._judge(tried, f"power, {variant}, after step {at} ({' '.join(done[at - 1].words)[:80]})", disk.marked)
        return tried

    # One point

    def _each(self, points: range | list[int], plan: Callable[[int], steps.Plan], status: int | None) -> Tried:
        tried = Tried()
        for at in sample(points, self.most):
            self._restore()
            ended = self._act(plan(at))
            where = f"step {at} of {len(self.steps)} ({self.steps[at - 1]})"
            if status is not None and ended.status != status:
                tried.points += 1
                tried.faults.append(f"{where}: ended with {ended.status} instead of the kill: {ended.told[-1:]}")
                continue
            if ended.status == FAILED:
                tried.points += 1
                tried.faults.append(f"{where}: {ended.told[-1]}")
                continue
            if ended.status == REFUSED and not _is_a_line(ended.told[-1]):
                tried.faults.append(f"{where}: not a line that names a remedy: {ended.told[-1]}")
            told = ended.told[:-1] if ended.status == REFUSED else ended.told
            self._judge(tried, where, told[-1] if told else None)
        return tried

    def _act(self, plan: steps.Plan) -> Ended:
        def work(tell: Tell) -> None:
            with _acknowledged(tell):
                steps.arm(self.world.root, plan)
                try:
                    self.scenario.act(self.world)
                finally:
                    steps.arm(self.world.root, steps.Plan(steps.OFF))

        return in_fork(work)

    def _judge(self, tried: Tried, where: str, committed: str | None) -> None:
        tried.points += 1
        ended = in_fork(lambda tell: self._check(committed, tell))
        if ended.status != DONE:
            tried.faults.append(f"{where}: {ended.told[-1] if ended.told else f'the check died: {ended.status}'}")

    def _check(self, committed: str | None, tell: Tell) -> None:
        try:
            check(self.world, self.scenario, self.known, committed)
        except Fault as fault:
            tell(str(fault))
            os._exit(FAILED)

    # The state before and after

    def _learn(self) -> Known:
        """Runs everything once without a fault, and builds clean what must come of it."""
        import json

        def prepare(tell: Tell) -> None:
            self.scenario.prepare(self.world)

        def before(tell: Tell) -> None:
            tell(json.dumps(articles(self.world.index)))

        self._must(prepare)
        shutil.copytree(self.world.root, self._before)
        known = {} if self.scenario.damaged else json.loads(self._must(before)[0])
        self._restore()
        shutil.rmtree(self.world.index, ignore_errors=True)
        self.scenario.clean(self.world)
        if check_index(self.world.index, encoder_of(self.world, self.scenario)):
            raise Fault(f"{self.scenario.name}: a clean build has faults")
        after = state(self.world, self.scenario)
        return Known({name: tuple(value) for name, value in known.items()}, after)

    def _count(self) -> str:
        def work(tell: Tell) -> None:
            steps.arm(self.world.root, steps.Plan(steps.COUNT))
            self.scenario.act(self.world)
            tell(steps.disarm())

        self._restore()
        return self._must(work)[-1]

    def _logged(self) -> list[power.Step]:
        self._restore()
        with self._log.open("wb") as log:

            def work(tell: Tell) -> None:
                with _acknowledged(steps.mark):
                    steps.arm(self.world.root, steps.Plan(steps.COUNT, log=log.fileno()))
                    self.scenario.act(self.world)
                    steps.disarm()

            self._must(work)
        self._restore()
        return power.steps(self._log)

    def _before_root(self) -> Path:
        """The state before, under the names of the world."""
        self._restore()
        return self.world.root

    def _must(self, work: Callable[[Tell], None]) -> tuple[str, ...]:
        ended = in_fork(work)
        if ended.status != DONE:
            raise Fault(f"{self.scenario.name}, without any fault: {ended.told[-1:]}")
        return ended.told

    def _restore(self) -> None:
        shutil.rmtree(self.world.root)
        shutil.copytree(self._before, self.world.root)

    def _at(self, letters: str) -> list[int]:
        return [number for number, letter in enumerate(self.steps, 1) if letter in letters]


@contextlib.contextmanager
def _acknowledged(tell: Tell) -> Iterator[None]:
    """Tells of each transaction that has returned: whoever runs the command may have seen it as done."""
    transaction = StoreWriter.transaction

    @contextlib.contextmanager
    def telling(store: StoreWriter, *, articles: bool = True) -> Iterator[None]:
        with transaction(store, articles=articles):
            yield
        if not store.folder.name.startswith("salvage-"):
            tell(" ".join(map(str, store.identity)))

    StoreWriter.transaction = telling  # type: ignore[method-assign]
    try:
        yield
    finally:
        StoreWriter.transaction = transaction  # type: ignore[method-assign]


def sample(points, most: int) -> list:  # type: ignore[no-untyped-def, type-arg]
    """At even distances, the first and the last among them."""
    found = list(points)
    if len(found) <= most:
        return found
    return [found[round(number * (len(found) - 1) / max(1, most - 1))] for number in range(most)]


def run(scenario: Scenario, kinds: tuple[str, ...], most: int, place: Path) -> dict[str, Tried]:
    with small_and_quick():
        campaign = Campaign(scenario, place, most)
        found = {}
        for kind in kinds:
            started = time.monotonic()
            found[kind] = campaign.run(kind)
            took = time.monotonic() - started
            print(
                f"{scenario.name}: {kind}: {found[kind].points} points, {len(found[kind].faults)} faults, {took:.1f} s",
                *found[kind].faults[:5],
                sep="\n    ",
                file=sys.stderr,
                flush=True,
            )
        return found


def _is_a_line(told: str) -> bool:
    """One line, with a remedy in brackets."""
    return "\n" not in told and told.endswith(")")
