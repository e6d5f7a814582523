"""Mends an index: what is derived is made anew, what was changed on the disk is read again, and of a damaged file all is saved that can be.

Works on what qa/check.py finds. Nothing that can still be read is given up: articles are taken from a damaged file one by one
into a new one, and the damaged file stays beside it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from qa.batches import UNFINISHED, BatchWriter, Progress
from qa.check import Fault, check_index
from qa.config import Config
from qa.database import FILE, connect, writing_errors
from qa.datatypes import Article
from qa.encoder import Encoder
from qa.errors import StoreError
from qa.indexer import index_paths
from qa.lock import writer_lock
from qa.store import ARTICLE_COLUMNS, article_from
from qa.store_writer import StoreWriter
from qa.vectors import refresh, saved_files

MISSES = 1000  # row numbers without a row, after which a damaged table is taken to be at its end, if the file cannot tell the last one


def repair_index(config: Config, encoder: Encoder, progress: Progress) -> list[str]:
    """Mends the index, and says in lines what was done; none: nothing had to be. StoreError when a fault is left.

    Only `encoder`'s vectors are made again where they are wrong; those of others are removed, and `qa index --encoder` adds them.
    """
    folder = config.index.path
    done = []
    if _is_damaged(folder):
        with writer_lock(folder, config.index.lock_seconds), writing_errors(folder):
            if _is_damaged(folder):  # another process may have mended it while we waited
                done.append(_salvage(config, encoder, progress))
    faults = check_index(folder, encoder)
    done += [_mend(config, fault, encoder, progress) for fault in faults]
    if faults:
        with writer_lock(folder, config.index.lock_seconds), writing_errors(folder), StoreWriter.open(folder) as store:
            with store.transaction():  # before cutting anew, which takes away the words that the text has now, not those it had
                store.rebuild_full_text()
            batches = BatchWriter(store, encoder, config.passages)
            batches.split_again(progress)
            batches.encode_missing(progress)
            refresh(store, encoder.fingerprint)
    left = check_index(folder, encoder)
    if left:
        raise StoreError(f"not all could be mended: {left[0].what} (move {folder} away and run qa index PATH… again)")
    return done


def _is_damaged(folder: Path) -> bool:
    return any(fault.part == "file" for fault in check_index(folder))


def _mend(config: Config, fault: Fault, encoder: Encoder, progress: Progress) -> str:
    """Takes away what is wrong, so that it is made anew."""
    folder = config.index.path
    if fault.part == "faiss":
        Path(fault.subject).unlink(missing_ok=True)
        return f"{Path(fault.subject).name} is made anew from the stored vectors when it is needed"
    with writer_lock(folder, config.index.lock_seconds), writing_errors(folder), StoreWriter.open(folder) as store:
        if fault.part == "full text":
            return "the full-text index was made anew"
        if fault.part == "vectors":
            with store.transaction():
                store.remove_vectors(fault.subject)
            return f"the vectors of encoder {fault.subject} were removed, and made anew if it is the configured one"
        file = (store.origin(fault.subject) or (None,))[0]
        there = file is not None and Path(file).is_file()
        with store.transaction():
            store.distrust(fault.subject, there)
            if there:
                store.put_file(str(file), UNFINISHED)
    if there:
        index_paths(config, [Path(str(file))], progress=progress, encoder=encoder)
        return f"article {fault.subject} was read again from {file}"
    return f"article {fault.subject} was cut anew as it is: its file is gone, so look at it (qa show {fault.subject})"


def _salvage(config: Config, encoder: Encoder, progress: Progress) -> str:
    """Every article that can still be read, in a new file under the old name; the damaged one gets the day in its name."""
    folder = config.index.path
    kept_as = folder / f"{FILE}.damaged-{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%S}"
    with tempfile.TemporaryDirectory(dir=folder, prefix="salvage-") as name:
        with contextlib.closing(connect(folder / FILE, readonly=True)) as damaged, StoreWriter.open(Path(name)) as fresh:
            batches = BatchWriter(fresh, encoder, config.passages)
            saved = sum(batches.add(article, file) for article, file in _readable(damaged))
            batches.settle()
            batches.encode_missing(progress)
            with contextlib.suppress(sqlite3.DatabaseError), fresh.transaction():
                for (path,) in damaged.execute("SELECT path FROM folders"):
                    fresh.put_folder(path)
        shutil.copy2(folder / FILE, kept_as)
        # What belongs to the damaged file must not be taken for the new one's.
        for leftover in [*(folder / (FILE + suffix) for suffix in ("-wal", "-shm")), *saved_files(folder)]:
            leftover.unlink(missing_ok=True)
        (Path(name) / FILE).replace(folder / FILE)
    return f"{saved} articles were saved from the damaged file, which is kept as {kept_as.name}; qa index reads again what is missing"


def _readable(damaged: sqlite3.Connection) -> Iterator[tuple[Article, str | None]]:
    """Article by article, since one that cannot be read ends a statement over all of them."""
    last = _last_number(damaged)
    number = misses = 0
    while number < last or misses < MISSES:
        number += 1
        misses += 1
        with contextlib.suppress(sqlite3.DatabaseError, ValueError, TypeError):
            row = damaged.execute(f"SELECT {ARTICLE_COLUMNS}, file FROM articles WHERE number = ?", (number,)).fetchone()
            if row is not None:
                misses = 0
                yield article_from(row[:-1]), row[-1]


def _last_number(damaged: sqlite3.Connection) -> int:
    """The highest row number that an article ever had, which SQLite keeps in a page of its own; 0 when that is damaged."""
    with contextlib.suppress(sqlite3.DatabaseError, TypeError):
        (last,) = damaged.execute("SELECT seq FROM sqlite_sequence WHERE name = 'articles'").fetchone()
        return int(last)
    return 0
