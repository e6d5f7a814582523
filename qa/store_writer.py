"""Writing to the store, in transactions. Only qa/indexer.py does, and one process at a time."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa import checksums, seal
from qa.database import ADDITIONS, SCHEMA, UPGRADE, VERSION, file_identity, log_size, writing_errors
from qa.datatypes import Passage, Refusal
from qa.disk import make_folder
from qa.storage import Entry as Entry
from qa.store import ARTICLE_COLUMNS, Store, article_checksum, is_as_written


class StoreWriter(Store):
    """A store that may be written. `put…`, `add…`, `remove` and `forget…` belong inside `transaction`."""

    readonly = False

    @classmethod
    def open(cls, folder: Path) -> StoreWriter:
        """The store in `folder`, made when it is missing."""
        with writing_errors(folder):
            make_folder(folder)
            seal.verify(folder)
            continued = seal.is_sealed(folder) or log_size(folder) > 0
            seal.unseal(folder)
            store = cls(folder)
            store._create()
            store._check_version()
            store._upgrade()
            store._db.executescript(ADDITIONS)
            if not continued:  # it may have been put back from a copy: its next generation is not the one that was there before
                store._begin_anew()
            store._file = file_identity(folder)
        return store

    def close(self) -> None:
        """Folds the write-ahead log back into the file first, unless somebody keeps reading, and seals the file."""
        folded = False
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA busy_timeout = 1000")
            folded = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        super().close()
        with contextlib.suppress(OSError):  # without a seal, the index is as good as before there were seals
            if folded:
                seal.seal(self.folder)

    @contextlib.contextmanager
    def transaction(self, *, articles: bool = True) -> Iterator[None]:
        """All that is written inside is there afterwards, or nothing of it. Begins a new generation.

        `articles` is False where these stay as they are and only vectors are added: then they were not indexed just now.
        """
        with self._all_or_nothing():
            yield
            self._db.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
            if articles:
                self._set_meta("indexed_at", datetime.now(timezone.utc).isoformat(timespec="seconds"))

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.commit()
        except BaseException:
            self._db.rollback()
            raise

    def put(self, entry: Entry, fingerprint: str) -> None:
        """Writes an article with its passages and vectors in place of what had its id. Old vectors whose text is gone go too."""
        number = self._put_article(entry)
        self._db.execute("DELETE FROM bands WHERE article = ?", (number,))
        self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, number) for band in entry.bands])
        for passage, key in zip(entry.passages, entry.keys, strict=True):
            cursor = self._db.execute(
                "INSERT INTO passages (article, first, last, key) VALUES (?, ?, ?, ?)", (number, passage.start, passage.end, key)
            )
            self._db.execute(
                "INSERT INTO fulltext (rowid, title, text) VALUES (?, ?, ?)", (cursor.lastrowid, entry.article.title, passage.text)
            )
        self._keep_vectors(fingerprint, [(number, key) for key in entry.keys], entry.vectors)

    def put_vectors(self, fingerprint: str, rows: Sequence[tuple[int, Passage, bytes]], vectors: NDArray[np.float16]) -> None:
        """Keeps vectors for rows of `without_vectors`; the encoder must have been added."""
        self._keep_vectors(fingerprint, [(article, key) for article, _, key in rows], vectors)

    def _keep_vectors(self, fingerprint: str, owners: Sequence[tuple[int, bytes]], vectors: NDArray[np.float16]) -> None:
        encoder = self._db.execute("SELECT number FROM encoders WHERE fingerprint = ?", (fingerprint,)).fetchone()[0]
        self._db.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?)",
            [
                (encoder, key, article, data := row.astype("<f2").tobytes(), checksums.of_bytes(data))
                for (article, key), row in zip(owners, vectors, strict=True)
            ],
        )

    def add_encoder(self, fingerprint: str, name: str, dimension: int) -> None:
        self._db.execute("INSERT OR IGNORE INTO encoders (fingerprint, name, dimension) VALUES (?, ?, ?)", (fingerprint, name, dimension))

    def remove(self, article_id: str) -> None:
        """Removes an article with everything that was made from it."""
        row = self._db.execute("SELECT number FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row:
            self._delete_passages(row[0])
            self._db.execute("DELETE FROM articles WHERE number = ?", row)

    def cut_again(self, article_id: str) -> None:
        """Has the article, as it is now, taken for one that was cut otherwise."""
        row = self._db.execute(f"SELECT {ARTICLE_COLUMNS} FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row:
            self._db.execute("UPDATE articles SET splitting = '', checksum = ? WHERE id = ?", (article_checksum(row), article_id))

    def read_again(self, article_id: str) -> None:
        """Has the article taken for changed when its file is read again. Each by another name: that of equal content makes a family."""
        self._db.execute("UPDATE articles SET sha256 = 'unknown ' || id WHERE id = ?", (article_id,))

    def remove_damaged_vectors(self, fingerprint: str) -> int:
        """How many there were. What was made of any before belongs to this store no more, though passages keep their numbers."""
        rows = self._db.execute(
            "SELECT encoder, key, article, vector, checksum FROM vectors "
            "WHERE encoder = (SELECT number FROM encoders WHERE fingerprint = ?)",
            (fingerprint,),
        )
        wrong = [row[:3] for row in rows if not is_as_written(*row[3:])]
        if wrong:
            self._begin_anew()
            self._db.executemany("DELETE FROM vectors WHERE encoder = ? AND key = ? AND article = ?", wrong)
        return len(wrong)

    def remove_encoder(self, fingerprint: str) -> None:
        """With all its vectors."""
        self._begin_anew()
        self._db.execute("DELETE FROM vectors WHERE encoder = (SELECT number FROM encoders WHERE fingerprint = ?)", (fingerprint,))
        self._db.execute("DELETE FROM encoders WHERE fingerprint = ?", (fingerprint,))

    def rebuild_full_text(self) -> None:
        """The full-text index from the passages as they are."""
        self._db.execute("INSERT INTO fulltext (fulltext) VALUES ('rebuild')")

    def put_file(self, path: str, sha256: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (path, sha256))

    def forget_file(self, path: str) -> None:
        self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def put_folder(self, path: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO folders VALUES (?)", (path,))

    def forget_folder(self, path: str) -> None:
        self._db.execute("DELETE FROM folders WHERE path = ?", (path,))

    def put_refusals(self, refusals: Sequence[Refusal]) -> None:
        """In place of all that were kept. Its own transaction, and no new generation: nothing that answers has changed."""
        with self._all_or_nothing():
            self._db.execute("DELETE FROM refusals")
            self._db.executemany("INSERT INTO refusals VALUES (?, ?)", [(refusal.path, refusal.reason) for refusal in refusals])

    def _create(self) -> None:
        """Makes the tables, all or none, in an empty file and in no other. Writers are serialised by the caller's lock."""
        if not self._tables():
            self._db.execute("PRAGMA journal_mode = WAL")
            start = {"store": uuid.uuid4().hex, "generation": "0", "indexed_at": ""}
            values = ";".join(f"INSERT INTO meta VALUES ('{name}', '{value}')" for name, value in start.items())
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {values}; PRAGMA user_version = {VERSION}; COMMIT;")

    def _upgrade(self) -> None:
        if self.version < VERSION:
            self._db.executescript(f"BEGIN IMMEDIATE; {UPGRADE} PRAGMA user_version = {VERSION}; COMMIT;")
            self.version = VERSION

    def _begin_anew(self) -> None:
        """Nothing that was made from this store so far belongs to it any more."""
        self._set_meta("store", uuid.uuid4().hex)

    def _set_meta(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _put_article(self, entry: Entry) -> int:
        article = entry.article
        row = self._db.execute("SELECT number FROM articles WHERE id = ?", (article.id,)).fetchone()
        published = article.published.isoformat() if article.published else None
        values: dict[str, object] = {
            "id": article.id, "file": entry.file, "title": article.title, "text": article.text, "author": article.author,
            "published": published, "source": article.source, "url": article.url, "path": article.path, "language": article.language,
            "sha256": article.sha256, "splitting": entry.splitting, "family": entry.family, "signature": entry.signature,
        }  # fmt: skip
        values["checksum"] = article_checksum([values[name] for name in ARTICLE_COLUMNS.split(", ")])
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
