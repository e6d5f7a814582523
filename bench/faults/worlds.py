"""What is being done when a fault comes: for each scenario a folder of articles, an index in some state, and the command that runs.

All are small, and written in many small transactions, so that every step can be tried.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from fakes import FakeEncoder, article

import qa.batches
import qa.files
import qa.vectors
from qa.articles import iterate_file
from qa.config import Config
from qa.database import FILE
from qa.datatypes import Article, Refusal
from qa.feedback import Feedback, Judgement
from qa.indexer import add_vectors, index_articles, index_paths, remove_articles
from qa.reading_process import FileReader
from qa.repair import repair_index
from qa.seal import SEAL
from qa.store import Store
from qa.store_writer import StoreWriter
from qa.vector_files import saved_files
from qa.vectors import refresh

WORDS = "sea sky whale lark storm harbour island captain letter winter bridge river engine garden market museum".split()
QUESTIONS = ("whale harbour storm", "Which captain wrote the letter?", "river bridge", "loose leaves")


class World:
    """One place on the disk: article files and an index. Always the same names, since an index keeps those of its files."""

    def __init__(self, root: Path) -> None:
        self.root, self.articles, self.index = root, root / "articles", root / "index"
        self.config = Config().replace("index.path", self.index).replace("reader.model", "sentence").replace("retrieval.candidates", 10_000)
        self.first = FakeEncoder()
        self.second = FakeEncoder("5ec0", boxes=32)

    def write(self, name: str, edition: int = 0) -> None:
        chosen = [WORDS[(len(name) * 7 + ord(name[0]) + edition * 3 + n * n) % len(WORDS)] for n in range(48)]
        sentences = (" ".join(chosen[at : at + 6]).capitalize() + f" {name}." for at in range(0, 48, 6))
        self.articles.mkdir(exist_ok=True)
        (self.articles / f"{name}.txt").write_text(f"About {name}\n\n{' '.join(sentences)}\n", encoding="utf-8")

    def files(self) -> list[Path]:
        return sorted(self.articles.iterdir())

    def ids(self, *names: str) -> list[str]:
        with Store.open(self.index) as store:
            return [summary.id for summary in store.summaries() if Path(summary.path or "").stem in names]

    def change(self, *statements: str) -> None:
        """What a disk or another program may do to the file, unnoticed by its seal."""
        (self.index / SEAL).unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.index / FILE)) as db, db:
            for statement in statements:
                db.execute(statement)

    def keep_log(self) -> None:
        """Leaves committed work in the write-ahead log alone, as a killed writer does."""
        log, copy = self.index / f"{FILE}-wal", self.root / "kept"
        with contextlib.closing(sqlite3.connect(self.index / FILE)) as db:
            with db:
                db.execute("INSERT OR IGNORE INTO folders VALUES ('/nowhere')")
            shutil.copytree(self.index, copy)
        shutil.rmtree(self.index)
        copy.rename(self.index)
        assert log.stat().st_size


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the state before, `act` is what is stopped and afterwards run again, `clean` builds what must come of it.

    `damaged`: the index is unusable before, and may be until `act` is through. `may_lack`: of the configured encoder's vectors,
    some may be missing meanwhile. `second`: the encoder that answers afterwards is the second one.
    """

    name: str
    prepare: Callable[[World], None]
    act: Callable[[World], None]
    clean: Callable[[World], None]
    damaged: bool = False
    may_lack: bool = False
    second: bool = False


class ReaderInside(FileReader):
    """Reads files in this process: starting one costs as much as all the rest, and what it writes is no file."""

    def read(self, path: Path, data: bytes, first_row: int = 1) -> list[Article | Refusal]:
        return list(iterate_file(path, data, 1 << 20, 1 << 20))


@contextlib.contextmanager
def small_and_quick() -> Iterator[None]:
    """Many small transactions, and no process to read files."""
    before = qa.batches.BATCH, qa.files.FileReader
    qa.batches.BATCH, qa.files.FileReader = 3, ReaderInside  # type: ignore[misc]
    try:
        yield
    finally:
        qa.batches.BATCH, qa.files.FileReader = before  # type: ignore[misc]


def silent(stage: str, done: int, total: int) -> None:
    pass


# The pieces


def written(world: World) -> None:
    for name in ("ant", "bee", "cat", "dog", "eel"):
        world.write(name)


def indexed(world: World) -> None:
    written(world)
    sync(world)
    loose(world)


def loose(world: World) -> None:
    index_articles(world.config, [article("loose", "Loose leaves fall where the captain of the harbour sits.")], encoder=world.first)


def sync(world: World) -> None:
    index_paths(world.config, [world.articles], encoder=world.first)


def edited(world: World) -> None:
    indexed(world)
    world.write("ant", 1)
    world.write("dog", 2)
    world.write("fox")
    world.write("gnu")
    (world.articles / "bee.txt").unlink()


def prune(world: World) -> None:
    index_paths(world.config, [world.articles], prune=True, encoder=world.first)


def sync_clean(world: World) -> None:
    """The file that is gone is put back, since without --prune its article stays."""
    world.write("bee")
    sync(world)
    (world.articles / "bee.txt").unlink()
    loose(world)


def prune_clean(world: World) -> None:
    sync(world)
    loose(world)


def remove(world: World) -> None:
    found = world.ids("ant", "eel")
    if found:
        remove_articles(world.config, found)
    else:
        index_articles(world.config, [], encoder=world.first)


def remove_clean(world: World) -> None:
    index_paths(world.config, [file for file in world.files() if file.stem not in ("ant", "eel")], encoder=world.first)
    loose(world)


def swap(world: World) -> None:
    add_vectors(world.config, world.second)


def swap_clean(world: World) -> None:
    sync(world)
    loose(world)
    swap(world)


def smaller(world: World) -> Config:
    return world.config.replace("passages.size", 16).replace("passages.overlap", 0)


def recut(world: World) -> None:
    index_paths(smaller(world), [], encoder=world.first)


def recut_clean(world: World) -> None:
    index_paths(smaller(world), [world.articles], encoder=world.first)
    loose(world)
    recut(world)


def switch(world: World) -> None:
    index_paths(smaller(world), [], encoder=world.second)


def switch_clean(world: World) -> None:
    index_paths(smaller(world), [world.articles], encoder=world.second)
    loose(world)
    switch(world)


def sync_lists(world: World) -> None:
    """As an index does that is so large that passages are put into lists, each in a file of its own."""
    with patch.object(qa.vectors, "EXACT_LIMIT", 4):
        sync(world)


def repair(world: World) -> None:
    repair_index(world.config, world.first, silent)


def wrong_vectors(world: World) -> None:
    """Also in what was made of them since, and with no checksum that tells, as a faulty encoder would leave them."""
    indexed(world)
    world.change(
        "UPDATE vectors SET vector = zeroblob(length(vector)), checksum = NULL", "UPDATE meta SET value = 'other' WHERE name = 'store'"
    )
    with StoreWriter.open(world.index) as store:
        refresh(store, world.first.fingerprint)


def wrong_letters(world: World) -> None:
    indexed(world)
    world.change("UPDATE articles SET text = replace(text, 'harbour', 'barbour') WHERE file IS NOT NULL")


def wrong_saved(world: World) -> None:
    indexed(world)
    for path in saved_files(world.index):
        path.write_bytes(path.read_bytes()[:-9])


def torn_page(world: World) -> None:
    """A page of the file is gone, and some committed work stands in the write-ahead log alone."""
    indexed(world)
    with contextlib.closing(sqlite3.connect(world.index / FILE)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bands_article'").fetchone()
    with (world.index / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    world.keep_log()


def repair_and_sync(world: World) -> None:
    """What the message names: first the one, then the other; a writer also tidies up."""
    repair(world)
    sync(world)


def judged(world: World) -> None:
    indexed(world)
    Feedback(world.index).add(Judgement("right", "Who wrote?", "Who wrote?"))


def judge(world: World) -> None:
    feedback = Feedback(world.index)
    feedback.clear()
    for verdict in ("right", "wrong"):
        feedback.add(Judgement(verdict, "Who wrote?", "Who wrote?"))


def judge_clean(world: World) -> None:
    sync(world)
    loose(world)
    judge(world)


SCENARIOS = (
    Scenario("first", written, prune_clean, prune_clean),
    Scenario("sync", edited, sync, sync_clean),
    Scenario("lists", edited, sync_lists, sync_clean),
    Scenario("prune", edited, prune, prune_clean),
    Scenario("remove", indexed, remove, remove_clean),
    Scenario("swap", indexed, swap, swap_clean, second=True, may_lack=True),
    Scenario("recut", indexed, recut, recut_clean),
    Scenario("switch", indexed, switch, switch_clean, second=True, may_lack=True),
    Scenario("repair vectors", wrong_vectors, repair_and_sync, prune_clean, damaged=True),
    Scenario("repair articles", wrong_letters, repair_and_sync, prune_clean, damaged=True),
    Scenario("repair saved", wrong_saved, repair_and_sync, prune_clean, damaged=True),
    Scenario("salvage", torn_page, repair_and_sync, prune_clean, damaged=True),
    Scenario("feedback", judged, judge, judge_clean),
)


def scenario_named(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if re.sub(r"\W", "-", scenario.name) == re.sub(r"\W", "-", name))
