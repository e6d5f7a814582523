"""The truth: articles, passages, full text and vectors in one SQLite file, written in transactions.

Everything else in an index folder is derived from it. A store knows nothing of files to read, models or FAISS. The full
text is an FTS5 table over passages (title and text; Porter stemming), whose `bm25` is Robertson's with k1 = 1.2, b = 0.75.
Vectors are float16, kept per article by a key of the encoded text and by encoder, so that an unchanged passage is
never encoded again, and a removed article takes its vectors along.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Article, ArticleSummary, Filters, Passage
from qa.errors import IndexBusy, StoreError

FILE = "articles.sqlite"
VERSION = 1  # of the schema; a store of a newer one is refused
BUSY_SECONDS = 30.0

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE folders (path TEXT PRIMARY KEY) WITHOUT ROWID;               -- what `qa index` was asked to keep in step
CREATE TABLE files (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, file TEXT, title TEXT NOT NULL, text TEXT NOT NULL,
    author TEXT, published TEXT, source TEXT NOT NULL, url TEXT, path TEXT, language TEXT NOT NULL, sha256 TEXT NOT NULL,
    splitting TEXT NOT NULL,                                              -- how it was cut into passages
    family TEXT NOT NULL, signature BLOB NOT NULL                         -- copies of one article share a family
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
    PRIMARY KEY (encoder, key, article)
) WITHOUT ROWID;
CREATE INDEX vectors_article ON vectors(article);
CREATE VIEW passage_texts AS SELECT p.number, a.title, substr(a.text, p.first + 1, p.last - p.first) AS text
    FROM passages p JOIN articles a ON a.number = p.article;
CREATE VIRTUAL TABLE fulltext USING fts5(title, text, content='passage_texts', content_rowid='number',
    tokenize='porter unicode61 remove_diacritics 2');
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article with all that is derived from it, ready to be written. `keys` and `vectors` go with `passages`.

    `vectors` is float16 (n, dim); `signature` and `bands` find copies (see qa/copies.py).
    """

    article: Article
    file: str | None
    passages: tuple[Passage, ...]
    keys: tuple[bytes, ...]
    vectors: NDArray[np.float16]
    splitting: str
    family: str
    signature: bytes
    bands: tuple[int, ...]


class Store:
    """An open index folder's database. Reading is safe from several threads; one process writes at a time (see qa/indexer.py)."""

    def __init__(self, folder: Path, *, readonly: bool = True) -> None:
        self.folder = folder
        self._readonly = readonly
        self._local = threading.local()
        self._file = _file_identity(folder)

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Store:
        """The store in `folder`. With `create` it is made when missing and may be written; else StoreError when missing."""
        path = folder / FILE
        if not create and not path.is_file():
            raise StoreError(f"no index in {folder} (make one: qa index PATH… --index {folder})")
        store = cls(folder, readonly=not create)
        with store_errors(folder):
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                store._create()
                store._file = _file_identity(folder)
            store._check_version()
        return store

    def close(self) -> None:
        """Closes this thread's connection; a writer first folds the write-ahead log back into the file."""
        db = getattr(self._local, "db", None)
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                if not self._readonly:
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
            del self._local.db

    @property
    def is_current(self) -> bool:
        """Whether the file that was opened is still the one in the folder (and not removed or replaced since)."""
        return self._file == _file_identity(self.folder)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside belongs to one moment, whatever is written meanwhile."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            self._meta("generation")  # SQLite takes the snapshot at the first read
            yield
        finally:
            self._db.rollback()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is there afterwards, or nothing of it. Begins a new generation."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
            self._set_meta("indexed_at", datetime.now(timezone.utc).isoformat(timespec="seconds"))
            self._db.commit()
        except BaseException:
            self._db.rollback()
            raise

    # What is there

    @property
    def identity(self) -> tuple[str, int]:
        """(id of this store, generation): equal identities have equal content."""
        return self._meta("store"), int(self._meta("generation"))

    def info(self) -> dict[str, object]:
        """Counts, encoders with the number of passages they cover, when last written, and size in bytes."""
        count = self._one
        encoders = [
            {"name": name, "fingerprint": fingerprint, "dimension": dimension, "passages": count("passages") - self.missing(fingerprint)}
            for fingerprint, name, dimension in self._db.execute("SELECT fingerprint, name, dimension FROM encoders ORDER BY number")
        ]
        size = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
        return {
            "path": str(self.folder),
            "articles": count("articles"),
            "passages": count("passages"),
            "generation": self.identity[1],
            "indexed_at": self._meta("indexed_at") or None,
            "encoders": encoders,
            "bytes": size,
        }

    def article(self, article_id: str) -> Article | None:
        row = self._db.execute(f"SELECT {_ARTICLE_COLUMNS} FROM articles WHERE id = ?", (article_id,)).fetchone()
        return _article(row) if row else None

    def articles(self) -> Iterator[Article]:
        """Every article, one at a time, in the order in which they were first indexed."""
        return map(_article, self._db.execute(f"SELECT {_ARTICLE_COLUMNS} FROM articles ORDER BY number"))

    def summaries(self) -> list[ArticleSummary]:
        """Every article without its text, in the order in which they were first indexed."""
        rows = self._db.execute(
            "SELECT a.id, title, author, published, source, url, path, (SELECT count(*) FROM passages WHERE article = a.number), sha256, "
            "(SELECT b.id FROM articles b WHERE b.family = a.family AND b.number < a.number ORDER BY b.number LIMIT 1) "
            "FROM articles a ORDER BY a.number"
        )
        return [ArticleSummary(row[0], row[1], row[2], _date(row[3]), *row[4:]) for row in rows]

    def file_hashes(self) -> dict[str, str]:
        """path -> hash of the bytes that were read from it."""
        return dict(self._db.execute("SELECT path, sha256 FROM files"))

    def folders(self) -> list[str]:
        return [path for (path,) in self._db.execute("SELECT path FROM folders ORDER BY path")]

    def articles_of_file(self, file: str) -> dict[str, tuple[str, str]]:
        """id -> (sha256, splitting) of the articles that were read from a file."""
        rows = self._db.execute("SELECT id, sha256, splitting FROM articles WHERE file = ?", (file,))
        return {article_id: (sha256, splitting) for article_id, sha256, splitting in rows}

    def origin(self, article_id: str) -> tuple[str | None, str, str] | None:
        """(file, sha256, splitting) of an article, or None."""
        row = self._db.execute("SELECT file, sha256, splitting FROM articles WHERE id = ?", (article_id,)).fetchone()
        return tuple(row) if row else None

    def split_otherwise(self, splitting: str) -> list[str]:
        """Ids of the articles that were cut into passages in another way."""
        return [row[0] for row in self._db.execute("SELECT id FROM articles WHERE splitting != ? ORDER BY number", (splitting,))]

    # Copies

    def signatures(self, bands: Sequence[int]) -> list[tuple[str, str, bytes]]:
        """(id, family, signature) of the articles that share at least one band, oldest first."""
        marks = ",".join("?" * len(bands))
        rows = self._db.execute(
            "SELECT id, family, signature FROM articles WHERE number IN "
            f"(SELECT article FROM bands WHERE hash IN ({marks})) ORDER BY number",
            tuple(bands),
        )
        return list(rows)

    def families(self, article_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """id -> ids of all articles of its family, itself included, oldest first; only for those that have copies."""
        found = {}
        for article_id in set(article_ids):
            rows = self._db.execute(
                "SELECT b.id FROM articles a JOIN articles b ON b.family = a.family WHERE a.id = ? ORDER BY b.number", (article_id,)
            ).fetchall()
            if len(rows) > 1:
                found[article_id] = tuple(row[0] for row in rows)
        return found

    # Passages

    def search_text(self, match: str, k: int, filters: Filters, title_weight: float) -> list[tuple[int, float]]:
        """(passage number, BM25 score) best first for an FTS5 expression; scores are positive, higher is better."""
        where, values = _where(filters)
        rows = self._db.execute(
            f"SELECT rowid, -bm25(fulltext, ?, 1.0) FROM fulltext WHERE fulltext MATCH ? {where} ORDER BY bm25(fulltext, ?, 1.0) LIMIT ?",
            (title_weight, match, *values, title_weight, k),
        )
        return list(rows)

    def allowed_passages(self, filters: Filters) -> NDArray[np.int64]:
        """int64 (n,): numbers of the passages that the filters let through."""
        where, values = _where(filters)
        rows = self._db.execute(f"SELECT number AS rowid FROM passages WHERE 1 {where}", values)
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def passages(self, numbers: Iterable[int]) -> dict[int, Passage]:
        """number -> passage, for those that are there."""
        found = {}
        for number in numbers:
            row = self._db.execute(
                "SELECT a.id, p.first, p.last, substr(a.text, p.first + 1, p.last - p.first), a.title, p.number "
                "FROM passages p JOIN articles a ON a.number = p.article WHERE p.number = ?",
                (number,),
            ).fetchone()
            if row:
                found[number] = Passage(*row)
        return found

    def passage_numbers(self) -> NDArray[np.int64]:
        """int64 (n,): numbers of all passages, ascending."""
        rows = self._db.execute("SELECT number FROM passages ORDER BY number")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    # Vectors

    def missing(self, fingerprint: str) -> int:
        """How many passages have no vector of this encoder."""
        return int(self._db.execute(f"SELECT count(*) FROM passages p WHERE {_NO_VECTOR}", (fingerprint,)).fetchone()[0])

    def without_vectors(self, fingerprint: str, limit: int) -> list[tuple[int, Passage, bytes]]:
        """(article number, passage, key) of up to `limit` passages that have no vector of this encoder."""
        rows = self._db.execute(f"SELECT p.number, p.article, p.key FROM passages p WHERE {_NO_VECTOR} LIMIT ?", (fingerprint, limit)).fetchall()
        texts = self.passages(row[0] for row in rows)
        return [(article, texts[number], key) for number, article, key in rows]

    def known_vectors(self, fingerprint: str, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """key -> float16 (dim,) for the texts that this encoder has already encoded, in whichever article."""
        found = {}
        for key in set(keys):
            row = self._db.execute(
                "SELECT vector FROM vectors WHERE encoder = (SELECT number FROM encoders WHERE fingerprint = ?) AND key = ? LIMIT 1",
                (fingerprint, key),
            ).fetchone()
            if row:
                found[key] = np.frombuffer(row[0], dtype="<f2")
        return found

    def vectors(self, fingerprint: str, numbers: NDArray[np.int64]) -> NDArray[np.float16]:
        """float16 (n, dim): the vectors of these passages, in this order. KeyError when one is missing."""
        query = (
            "SELECT v.vector FROM passages p JOIN vectors v ON v.article = p.article AND v.key = p.key AND v.encoder = "
            "(SELECT number FROM encoders WHERE fingerprint = ?) WHERE p.number = ?"
        )
        rows = []
        for number in numbers.tolist():
            row = self._db.execute(query, (fingerprint, number)).fetchone()
            if row is None:
                raise KeyError(number)
            rows.append(row[0])
        return np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1)

    # Writing, inside `transaction`

    def put(self, entry: Entry, fingerprint: str) -> None:
        """Writes an article with its passages and vectors in place of what had its id. Old vectors whose text is gone go too."""
        number = self._put_article(entry)
        self._delete_passages(number)
        self._db.execute("DELETE FROM bands WHERE article = ?", (number,))
        self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, number) for band in entry.bands])
        for passage, key in zip(entry.passages, entry.keys, strict=True):
            cursor = self._db.execute(
                "INSERT INTO passages (article, first, last, key) VALUES (?, ?, ?, ?)", (number, passage.start, passage.end, key)
            )
            self._db.execute(
                "INSERT INTO fulltext (rowid, title, text) VALUES (?, ?, ?)", (cursor.lastrowid, entry.article.title, passage.text)
            )
        self.put_vectors(fingerprint, [(number, key) for key in entry.keys], entry.vectors)

    def put_vectors(self, fingerprint: str, owners: Sequence[tuple[int, bytes]], vectors: NDArray[np.float16]) -> None:
        """Keeps vectors for (article number, key) pairs; the encoder must have been added."""
        encoder = self._db.execute("SELECT number FROM encoders WHERE fingerprint = ?", (fingerprint,)).fetchone()[0]
        self._db.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
            [(encoder, key, article, row.astype("<f2").tobytes()) for (article, key), row in zip(owners, vectors, strict=True)],
        )

    def add_encoder(self, fingerprint: str, name: str, dimension: int) -> None:
        self._db.execute("INSERT OR IGNORE INTO encoders (fingerprint, name, dimension) VALUES (?, ?, ?)", (fingerprint, name, dimension))

    def remove(self, article_id: str) -> None:
        """Removes an article with everything that was made from it."""
        row = self._db.execute("SELECT number FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row:
            self._delete_passages(row[0])
            self._db.execute("DELETE FROM articles WHERE number = ?", row)

    def put_file(self, path: str, sha256: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (path, sha256))

    def forget_file(self, path: str) -> None:
        self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def put_folder(self, path: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO folders VALUES (?)", (path,))

    def forget_folder(self, path: str) -> None:
        self._db.execute("DELETE FROM folders WHERE path = ?", (path,))

    # Inside

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = _connect(self.folder / FILE, self._readonly)
        return db

    def _create(self) -> None:
        """Makes the tables, all or none. Writers are serialised by the caller's lock."""
        self._db.execute("PRAGMA journal_mode = WAL")
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0 and not self._tables():
            start = {"store": uuid.uuid4().hex, "generation": "0", "indexed_at": ""}
            values = ";".join(f"INSERT INTO meta VALUES ('{name}', '{value}')" for name, value in start.items())
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {values}; PRAGMA user_version = {VERSION}; COMMIT;")

    def _check_version(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise StoreError(
                f"the index in {self.folder} was made by a newer version of qa: format {found}, this one reads {VERSION} "
                "(upgrade qa, or give another folder with --index)"
            )
        if found < VERSION:
            raise StoreError(f"{self.folder / FILE} is not an index of qa (give another folder with --index)")

    def _tables(self) -> bool:
        return bool(self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    def _meta(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def _set_meta(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _one(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _put_article(self, entry: Entry) -> int:
        article = entry.article
        row = self._db.execute("SELECT number FROM articles WHERE id = ?", (article.id,)).fetchone()
        published = article.published.isoformat() if article.published else None
        values = {
            "id": article.id, "file": entry.file, "title": article.title, "text": article.text, "author": article.author,
            "published": published, "source": article.source, "url": article.url, "path": article.path, "language": article.language,
            "sha256": article.sha256, "splitting": entry.splitting, "family": entry.family, "signature": entry.signature,
        }  # fmt: skip
        if row is None:
            names, marks = ",".join(values), ",".join(f":{name}" for name in values)
            return int(self._db.execute(f"INSERT INTO articles ({names}) VALUES ({marks})", values).lastrowid or 0)
        self._delete_passages(row[0])
        self._drop_stale_vectors(row[0], entry)
        assignments = ",".join(f"{name} = :{name}" for name in values)
        self._db.execute(f"UPDATE articles SET {assignments} WHERE number = {int(row[0])}", values)
        return int(row[0])

    def _drop_stale_vectors(self, number: int, entry: Entry) -> None:
        """After an edit, vectors of passages that are gone. Cutting the same text otherwise keeps them, for the way back."""
        old = self._db.execute("SELECT sha256 FROM articles WHERE number = ?", (number,)).fetchone()[0]
        if old != entry.article.sha256:
            kept = set(entry.keys)
            keys = {key for (key,) in self._db.execute("SELECT DISTINCT key FROM vectors WHERE article = ?", (number,))}
            self._db.executemany("DELETE FROM vectors WHERE article = ? AND key = ?", [(number, key) for key in keys - kept])

    def _delete_passages(self, article: int) -> None:
        """FTS5 needs the old words to forget them, so this comes before the article's text changes."""
        self._db.execute(
            "INSERT INTO fulltext (fulltext, rowid, title, text) SELECT 'delete', t.number, t.title, t.text "
            "FROM passage_texts t JOIN passages p ON p.number = t.number WHERE p.article = ?",
            (article,),
        )
        self._db.execute("DELETE FROM passages WHERE article = ?", (article,))


def _file_identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = (folder / FILE).stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def text_key(text: str) -> bytes:
    """16 bytes that stand for an encoded text."""
    return hashlib.sha256(text.encode()).digest()[:16]


@contextlib.contextmanager
def store_errors(folder: Path) -> Iterator[None]:
    """Turns what SQLite and the file system say into one line with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(str(error), folder) from error
    except OSError as error:
        raise StoreError(f"the index in {folder} cannot be used: {error.strerror or error} (give another folder with --index)") from error


def _explain(message: str, folder: Path) -> StoreError:
    if "full" in message:
        return StoreError(f"the disk of {folder} is full; what was committed is kept (make room and run the same command again)")
    if "locked" in message:
        return IndexBusy(f"the index in {folder} is locked by another process (wait for it, or stop it, and try again)")
    if "readonly" in message:
        return StoreError(f"the index in {folder} is read-only (make it writable, or give another folder with --index)")
    if "malformed" in message or "not a database" in message:
        return StoreError(f"{folder / FILE} is damaged: {message} (move the folder away and run qa index PATH… again)")
    return StoreError(f"the index in {folder} cannot be used: {message} (give another folder with --index)")


def _connect(path: Path, readonly: bool) -> sqlite3.Connection:
    if readonly:
        return _connect_readonly(path)
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _connect_readonly(path: Path) -> sqlite3.Connection:
    """A reader's connection. In a folder that cannot be written SQLite cannot share memory with writers: there are none."""
    uri = path.resolve().as_uri()
    for mode in ("?mode=ro", "?mode=ro&immutable=1"):
        db = sqlite3.connect(uri + mode, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return db
        except sqlite3.OperationalError as error:
            db.close()
            if "unable to open" not in str(error):
                raise
    raise sqlite3.OperationalError("unable to open database file")


_ARTICLE_COLUMNS = "id, title, text, source, sha256, author, url, path, language, published"
_NO_VECTOR = (
    "NOT EXISTS (SELECT 1 FROM vectors v WHERE v.encoder = (SELECT number FROM encoders WHERE fingerprint = ?) "
    "AND v.key = p.key AND v.article = p.article)"
)


def _article(row: Sequence[Any]) -> Article:
    names = _ARTICLE_COLUMNS.split(", ")
    return Article(**{**dict(zip(names, row, strict=True)), "published": _date(row[-1])})


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _where(filters: Filters) -> tuple[str, list[str]]:
    """An SQL condition on `rowid`, a passage's number, and its values."""
    conditions: Mapping[str, str | None] = {
        "source = ? COLLATE NOCASE": filters.source,
        "instr(lower(coalesce(author, '')), lower(?)) > 0": filters.author,
        "published >= ?": filters.since.isoformat() if filters.since else None,
        "published <= ?": filters.until.isoformat() if filters.until else None,
    }
    chosen = {condition: value for condition, value in conditions.items() if value}
    if not chosen:
        return "", []
    inner = f"SELECT number FROM articles WHERE {' AND '.join(chosen)}"
    return f"AND rowid IN (SELECT number FROM passages WHERE article IN ({inner}))", list(chosen.values())
