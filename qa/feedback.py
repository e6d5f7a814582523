"""What readers say about answers, in a SQLite file of its own inside the index folder.

It is never the store's file, so that no rebuilding of the index loses it. Rows are only ever added: who changes their mind adds
one more, and what counts is decided where the rows are read (qa/evaluation/feedback.py). Several processes may write at once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from qa.config import Config
from qa.database import ERRORS, connect
from qa.datatypes import Turn
from qa.errors import StoreError, in_one_line

FILE = "feedback.sqlite"
VERSION = 1  # of the schema; a file of another one is refused
MOST = 100_000  # rows, so that nobody fills the disk

SCHEMA = (
    """CREATE TABLE judgements (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, verdict TEXT NOT NULL,
    question TEXT NOT NULL, standalone_question TEXT NOT NULL, turns TEXT NOT NULL,  -- JSON: [[question, answer], …], oldest first
    answer TEXT, confidence REAL, filtered INTEGER NOT NULL, reader TEXT NOT NULL, settings TEXT NOT NULL
)""",
    """CREATE TABLE places (
    judgement INTEGER NOT NULL REFERENCES judgements ON DELETE CASCADE,
    article TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, quote TEXT NOT NULL, sha256 TEXT NOT NULL
)""",
    "CREATE INDEX places_judgement ON places(judgement)",
)
COLUMNS = "at, verdict, question, standalone_question, turns, answer, confidence, filtered, reader, settings"

Verdict = Literal["right", "wrong", "words", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where words stood when they were judged: `quote == article.text[start:end]`, in the edition with that `sha256`."""

    article_id: str
    start: int
    end: int
    quote: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """One press of a button. `answer` is None where the page said that the articles don't say.

    `places` are those of the shown answer, one in each article that says the same; with the verdict "words", those of the words
    that the reader selected instead. `filtered`: the question was asked of some articles only. `reader` tells readers apart
    without saying who they are. `settings` is a fingerprint of what can change an answer.
    """

    verdict: Verdict
    question: str
    standalone_question: str
    turns: tuple[Turn, ...] = ()
    answer: str | None = None
    confidence: float | None = None
    places: tuple[Place, ...] = ()
    filtered: bool = False
    reader: str = ""
    settings: str = ""
    at: str = ""


class Feedback:
    """The judgements beside one index. Nothing is opened before it is needed, and the file is made by the first judgement."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def add(self, judgement: Judgement) -> None:
        """Keeps it, with the time of now."""
        with self._writing() as db:
            if db.execute("SELECT count(*) FROM judgements").fetchone()[0] >= MOST:
                raise StoreError(f"{self.file} is full: {MOST:,} marks (export them, then: qa feedback clear)")
            number = db.execute(f"INSERT INTO judgements ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(judgement)).lastrowid
            db.executemany("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)", [(number, *astuple(place)) for place in judgement.places])

    def judgements(self) -> list[Judgement]:
        """All of them, oldest first; none where nobody has judged yet."""
        if not self.file.is_file():
            return []
        with self._errors((sqlite3.Error, ValueError, TypeError)), closing(connect(self.file, readonly=True)) as db:
            if not self._version(db):
                return []
            db.execute("BEGIN")
            places: dict[int, list[Place]] = {}
            for number, *place in db.execute("SELECT judgement, article, first, last, quote, sha256 FROM places ORDER BY rowid"):
                places.setdefault(number, []).append(Place(*place))
            rows = db.execute(f"SELECT {COLUMNS}, number FROM judgements ORDER BY number")
            return [_judgement(row, tuple(places.get(row[-1], ()))) for row in rows]

    def clear(self) -> int:
        """Deletes everything, from the disk too; returns how many judgements there were."""
        if not self.file.is_file():
            return 0
        with self._writing() as db:
            deleted = db.execute("SELECT count(*) FROM judgements").fetchone()[0]
            db.execute("DELETE FROM places")
            db.execute("DELETE FROM judgements")
        with self._errors(), closing(connect(self.file, readonly=False)) as db:
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(deleted)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds off other writers. It makes the tables where they are missing."""
        with self._errors(), closing(connect(self.file, readonly=False)) as db:
            if not self._version(db):
                _use_wal(db)
            with db:  # commits, or rolls back
                db.execute("BEGIN IMMEDIATE")
                if not self._version(db):
                    for statement in SCHEMA:
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {VERSION}")
                yield db

    def _version(self, db: sqlite3.Connection) -> int:
        """0: still without tables."""
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, VERSION):
            raise StoreError(f"{self.file} is of version {version}, and this qa reads {VERSION} (update qa, or move that file away)")
        return version

    @contextmanager
    def _errors(self, kinds: tuple[type[Exception], ...] = ERRORS) -> Iterator[None]:
        """What SQLite says as one line with a remedy."""
        try:
            yield
        except kinds as error:
            raise StoreError(_explain(in_one_line(error), self.file)) from error


def _use_wal(db: sqlite3.Connection) -> None:
    """SQLite does not wait here for another process that does the same at this moment, whatever the timeout: it says "locked" at once."""
    for _ in range(100):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.02)
    db.execute("PRAGMA journal_mode = WAL")


def settings_fingerprint(config: Config) -> str:
    """16 hex digits of every setting that can change an answer."""
    relevant = config.model_dump(mode="json", exclude={"index", "ui", "server"})
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:16]


def judgement_json(judgement: Judgement) -> dict[str, object]:
    """As `qa feedback list --json` prints it."""
    return asdict(judgement)


def _row(judgement: Judgement) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    turns = json.dumps([astuple(turn) for turn in judgement.turns], ensure_ascii=False)
    said = (judgement.verdict, judgement.question, judgement.standalone_question, turns, judgement.answer, judgement.confidence)
    return (now, *said, judgement.filtered, judgement.reader, judgement.settings)


def _judgement(row: tuple[Any, ...], places: tuple[Place, ...]) -> Judgement:
    at, verdict, question, standalone, turns, answer, confidence, filtered, reader, settings, _ = row
    past = tuple(Turn(*turn) for turn in json.loads(turns))
    return Judgement(verdict, question, standalone, past, answer, confidence, places, bool(filtered), reader, settings, at)


def _explain(message: str, file: Path) -> str:
    said = message.casefold()
    if "full" in said:
        return f"the disk of {file} is full; what was kept before is safe (make room and press again)"
    if "locked" in said:
        return f"{file} is locked by another process (try again)"
    if "readonly" in said or "unable to open" in said:
        return f"{file} cannot be written or read: {message} (see to the folder's permissions)"
    return f"{file} is damaged: {message} (move it away, and a new one is begun)"
