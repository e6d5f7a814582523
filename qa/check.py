"""Whether an index is whole: everything that it promises, compared with what its files hold.

SQLite's own structure; each passage against the hash of the text that was encoded; the full text against the passages; every
vector's form, and a sample of them against the encoder; each vector file against its manifest, and its vectors against the stored
ones; the whole SQLite file against its seal, which shows what none of these can, such as another author. Changes nothing.
Mending is qa/repair.py's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from qa import checksums
from qa.database import BUSY_SECONDS, ERRORS, FILE, explain
from qa.encoder import Encoder
from qa.errors import StoreError, in_one_line
from qa.passages import embedding_text
from qa.salvage import is_unfinished
from qa.seal import is_broken
from qa.store import ARTICLE_COLUMNS, Store, article_checksum, article_from, is_as_written, is_cut_from
from qa.vector_files import faulty_files, fingerprints, manifest_path
from qa.vectors import BLOCK, VectorIndex, saved

SAMPLE = 32  # vectors that are encoded again
LEAST_COSINE = 0.99  # of a stored vector with the same text encoded now: float16 and another processor cost less
LENGTH_TOLERANCE = 0.01  # of a vector, whose length is 1

Part = Literal["file", "passages", "full text", "vectors", "faiss"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in one line, and with which part; `subject` is the article's id, the encoder's fingerprint or the file."""

    part: Part
    what: str
    subject: str = ""


def check_index(folder: Path, encoder: Encoder | None = None) -> list[Fault]:
    """All faults of the index in `folder`; none when it is whole. With an encoder, a sample of its vectors is made again.

    StoreError when there is no index, IndexBusy when it is being written all the time.
    """
    if is_unfinished(folder):
        return [Fault("file", f"a repair of {folder} was interrupted before its work was in place")]
    try:
        with Store.open_as_it_is(folder) as store, store.snapshot():
            damage = list(_structure(store))
            if damage:  # the rest would only trip over it
                return damage
            found = [*_passages(store), *_full_text(store), *_vectors(store)]
            found = found or [*_unlike_saved(store)]
            if encoder is not None and not found:
                found += _sampled(store, encoder)
            return (found or [*_seal(folder)]) + [*_faiss(store)]
    except StoreError as error:
        # SQLite's plain error, and no subclass of it, is what it says of a file with wrong bytes.
        if is_broken(folder) or type(error.__cause__) in (sqlite3.DatabaseError, UnicodeDecodeError):
            said = in_one_line(error.__cause__) if error.__cause__ else "it is no index any more"
            return [Fault("file", f"{folder / FILE} is damaged: {said}")]
        raise
    except ERRORS as error:
        if "locked" in str(error):  # by a writer, which is no fault
            raise explain(in_one_line(error), folder) from error
        return [Fault("file", f"{folder / FILE} cannot be read: {in_one_line(error)}")]


def _structure(store: Store) -> Iterator[Fault]:
    for (said,) in store.query("PRAGMA integrity_check(10)"):
        if said != "ok":
            yield Fault("file", f"{store.folder / FILE} is damaged: {said}")
    for table, *_ in store.query("PRAGMA foreign_key_check"):
        yield Fault("file", f"{store.folder / FILE} is damaged: a row of {table} belongs to nothing")


def _passages(store: Store) -> Iterator[Fault]:
    """Title and text of every passage are hashed in its key, so that a changed letter shows, and so does a moved offset."""
    for number, checksum, *row in store.query(f"SELECT number, {store.checksum}, {ARTICLE_COLUMNS} FROM articles ORDER BY number"):
        try:
            article = article_from(row)
            cut = store.query("SELECT first, last, key FROM passages WHERE article = ?", (number,))
            whole = all(0 <= first < last and is_cut_from(article.title, article.text[first:last], key) for first, last, key in cut)
        except (TypeError, ValueError):
            yield Fault("file", f"{store.folder / FILE} is damaged: row {number} of its articles is none")
            continue
        if not (whole and checksums.fits(checksum, article_checksum(row))):
            yield Fault("passages", f"article {article.id} or its passages were changed on the disk: a checksum differs", article.id)


def _full_text(store: Store) -> Iterator[Fault]:
    """FTS5 compares its index with the texts when told to by a statement that looks like writing, hence the connection of its own."""
    db = sqlite3.connect(store.folder / FILE, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error) and "unable to open" not in str(error):  # there, nobody can have changed it either
            raise
    except sqlite3.DatabaseError:
        yield Fault("full text", "the full-text index is not that of the passages")
    finally:
        if db.in_transaction:
            db.rollback()
        db.close()


def _vectors(store: Store) -> Iterator[Fault]:
    encoders = store.query("SELECT number, fingerprint, name, dimension FROM encoders ORDER BY number")
    for number, fingerprint, name, dimension in list(encoders):
        rows = store.query(f"SELECT vector, {store.checksum} FROM vectors WHERE encoder = ?", (number,))
        wrong = sum(not (_is_vector(row, dimension) and is_as_written(row, checksum)) for row, checksum in rows)
        if wrong:
            yield Fault("vectors", f"{wrong} vectors of {name} are damaged, or not of length 1 and {dimension} dimensions", fingerprint)


def _is_vector(row: bytes, dimension: int) -> bool:
    if len(row) != 2 * dimension:
        return False
    length = float(np.linalg.norm(np.frombuffer(row, dtype="<f2").astype(np.float32)))
    return abs(length - 1) <= LENGTH_TOLERANCE  # false for NaN too


def _sampled(store: Store, encoder: Encoder) -> Iterator[Fault]:
    """Passages at even distances, so that the same ones are looked at every time."""
    numbers = store.passage_numbers()
    if not len(numbers) or store.missing(encoder.fingerprint):
        return
    chosen = numbers[np.linspace(0, len(numbers) - 1, min(SAMPLE, len(numbers))).astype(int)]
    texts = [embedding_text(passage.title, passage.text) for passage in store.passages(chosen.tolist()).values()]
    cosines = np.einsum("ij,ij->i", encoder.encode_passages(texts), store.vectors(encoder.fingerprint, chosen).astype(np.float32))
    wrong = int((cosines < LEAST_COSINE).sum())
    if wrong:
        what = f"{wrong} of {len(chosen)} sampled vectors are not what {encoder.name} makes of their passages"
        yield Fault("vectors", what, encoder.fingerprint)


def _faiss(store: Store) -> Iterator[Fault]:
    """Files that are whole, but older or another index's, are not used."""
    for fingerprint in fingerprints(store.folder):
        for path in faulty_files(store.folder, fingerprint):
            yield Fault("faiss", f"{path} is damaged", str(path))


def _unlike_saved(store: Store) -> Iterator[Fault]:
    """What was saved has a checksum of its own, so when it differs, the stored vectors have changed."""
    for fingerprint in fingerprints(store.folder):
        vectors = saved(store, fingerprint)
        if vectors is not None and vectors.identity == store.identity and not _are_stored(vectors, store):
            what = f"stored vectors were changed on the disk: {manifest_path(store.folder, fingerprint).name} was made of others"
            yield Fault("vectors", what, fingerprint)


def _are_stored(vectors: VectorIndex, store: Store) -> bool:
    for part in vectors.parts:
        for at in range(0, len(part.numbers), BLOCK):
            numbers = part.numbers[at : at + BLOCK]
            try:
                stored = store.vectors(vectors.fingerprint, numbers).astype(np.float32)
            except (KeyError, ValueError):  # one is missing, or of another length
                return False
            if not np.array_equal(part.rows(numbers), stored):
                return False
    return True


def _seal(folder: Path) -> Iterator[Fault]:
    if is_broken(folder):
        yield Fault("file", f"{folder / FILE} is damaged: its bytes are not those that were written")
