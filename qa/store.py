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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from qa import checksums
from qa.database import FILE, OLDEST, OURS, VERSION, FrozenConnection, connect, damaged, file_identity, folded, store_errors
from qa.datatypes import Article, ArticleSummary, Filters, Passage, Refusal
from qa.errors import StoreError
from qa.passages import embedding_text
from qa.salvage import is_unfinished
from qa.seal import verify

ARTICLE_COLUMNS = "id, title, text, source, sha256, author, url, path, language, published"
DIGEST = ARTICLE_COLUMNS.split(", ").index("sha256")
# By the index that has an article's vectors together: by their keys, which are hashes, a million passages take 9 s instead of 0.3.
_NO_VECTOR = (
    "NOT EXISTS (SELECT 1 FROM vectors v INDEXED BY vectors_article WHERE v.encoder = (SELECT number FROM encoders WHERE fingerprint = ?) "
    "AND v.key = p.key AND v.article = p.article)"
)

StoreType = TypeVar("StoreType", bound="Store")


class Store:
    """An open index folder, to be read; safe to use from several threads. qa/store_writer.py has the writer's side."""

    readonly = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._local = threading.local()
        self._file = file_identity(folder)
        self.version = VERSION

    @classmethod
    def open(cls, folder: Path) -> Store:
        """The store in `folder`. StoreError when there is none, one that this version cannot read, or one that a disk has changed."""
        if is_unfinished(folder):
            raise StoreError(f"a repair of {folder} was interrupted (bring it to its end: qa repair --index {folder})")
        verify(folder)
        return cls.open_as_it_is(folder)

    @classmethod
    def open_as_it_is(cls, folder: Path) -> Store:
        """The same without a look at the seal, for those who look for damage."""
        missing = StoreError(f"no index in {folder} (make one: qa index PATH… --index {folder})")
        if not (folder / FILE).is_file():
            raise missing
        store = cls(folder)
        with store_errors(folder):
            if not store._tables():  # its writer died before the first transaction
                raise missing
            store._check_version()
        return store

    def close(self) -> None:
        """Closes this thread's connection."""
        db = getattr(self._local, "db", None)
        if db is not None:
            db.close()
            del self._local.db

    @property
    def checksum(self) -> str:
        """The column, or what stands for it where there is none."""
        return "checksum" if self.version > 1 else "NULL"

    @property
    def where(self) -> str:
        return str(self.folder)

    @property
    def is_current(self) -> bool:
        """Whether the file that was opened is still the one in the folder (and not removed or replaced since)."""
        return self._file == file_identity(self.folder)

    def __enter__(self: StoreType) -> StoreType:
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
            if isinstance(self._db, FrozenConnection):
                self.close()  # the next moment may be another

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
        return {
            "path": str(self.folder),
            "articles": count("articles"),
            "passages": count("passages"),
            "generation": self.identity[1],
            "indexed_at": self._meta("indexed_at") or None,
            "encoders": encoders,
            "bytes": sum(map(_size, self.folder.iterdir())),
        }

    def article(self, article_id: str) -> Article | None:
        """StoreError when it is not the one that was written."""
        row = self._db.execute(f"SELECT {self.checksum}, {ARTICLE_COLUMNS} FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row is None:
            return None
        if not checksums.fits(row[0], article_checksum(row[1:])):
            raise damaged(self.folder, "an article is not the one that was written")
        return article_from(row[1:])

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

    def refusals(self) -> list[Refusal]:
        """What earlier runs refused and has neither been read since nor gone."""
        if "refusals" not in self._tables():  # an index of an earlier version, not written since
            return []
        return [Refusal(path, reason) for path, reason in self._db.execute("SELECT path, reason FROM refusals ORDER BY rowid")]

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
        query = "SELECT id FROM articles WHERE splitting < ?1 OR splitting > ?1 ORDER BY number"  # != would read all the texts
        return [row[0] for row in self._db.execute(query, (splitting,))]

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

    def search_text(self, match: str, title_weight: float, k: int = -1, allowed: bytes | None = None) -> list[tuple[int, float]]:
        """Up to k (passage number, BM25 score), or all, best first for an FTS5 expression; scores are positive, higher is better.

        `allowed` has a 1 for each passage number that may be found: others are not scored, which is what takes time.
        """
        only = ""
        if allowed is not None:
            self._db.create_function("allowed", 1, allowed.__getitem__)
            only = "AND allowed(rowid)"
        rows = self._db.execute(
            f"SELECT rowid, -bm25(fulltext, ?, 1.0) FROM fulltext WHERE fulltext MATCH ? {only} ORDER BY bm25(fulltext, ?, 1.0) LIMIT ?",
            (title_weight, match, title_weight, k),
        )
        return list(rows)

    def passages_with(self, word: str) -> int:
        """How many passages have a word, stemmed, in their title or text."""
        return int(self._db.execute("SELECT count(*) FROM fulltext WHERE fulltext MATCH ?", (f'"{word}"',)).fetchone()[0])

    def count(self, filters: Filters) -> tuple[int, int]:
        """How many (articles, passages) the filters let through."""
        where, values = _where(filters)
        row = self._db.execute(f"SELECT count(DISTINCT article), count(*) FROM passages {where}", values).fetchone()
        return int(row[0]), int(row[1])

    def allowed_passages(self, filters: Filters) -> NDArray[np.int64]:
        """int64 (n,): numbers of the passages that the filters let through."""
        where, values = _where(filters)
        rows = self._db.execute(f"SELECT number FROM passages {where}", values)
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def passages(self, numbers: Iterable[int]) -> dict[int, Passage]:
        """number -> passage, for those that are there. StoreError when the words of one are not those that were written."""
        found = {}
        for number in numbers:
            row = self._db.execute(
                "SELECT p.key, a.id, p.first, p.last, substr(a.text, p.first + 1, p.last - p.first), a.title, p.number "
                "FROM passages p JOIN articles a ON a.number = p.article WHERE p.number = ?",
                (number,),
            ).fetchone()
            if row:
                passage = Passage(*row[1:])
                if not is_cut_from(passage.title, passage.text, row[0]):
                    raise damaged(self.folder, "a passage is not the one that was written")
                found[number] = passage
        return found

    def places(self, numbers: Iterable[int]) -> dict[int, tuple[str, int]]:
        """number -> (article id, start): a passage's name that does not depend on when it was indexed."""
        query = "SELECT a.id, p.first FROM passages p JOIN articles a ON a.number = p.article WHERE p.number = ?"
        found = {number: self._db.execute(query, (number,)).fetchone() for number in numbers}
        if None in found.values():
            raise damaged(self.folder, "a passage belongs to no article")
        return found

    def passage_count(self) -> int:
        return self._one("passages")

    def passage_numbers(self) -> NDArray[np.int64]:
        """int64 (n,): numbers of all passages, ascending."""
        rows = self._db.execute("SELECT number FROM passages ORDER BY number")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def sample_passages(self, count: int) -> NDArray[np.int64]:
        """int64 (n,): numbers of up to `count` passages, by their texts' hashes: the same ones in whatever order they were indexed."""
        rows = self._db.execute("SELECT number FROM passages ORDER BY key, number LIMIT ?", (count,))
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    # Vectors

    def missing(self, fingerprint: str) -> int:
        """How many passages have no vector of this encoder."""
        return int(self._db.execute(f"SELECT count(*) FROM passages p WHERE {_NO_VECTOR}", (fingerprint,)).fetchone()[0])

    def without_vectors(self, fingerprint: str, limit: int, after: int = 0) -> list[tuple[int, Passage, bytes]]:
        """(article number, passage, key) of up to `limit` passages numbered above `after` that have no vector of this encoder."""
        rows = self._db.execute(
            f"SELECT p.number, p.article, p.key FROM passages p WHERE {_NO_VECTOR} AND p.number > ? ORDER BY p.number LIMIT ?",
            (fingerprint, after, limit),
        ).fetchall()
        texts = self.passages(row[0] for row in rows)
        return [(article, texts[number], key) for number, article, key in rows]

    def known_vectors(self, fingerprint: str, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """key -> float16 (dim,) for the texts that this encoder has already encoded, in whichever article; not what is damaged."""
        found = {}
        for key in set(keys):
            row = self._db.execute(
                f"SELECT vector, {self.checksum} FROM vectors "
                "WHERE encoder = (SELECT number FROM encoders WHERE fingerprint = ?) AND key = ? LIMIT 1",
                (fingerprint, key),
            ).fetchone()
            if row and is_as_written(*row):
                found[key] = np.frombuffer(row[0], dtype="<f2")
        return found

    def vectors(self, fingerprint: str, numbers: NDArray[np.int64]) -> NDArray[np.float16]:
        """float16 (n, dim): the vectors of these passages, in this order. KeyError when one is missing, StoreError when one is damaged."""
        query = (
            f"SELECT v.vector, {self.checksum} FROM passages p JOIN vectors v ON v.article = p.article AND v.key = p.key AND v.encoder = "
            "(SELECT number FROM encoders WHERE fingerprint = ?) WHERE p.number = ?"
        )
        rows = []
        for number in numbers.tolist():
            row = self._db.execute(query, (fingerprint, number)).fetchone()
            if row is None:
                raise KeyError(number)
            if not is_as_written(*row):
                raise damaged(self.folder, "a vector is not the one that was written")
            rows.append(row[0])
        return np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1)

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a reading statement, for those who look at the tables themselves (qa/check.py, qa/repair.py)."""
        return self._db.execute(sql, tuple(values)).fetchall()

    # Inside

    @property
    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = connect(self.folder / FILE, self.readonly)
        return db

    def _tables(self) -> frozenset[str]:
        return frozenset(name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))

    def _check_version(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0] if self._tables() >= OURS else 0
        if found > VERSION:
            raise StoreError(
                f"the index in {self.folder} was made by a newer version of qa: format {found}, this one reads {VERSION} "
                "(upgrade qa, or give another folder with --index)"
            )
        if found < OLDEST:
            raise StoreError(f"{self.folder / FILE} is not an index of qa (give another folder with --index)")
        self.version = found

    def _meta(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def _one(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _size(path: Path) -> int:
    """In bytes; 0 when the file has just gone, as temporary ones do."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def is_cut_from(title: str, text: str, key: bytes) -> bool:
    """Whether these are the words of the passage with this key."""
    return isinstance(text, str) and text_key(embedding_text(title, text)) == key


def is_as_written(vector: bytes, checksum: int | None) -> bool:
    return checksums.fits(checksum, checksums.of_bytes(vector))


def article_checksum(row: Sequence[object]) -> int:
    """Of a row of `ARTICLE_COLUMNS`, without the digest, which a repair changes."""
    return checksums.of_values([*row[:DIGEST], *row[DIGEST + 1 :]])


def text_key(text: str) -> bytes:
    """16 bytes that stand for an encoded text."""
    return hashlib.sha256(text.encode()).digest()[:16]


def article_from(row: Sequence[Any]) -> Article:
    """An article from a row of `ARTICLE_COLUMNS`."""
    names = ARTICLE_COLUMNS.split(", ")
    return Article(**{**dict(zip(names, row, strict=True)), "published": _date(row[-1])})


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _where(filters: Filters) -> tuple[str, list[str]]:
    """An SQL condition on `article`, the number of a passage's article, and its values."""
    conditions: Mapping[str, str | None] = {
        "folded(source) = ?": folded(filters.source),
        "instr(folded(author), ?) > 0": folded(filters.author),
        "published >= ?": filters.since.isoformat() if filters.since else None,
        "published <= ?": filters.until.isoformat() if filters.until else None,
    }
    chosen = {condition: value for condition, value in conditions.items() if value}
    if not chosen:
        return "", []
    return f"WHERE article IN (SELECT number FROM articles WHERE {' AND '.join(chosen)})", list(chosen.values())
