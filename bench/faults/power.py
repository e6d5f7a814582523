"""The disk that a power failure leaves: what was not synced may be lost, or be there in part.

Replays the log of steps.c. What is certain: a file's content as of its last sync, and names as of the last sync of their folder. What
came since may be gone, be there, or be there in part: written sectors in any order, names in the order in which they were
changed (a folder's changes are journalled). This is less than Linux promises, and what SQLite and POSIX count on.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SECTOR = 512
Variant = Literal["lost", "names without content", "some"]
VARIANTS: tuple[Variant, ...] = ("lost", "names without content", "some")


@dataclass(frozen=True)
class Step:
    """A line of the log, in words, and the data of a write."""

    words: tuple[str, ...]
    data: bytes = b""


@dataclass
class File:
    """`safe` was synced; `pending` came since: (offset, data), or (length, None) for a truncation."""

    safe: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def content(self, kept: Iterator[bool] | None = None) -> bytes:
        """With everything that is pending, or with those sectors of it for which `kept` says so."""
        data = bytearray(self.safe)
        for at, piece in self.pending:
            if piece is None:
                if kept is None or next(kept):
                    data[:] = data[:at].ljust(at, b"\0")
                continue
            for start in range(0, len(piece), SECTOR):
                if kept is None or next(kept):
                    part = piece[start : start + SECTOR]
                    data[:] = data.ljust(at + start, b"\0")
                    data[at + start : at + start + len(part)] = part
        return bytes(data)

    def sync(self) -> None:
        self.safe, self.pending = self.content(), []


FOLDER = File()
Names = dict[str, File]


@dataclass
class Disk:
    """`names` as the process sees them, `safe` as the disk does; `changes` leads from the one to the other, in order."""

    names: Names = field(default_factory=dict)
    safe: Names = field(default_factory=dict)
    changes: list[tuple[str, str, File | None]] = field(default_factory=list)  # (folder to be synced, name, what it names now)
    open: dict[int, tuple[str, File | None]] = field(default_factory=dict)
    marked: str | None = None

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """As it is, all of it safe."""
        found = {str(path): FOLDER if path.is_dir() else File(path.read_bytes()) for path in folder.rglob("*")}
        return cls(dict(found), dict(found))

    def replay(self, step: Step) -> None:
        what, *words = step.words
        if what == "open":
            self._open(int(words[0]), words[1] == "1", words[2])
        elif what == "close":
            self.open.pop(int(words[0]), None)
        elif what == "write":
            self._pending(int(words[0])).append((int(words[1]), step.data))
        elif what == "truncate":
            self._pending(int(words[0])).append((int(words[1]), None))
        elif what == "sync":
            self._sync(*self.open[int(words[0])])
        elif what == "mkdir":
            self._name(words[0], FOLDER)
        elif what == "unlink":
            self._name(words[0], None)
        elif what == "rename":
            self._rename(*words)
        elif what == "mark":
            self.marked = words[0]

    def leave(self, folder: Path, variant: Variant, chance: random.Random) -> None:
        """Writes into `folder`, in place of all that is there, what the power failure leaves."""
        names = dict(self.safe)
        certain = {"lost": 0, "names without content": len(self.changes), "some": chance.randint(0, len(self.changes))}[variant]
        for _, name, file in self.changes[:certain]:
            _set(names, name, file)
        shutil.rmtree(folder)
        folder.mkdir()
        for name, file in sorted(names.items()):
            path = Path(name)
            if file is FOLDER:
                path.mkdir(parents=True, exist_ok=True)
            elif path.parent.is_dir() and not name.endswith("-shm"):  # shared memory is never on the disk
                kept = iter(lambda: chance.random() < 0.5, None)
                path.write_bytes(file.content(kept) if variant == "some" else file.safe)

    def _open(self, number: int, emptied: bool, name: str) -> None:
        path = Path(name)
        if name not in self.names and not path.is_dir():
            self._name(name, File())
        file = self.names.get(name)
        self.open[number] = name, None if file is FOLDER else file
        if emptied and file is not None:
            file.pending.append((0, None))

    def _pending(self, number: int) -> list[tuple[int, bytes | None]]:
        file = self.open[number][1]
        assert file is not None
        return file.pending

    def _sync(self, name: str, file: File | None) -> None:
        if file is not None:
            file.sync()
            return
        for folder, entry, named in self.changes:
            if folder == name:
                _set(self.safe, entry, named)
        self.changes = [change for change in self.changes if change[0] != name]

    def _name(self, name: str, file: File | None) -> None:
        _set(self.names, name, file)
        self.changes.append((str(Path(name).parent), name, file))

    def _rename(self, source: str, target: str) -> None:
        inside = [(name, file) for name, file in self.names.items() if name.startswith(source + "/")]
        file = self.names[source]
        self._name(source, None)
        self._name(target, file)
        for name, file in inside:
            self._name(target + name.removeprefix(source), file)


def steps(log: Path) -> list[Step]:
    """The log: a length, a blank, so many bytes of words, and for a write its data."""
    data, at, found = log.read_bytes(), 0, []
    while at < len(data):
        blank = data.index(b" ", at)
        at = blank + 1 + int(data[at:blank])
        found.append(_step(data[blank + 1 : at].decode(), data, at))
        at += len(found[-1].data)
    return found


def _step(line: str, data: bytes, at: int) -> Step:
    what, _, rest = line.partition(" ")
    if what == "rename":  # its names may have blanks in them
        length, _, names = rest.partition(" ")
        return Step((what, names[: int(length)], names[int(length) + 1 :]))
    if what == "open":
        return Step((what, *rest.split(" ", 2)))
    if what in ("unlink", "mkdir", "mark"):
        return Step((what, rest))
    words = (what, *rest.split(" "))
    return Step(words, data[at : at + int(words[3])] if what == "write" else b"")


def _set(names: Names, name: str, file: File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file
