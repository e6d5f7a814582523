"""Bytes that a disk changes while nobody writes: bits flipped, files cut short, emptied or gone, in every file of an index.

Two indexes: one at rest, sealed, and one whose writer was killed, with work in the write-ahead log. Whatever is changed, asking must
give the same answers, or those of an earlier commit, or one line that names the repair; after the repair and a sync, everything
is as before. Only the killed writer's file has no seal: there `qa info --check` may be what notices.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from faults.campaign import sample
from faults.checks import Answers, answers, articles
from faults.forked import DONE, FAILED, REFUSED, Tell, in_fork
from faults.worlds import World, judge, repair, small_and_quick, sync, written
from qa.check import check_index
from qa.database import log_size
from qa.errors import StoreError
from qa.feedback import Feedback
from qa.store_writer import StoreWriter

MISSING, EMPTY = -1, -2


@dataclass(frozen=True)
class Damage:
    """`bit` of the byte at `at` is flipped; without one, the file ends at `at`, is emptied or is gone."""

    file: str
    at: int
    bit: int | None = None

    def do(self, folder: Path) -> None:
        path = folder / self.file
        if self.at == MISSING:
            path.unlink()
        elif self.bit is None:
            os.truncate(path, max(0, self.at))
        else:
            data = bytearray(path.read_bytes())
            data[self.at] ^= 1 << self.bit
            path.write_bytes(data)

    def __str__(self) -> str:
        what = {MISSING: "gone", EMPTY: "emptied"}.get(
            self.at, f"cut at {self.at}" if self.bit is None else f"bit {self.bit} of byte {self.at}"
        )
        return f"{self.file}, {what}"


class Damages:
    """Tries damages one after the other on copies of one index."""

    def __init__(self, place: Path, killed: bool) -> None:
        self.world, self.killed = World(place / "world"), killed
        self.world.root.mkdir()
        self._before = place / "before"
        written(self.world)
        sync(self.world)
        self._earlier = articles(self.world.index)
        if killed:
            self.world.write("fox")
            self.world.write("ant", 1)
            self._sync_and_die()
            assert log_size(self.world.index)
            shutil.copytree(self.world.root, self._before)
            self.after = self._known()
        else:
            judge(self.world)
            shutil.copytree(self.world.root, self._before)
            self.after = self._known()

    def points(self, most: int) -> Iterator[Damage]:
        """Of each file `most` flips and a sixth as many cuts, at even distances."""
        chance = random.Random(most)
        for path in sorted((self._before / "index").iterdir()):
            size = path.stat().st_size
            if not path.name.endswith(("-shm", ".lock")):
                yield from (Damage(path.name, at, chance.randrange(8)) for at in sample(range(size), most))
                yield from (Damage(path.name, at) for at in sample(range(1, size), most // 6) if size > 1)
                yield Damage(path.name, EMPTY)
            yield Damage(path.name, MISSING)

    def try_one(self, damage: Damage) -> str:
        """ "harmless", "noticed when asked", "noticed by the check", or in words what is wrong."""
        shutil.rmtree(self.world.root)
        shutil.copytree(self._before, self.world.root)
        damage.do(self.world.index)
        ended = in_fork(self._ask)
        if ended.status == FAILED:
            return f"a traceback: {ended.told[-1]}"
        if ended.status == REFUSED and ("\n" in ended.told[-1] or not ended.told[-1].endswith(")")):
            return f"not a line that names a remedy: {ended.told[-1]}"
        found = {DONE: ended.told[-1] if ended.told else "", REFUSED: "noticed when asked"}.get(ended.status, f"died: {ended.status}")
        if found == "other answers":
            found = self._noticed()
        mended = in_fork(self._mend)
        if mended.status != DONE:
            return f"{found}, then not mended: {mended.told[-1] if mended.told else mended.status}"
        return found

    def _sync_and_die(self) -> None:
        """Everything is committed, and nothing of it folded back into the file."""

        def work(tell: Tell) -> None:
            with patch.object(StoreWriter, "close", lambda store: os._exit(DONE)):
                sync(self.world)

        in_fork(work)

    def _known(self) -> tuple[Answers, dict[str, tuple[str, str]]]:
        return answers(self.world, self.world.first), articles(self.world.index)

    def _ask(self, tell: Tell) -> None:
        Feedback(self.world.index).judgements() if not self.killed else None
        tell("harmless" if answers(self.world, self.world.first) == self.after[0] else "other answers")

    def _noticed(self) -> str:
        """Answers differ: the check must say why, or they are those of a commit before the last."""

        def look(tell: Tell) -> None:
            found = [fault.what for fault in check_index(self.world.index)]
            held = articles(self.world.index)
            known = (self._earlier, self.after[1])
            earlier = self.killed and held and all(text in [state.get(name) for state in known] for name, text in held.items())
            tell("noticed by the check" if found else "of an earlier commit" if earlier else "other answers without notice")

        ended = in_fork(look)
        return ended.told[-1] if ended.status in (DONE, REFUSED) else f"the check failed: {ended.told[-1:]}"

    def _mend(self, tell: Tell) -> None:
        """As the messages say: repair, then sync; where there is no index any more, sync alone."""
        try:
            repair(self.world)
        except StoreError as error:
            if "no index in" not in str(error):
                raise
        sync(self.world)
        found = self._known()
        if found != self.after:
            tell("other contents than before" if found[1] != self.after[1] else "other answers than before")
            os._exit(FAILED)


def run(place: Path, most: int) -> dict[str, object]:
    """Figures by file and by what came of it, and the first faults in words."""
    good = ("harmless", "noticed when asked", "noticed by the check", "of an earlier commit")
    counts: dict[str, Counter[str]] = {}
    faults: list[str] = []
    with small_and_quick():
        for killed in (False, True):
            folder = place / str(killed)
            folder.mkdir()
            damages = Damages(folder, killed)
            for damage in list(damages.points(most)):
                found = damages.try_one(damage)
                name = f"{damage.file}{' of a killed writer' if killed else ''}"
                counts.setdefault(name, Counter())[found if found in good else "fault"] += 1
                if found not in good:
                    faults.append(f"{damage}{', killed' if killed else ''}: {found}")
                    print(faults[-1], flush=True)
    tried = sum(count.total() for count in counts.values())
    return {
        "tried": tried,
        "survived": tried - len(faults),
        "by_file": {name: dict(count) for name, count in counts.items()},
        "faults": faults[:20],
    }
