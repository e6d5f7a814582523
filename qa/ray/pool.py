"""Hands out work to the members of a cluster, and does again what a lost one had.

Nobody but this process writes, so a piece of work that is done twice does no harm. Each member has a second piece waiting, so that
it is not idle while a batch is committed here; there are never more pieces than that under way, and files are taken as they are asked
for, so that what waits here is bounded. Nothing here is Ray's: qa/ray/cluster.py is.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from qa.articles import printable
from qa.datatypes import Refusal
from qa.errors import ClusterError
from qa.file_bytes import FileBytes, Unreadable, reason
from qa.files import File, Found
from qa.ray.worker import Orders
from qa.workers import Encoded

DEPTH = 2  # pieces of work that a member has
AHEAD = 4  # files read ahead, for each member that reads: one that takes long must not keep the others from work
TRIES = 3  # members that a piece of work may cost
PATIENCE = 300.0  # seconds to wait for the first member to start, and for others when all were lost
BEAT = 5.0  # seconds after which the cluster is looked at

Kind = Literal["read", "encode"]


class Lost(Exception):
    """A member is gone, and what it was doing with it."""


class Cluster(Protocol):
    """What the pool needs of Ray; the tests have one without it. Members and calls are whatever it likes."""

    @property
    def sizes(self) -> dict[Kind, int]:
        """How many members there may be."""

    def start(self, kind: Kind) -> Any:
        """One more member, which may have to wait until there is room for it."""

    def call(self, member: Any, method: str, argument: object) -> Any: ...

    def wait(self, calls: Sequence[Any], seconds: float) -> list[Any]:
        """Calls that have ended, as soon as there is one; none when there is none after so many seconds."""

    def result(self, call: Any) -> Any:
        """Of one that has ended. Raises Lost, or ClusterError when there is no use in trying again."""

    def stop(self, member: Any) -> None: ...

    def check(self) -> None:
        """Raises ClusterError when it cannot be reached any more."""

    def close(self) -> None: ...


@dataclass(eq=False, slots=True)
class _Work:
    """A piece of work. `lost` counts the members that it may have cost."""

    method: str
    argument: object
    lost: int = 0
    done: bool = False
    value: Any = None
    node: str = ""  # that did it


@dataclass(eq=False, slots=True)
class _Member:
    kind: Kind
    handle: Any
    node: str = ""  # once it has begun
    calls: dict[Any, _Work] = field(default_factory=dict)  # in the order in which they are done


class Pool:
    """Workers (qa/workers.py) on a cluster. For one thread."""

    def __init__(self, cluster: Cluster, orders: Orders) -> None:
        self._cluster, self._orders = cluster, orders
        self._waiting: dict[Kind, deque[_Work]] = {"read": deque(), "encode": deque()}
        self._members: list[_Member] = []
        self._working_at = self._checked_at = time.monotonic()
        try:
            self._facts = orders.facts()
            for kind, size in cluster.sizes.items():
                for _ in range(size):
                    self._start(kind)
        except BaseException:
            cluster.close()
            raise

    @property
    def at_once(self) -> int:
        return DEPTH * self._cluster.sizes["encode"]

    def close(self) -> None:
        self._cluster.close()

    def encode(self, texts: Sequence[str]) -> Callable[[], Encoded]:
        work = self._submit("encode", texts)

        def vectors() -> Encoded:
            if self._finished(work):
                found: Encoded = work.value
                return found
            raise ClusterError(
                f"{TRIES} workers were lost while they encoded the same passages; what was committed is kept "
                "(do the nodes have memory enough? set embedding.batch_size lower)"
            )

        return vectors

    def read(self, files: Iterable[File]) -> Iterator[tuple[File, Found | Refusal]]:
        window: deque[tuple[File, Callable[[], Found | Refusal]]] = deque()
        for file in files:
            window.append((file, self._begin(file)))
            if len(window) == AHEAD * self._cluster.sizes["read"]:
                first, found = window.popleft()
                yield first, found()
        for file, found in window:
            yield file, found()

    def _begin(self, file: File) -> Callable[[], Found | Refusal]:
        """Has a file read. What comes back waits for what is in it."""
        try:
            look = file.path.stat()
        except OSError as error:
            refusal = _refused(file, reason(error))
            return lambda: refusal
        work = self._submit("read", file)
        return lambda: self._found(file, look, work)

    def _found(self, file: File, look: os.stat_result, work: _Work) -> Found | Refusal:
        """Raises ClusterError where a node does not see the file that is here. A look is kept as it is seen from here."""
        if not self._finished(work):
            return _refused(file, f"{TRIES} workers were lost while they read it")
        found: Found | Refusal | OSError = work.value
        if isinstance(found, Refusal):
            return found
        try:
            if isinstance(found, OSError):
                self._look_at(file)
                raise _differs(file, work.node, reason(found))
            if not _same(found.look, look) and _same(self._look_at(file), look):
                raise _differs(file, work.node, "it is another file")
        except Unreadable as fault:
            return _refused(file, str(fault))
        return replace(found, look=look)

    def _look_at(self, file: File) -> os.stat_result:
        """As whoever opens it here sees it now: of a shared folder, an earlier look may be remembered."""
        with FileBytes(file.path, self._orders.index.max_file_mb << 20) as opened:
            return opened.found

    def _submit(self, kind: Kind, argument: object) -> _Work:
        work = _Work(kind, argument)
        self._waiting[kind].append(work)
        self._deal()
        return work

    def _finished(self, work: _Work) -> bool:
        """Waits; False when it was given up."""
        while not work.done:
            self._step()
        return work.lost < TRIES

    def _step(self) -> None:
        """Hands out what is waiting, and takes what is there."""
        self._deal()
        calls = {call: member for member in self._members for call in member.calls}
        for call in self._cluster.wait(list(calls), BEAT):
            if call in calls[call].calls:  # not of a member that has just been lost
                self._collect(calls[call], call)
        self._look_around()

    def _deal(self) -> None:
        for depth in range(DEPTH):
            for member in self._members:
                if self._waiting[member.kind] and member.node and len(member.calls) == depth:
                    self._call(member, self._waiting[member.kind].popleft())

    def _call(self, member: _Member, work: _Work) -> None:
        member.calls[self._cluster.call(member.handle, work.method, work.argument)] = work

    def _collect(self, member: _Member, call: Any) -> None:
        work = member.calls[call]
        try:
            value = self._cluster.result(call)
        except Lost:
            self._replace(member)
            return
        del member.calls[call]
        if work.method == "begin":
            self._welcome(member, *value)
        else:
            work.value, work.node, work.done = value, member.node, True

    def _start(self, kind: Kind) -> None:
        member = _Member(kind, self._cluster.start(kind))
        self._members.append(member)
        self._call(member, _Work("begin", self._orders))

    def _welcome(self, member: _Member, node: str, facts: dict[str, object]) -> None:
        for name, ours in self._facts.items():
            if facts[name] != ours:
                raise ClusterError(
                    f"{name} is {facts[name]} on the node {node}, and {ours} here; what was committed is kept "
                    "(have the same qa and the same models on every node, and try again)"
                )
        member.node = node

    def _replace(self, member: _Member) -> None:
        """One that was lost. What it had is done by others, before all else."""
        self._cluster.check()  # without its head, Ray waits for ever for another member
        lost, member.calls = list(member.calls.values()), {}
        self._members.remove(member)
        self._cluster.stop(member.handle)
        lost[0].lost += 1  # what it was doing; the rest had not begun
        lost[0].done = lost[0].lost == TRIES
        self._waiting[member.kind].extendleft(work for work in reversed(lost) if not work.done and work.method != "begin")
        self._start(member.kind)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now - self._checked_at >= BEAT:
            self._cluster.check()
            self._checked_at = now
        if {member.kind for member in self._members if member.node} == set(self._waiting):
            self._working_at = now
        elif now - self._working_at > PATIENCE:
            raise ClusterError(
                f"no worker has started on the Ray cluster for {PATIENCE:g} seconds; what was committed is kept "
                "(has it free processors? see: ray status)"
            )


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _refused(file: File, why: str) -> Refusal:
    return Refusal(printable(file.path), why)


def _differs(file: File, node: str, how: str) -> ClusterError:
    return ClusterError(
        f"{printable(file.path)} on the node {node}: {how}; what was committed is kept "
        "(every node has to see the same files as this machine, by the same names: share the folder, and try again)"
    )
