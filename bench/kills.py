"""Kills an indexing process with SIGKILL at random moments and checks that nothing that was committed is lost.

After each kill, before anything else writes: the index opens (or there is none yet), every article that was there before is
still there or was changed to a version that the folder has had, SQLite and the full text pass their own checks, and questions
are answered. Now and then files are edited, added and deleted. In the end the index equals one built in one go.

    python bench/kills.py [--kills 60] [--seed 1] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS.parent), str(TESTS.parent / "bench")]

from fakes import FakeEncoder  # noqa: E402
from faults import results  # noqa: E402

from qa.config import Config  # noqa: E402
from qa.database import FILE  # noqa: E402
from qa.datatypes import Hit  # noqa: E402
from qa.errors import MissingVectors, StoreError  # noqa: E402
from qa.pipeline import Pipeline  # noqa: E402
from qa.store import Store  # noqa: E402

WORDS = "sea sky whale lark storm harbour island captain letter winter bridge river engine garden market museum".split()
SECONDS_A_TEXT = 0.004


class Fault(AssertionError):
    pass


class Folder:
    """Article files that change; `versions` has every text that an article ever had, by file name."""

    def __init__(self, path: Path, size: int, chance: random.Random) -> None:
        self.path, self.chance = path, chance
        self.versions: dict[str, set[str]] = {}
        self.number = 0
        path.mkdir()
        for _ in range(size):
            self.add()

    def add(self) -> None:
        self.number += 1
        self.write(f"article-{self.number:04}.txt")

    def write(self, name: str) -> None:
        sentences = (" ".join(self.chance.choices(WORDS, k=8)).capitalize() + "." for _ in range(self.chance.randint(2, 30)))
        text = " ".join(sentences)
        (self.path / name).write_text(f"Article {name[8:12]}\n\n{text}\n", encoding="utf-8")
        self.versions.setdefault(name, set()).add(text)

    def change(self) -> None:
        """Edits some files, adds some, deletes some."""
        names = sorted(file.name for file in self.path.iterdir())
        for name in self.chance.sample(names, len(names) // 6):
            self.write(name)
        for name in self.chance.sample(names, len(names) // 20):
            (self.path / name).unlink()
        for _ in range(len(names) // 15):
            self.add()


class Kill(NamedTuple):
    """When: so many seconds after the writer was heard of for so many times to be at a stage (0: from its start)."""

    seconds: float
    stage: str = ""
    times: int = 0

    @classmethod
    def at_random(cls, chance: random.Random, longest: float) -> Kill:
        """Anywhere, or around a transaction, or while the vectors are saved, which is over in no time."""
        return chance.choice(
            [
                cls(chance.uniform(0, longest)),
                cls(chance.uniform(0, 0.01), "writing", chance.randint(1, 12)),
                cls(chance.uniform(0, 0.02), "saving", 1),
            ]
        )


class Writers:
    """Starts indexing processes one after the other, and kills them."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(TESTS / "writer.py"), "serve"]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=TESTS.parent)

    def run(self, index: Path, folder: Path, kill: Kill | None = None) -> tuple[bool, list[str]]:
        """Lets a writer work to its end or to a kill: (was it killed, what it said). Fault when it fails by itself."""
        assert self.server.stdin and self.server.stdout
        print(index, folder, SECONDS_A_TEXT, sep="\t", file=self.server.stdin, flush=True)
        process = int(self.server.stdout.readline().removeprefix("pid "))
        said: list[str] = []
        if kill:
            while [line.split()[0] for line in said].count(kill.stage) < kill.times and not _has_ended(said):
                said.append(self.server.stdout.readline().rstrip())
            time.sleep(kill.seconds)
            os.kill(process, signal.SIGKILL)
        while not _has_ended(said):
            said.append(self.server.stdout.readline().rstrip())
        print(file=self.server.stdin, flush=True)
        status = int(self.server.stdout.readline())
        if status not in (0, -signal.SIGKILL):
            raise Fault(f"the writer failed by itself: {said}")
        return status == -signal.SIGKILL, said[:-1]

    def close(self) -> None:
        self.server.communicate()


def _has_ended(said: list[str]) -> bool:
    """A writer that was killed in the middle of a line leaves it without an end."""
    return bool(said) and said[-1].endswith("exit")


def contents(index: Path) -> dict[str, str]:
    """file name -> text; {} when there is no index yet."""
    try:
        with Store.open(index) as store, store.snapshot():
            found = [store.article(summary.id) for summary in store.summaries()]
    except StoreError as error:
        if "no index in" in str(error):
            return {}
        raise
    return {Path(article.path or "").name: article.text for article in found if article}


def check(index: Path, folder: Folder, before: dict[str, str]) -> dict[str, str]:
    """What is in the index now. Fault when something is lost, torn or unanswerable."""
    after = contents(index)
    lost = [name for name in before if name not in after and (folder.path / name).exists()]
    strange = [name for name, text in after.items() if text not in folder.versions[name]]
    if lost or strange:
        raise Fault(f"lost: {lost}, never written: {strange}")
    if after:
        db = sqlite3.connect(index / FILE)
        db.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",) or db.execute("PRAGMA foreign_key_check").fetchone():
            raise Fault("SQLite's own checks fail")
        db.close()
        hits = search(index, "whale harbour storm")
        if not hits or any(after[_name(index, hit)][hit.passage.start : hit.passage.end] != hit.passage.text for hit in hits):
            raise Fault("a hit is not what its article says")
    return after


def _name(index: Path, hit: Hit) -> str:
    with Store.open(index) as store:
        article = store.article(hit.passage.article_id)
    return Path(article.path or "").name if article else ""


def search(index: Path, question: str) -> tuple[Hit, ...]:
    """With all passages as candidates: where equal scores are cut off at the hundredth, the order of indexing would decide."""
    config = Config().replace("index.path", index).replace("retrieval.candidates", 10_000)
    try:
        return Pipeline(config, encoder=FakeEncoder()).search(question, k=5)
    except MissingVectors as error:
        raise Fault(f"a committed passage has no vector: {error}") from error


def questions() -> list[str]:
    return [" ".join(pair) for pair in zip(WORDS, WORDS[1:])]


def answers(index: Path) -> list[list[tuple[str, int, int, float]]]:
    """For comparison: where each question's hits stand, and their scores."""
    found = [search(index, question) for question in questions()]
    return [sorted((_name(index, hit), hit.passage.start, hit.passage.end, hit.score) for hit in hits) for hits in found]


def stage_of(said: list[str]) -> str:
    """What a writer was last heard of doing: ["reading 0 9", "reading 8 9"] -> "reading"."""
    return said[-1].split()[0] if said else "starting"


def main(kills: int, seed: int, size: int = 60, longest: float = 1.2, place: Path | None = None) -> Counter[str]:
    """How many kills there were at which stage. Raises Fault at the first thing that is wrong."""
    chance = random.Random(seed)
    stages: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=place) as work:
        folder, index = Folder(Path(work, "articles"), size, chance), Path(work, "index")
        before: dict[str, str] = {}
        writers = Writers()
        while sum(stages.values()) - stages["done"] < kills:
            killed, said = writers.run(index, folder.path, Kill.at_random(chance, longest))
            stages[stage_of(said) if killed else "done"] += 1
            before = check(index, folder, before)
            if not killed or chance.random() < 0.3:
                folder.change()
        writers.run(index, folder.path)
        writers.run(Path(work, "clean"), folder.path)
        writers.close()
        on_disk = {file.name for file in folder.path.iterdir()}
        if not contents(index) == contents(Path(work, "clean")) or contents(index).keys() != on_disk:
            raise Fault("the index differs from one built in one go")
        for question, ours, clean in zip(questions(), answers(index), answers(Path(work, "clean")), strict=True):
            same = [hit[:3] for hit in ours] == [hit[:3] for hit in clean]
            if not same or any(abs(one[3] - other[3]) > 1e-4 for one, other in zip(ours, clean)):
                raise Fault(f"{question!r} is answered differently from an index built in one go: {ours} and {clean}")
    return stages


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write bench/results/faults.json")
    options = parser.parse_args()
    started = time.monotonic()
    stages = main(options.kills, options.seed)
    kills = stages.total() - stages["done"]
    found = {
        "kills": kills,
        "lost": 0,
        "runs_to_the_end": stages["done"],
        "stages": stages,
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(found))
    if options.keep:
        results.keep("kills", found)
