"""The SQLite file of an index: its tables, its connections, and what its errors mean to a user."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from qa.errors import IndexBusy, StoreError, in_one_line

FILE = "articles.sqlite"
VERSION = 2  # of the schema; a store of a newer one is refused
OLDEST = 1  # that is still read; it has no checksums
BUSY_SECONDS = 30.0
ERRORS = (sqlite3.Error, UnicodeDecodeError)  # of SQLite; the second where what it says quotes damaged bytes
OURS = frozenset({"meta", "articles", "passages"})  # tables by which an index of any version is known

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE folders (path TEXT PRIMARY KEY) WITHOUT ROWID;               -- what `qa index` was asked to keep in step
CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, file TEXT, title TEXT NOT NULL, text TEXT NOT NULL,
    author TEXT, published TEXT, source TEXT NOT NULL, url TEXT, path TEXT, language TEXT NOT NULL, sha256 TEXT NOT NULL,
    splitting TEXT NOT NULL,                                              -- how it was cut into passages
    family TEXT NOT NULL, signature BLOB NOT NULL,                        -- copies of one article share a family
    checksum INTEGER                                                      -- of what is shown of it, as qa/store.py reads it
);
CREATE INDEX articles_file ON articles(file);
CREATE INDEX articles_family ON articles(family);
CREATE TABLE bands (hash INTEGER NOT NULL, article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    PRIMARY KEY (hash, article)) WITHOUT ROWID;
CREATE INDEX bands_article ON bands(article);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    first INTEGER NOT NULL, last INTEGER NOT NULL, key BLOB NOT NULL      -- text[first:last], characters
);
CREATE INDEX passages_article ON passages(article);
CREATE TABLE encoders (number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, dimension INTEGER NOT NULL);
CREATE TABLE vectors (
    encoder INTEGER NOT NULL REFERENCES encoders, key BLOB NOT NULL, article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    vector BLOB NOT NULL,                                                 -- float16, little-endian, length 1
    checksum INTEGER,                                                     -- of these bytes
    PRIMARY KEY (encoder, key, article)
) WITHOUT ROWID;
CREATE INDEX vectors_article ON vectors(article);
CREATE VIEW passage_texts AS SELECT p.number, a.title, substr(a.text, p.first + 1, p.last - p.first) AS text
    FROM passages p JOIN articles a ON a.number = p.article;
CREATE VIRTUAL TABLE fulltext USING fts5(title, text, content='passage_texts', content_rowid='number',
    tokenize='porter unicode61 remove_diacritics 2');
"""

# What version 1 lacked. An index gets it when it is next written.
UPGRADE = """
ALTER TABLE articles ADD COLUMN checksum INTEGER;
ALTER TABLE vectors ADD COLUMN checksum INTEGER;
"""

# What came later and an older version can do without: added to an index when it is next written.
ADDITIONS = """
CREATE TABLE IF NOT EXISTS refusals (path TEXT NOT NULL, reason TEXT NOT NULL); -- what indexing could not read
CREATE INDEX IF NOT EXISTS articles_facts ON articles(published, source, author);  -- what is filtered by, without the texts in between
CREATE INDEX IF NOT EXISTS articles_splitting ON articles(splitting);
"""


@contextlib.contextmanager
def store_errors(folder: Path) -> Iterator[None]:
    """Turns what SQLite says into one line with a remedy."""
    try:
        yield
    except ERRORS as error:
        raise explain(in_one_line(error), folder) from error


@contextlib.contextmanager
def writing_errors(folder: Path) -> Iterator[None]:
    """The same, and what the file system says. For writers: whoever asks may have files of his own that fail."""
    try:
        with store_errors(folder):
            yield
    except OSError as error:
        raise explain(error.strerror or str(error), folder) from error


def explain(message: str, folder: Path) -> StoreError:
    said = message.casefold()
    if "full" in said or "no space" in said or "quota" in said:
        return StoreError(f"the disk of {folder} is full; what was committed is kept (make room and run the same command again)")
    if "locked" in said:
        return IndexBusy(f"the index in {folder} is locked by another process (wait for it, or stop it, and try again)")
    if "readonly" in said or "read-only" in said or "permission" in said:
        return StoreError(f"the index in {folder} is read-only: {message} (make it writable, or give another folder with --index)")
    if "malformed" in said or "not a database" in said or "decode" in said:
        return damaged(folder, message)
    return StoreError(f"the index in {folder} cannot be used: {message} (give another folder with --index)")


def damaged(folder: Path, what: str) -> StoreError:
    return StoreError(f"{folder / FILE} is damaged: {what} (mend it: qa repair --index {folder})")


def folded(text: str | None) -> str | None:
    """Without case, in any script, and without half characters, which SQLite does not take; also a function in SQL."""
    return text.casefold().encode("utf-8", "replace").decode() if text else text


def connect(path: Path, readonly: bool) -> sqlite3.Connection:
    if readonly:
        db = _connect_readonly(path)
    else:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")
    db.create_function("folded", 1, folded, deterministic=True)
    return db


class FrozenConnection(sqlite3.Connection):
    """To a file that is taken not to change while it is open."""


def _connect_readonly(path: Path) -> sqlite3.Connection:
    """A reader's connection. Where it may write nothing, SQLite cannot share memory with writers, so there must be none."""
    try:
        return _opened(path, "mode=ro", sqlite3.Connection)
    except sqlite3.OperationalError as error:
        log = path.with_name(path.name + "-wal")
        if ("unable to open" in str(error) or "readonly" in str(error)) and not (log.exists() and log.stat().st_size):
            return _opened(path, "mode=ro&immutable=1", FrozenConnection)
        raise


def _opened(path: Path, mode: str, kind: type[sqlite3.Connection]) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?{mode}"
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=kind)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except ERRORS:
        db.close()
        raise
    return db


def log_size(folder: Path) -> int:
    """Bytes of committed work that are not in the file itself yet."""
    try:
        return (folder / f"{FILE}-wal").stat().st_size
    except OSError:
        return 0


def file_identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = (folder / FILE).stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
