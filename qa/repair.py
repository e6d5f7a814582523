"""Mends an index: what is derived is made anew, what was changed on the disk is read again, and of a damaged file all is saved that can be.

Works on what qa/check.py finds. Nothing that can still be read is given up: articles are taken from a damaged file one by one
into a new one, and the damaged file stays beside it. A repair that was killed is taken up by the next.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from qa import checksums, seal
from qa.batches import UNFINISHED, BatchWriter, Progress
from qa.check import Fault, check_index
from qa.config import Config
from qa.cutting import splitting
from qa.database import ERRORS, FILE, connect, explain, log_size, writing_errors
from qa.datatypes import Article
from qa.disk import sync_file, sync_folder
from qa.encoder import Encoder
from qa.errors import StoreError
from qa.indexer import index_paths
from qa.lock import writer_lock
from qa.passages import embedding_text
from qa.salvage import SALVAGE, SAVED, finish_salvage, is_unfinished
from qa.store import ARTICLE_COLUMNS, Store, article_checksum, article_from, text_key
from qa.store_writer import StoreWriter
from qa.vectors import refresh

MISSES = 1000  # row numbers without a row, after which a damaged table is taken to be at its end, if the file cannot tell the last one
PAGE = 4096  # bytes
NUMBERS_OF_PAGES = slice(28, 40)  # in the first page: all of them, and which are free; zero: look for yourself, and none


def repair_index(config: Config, encoder: Encoder, progress: Progress) -> list[str]:
    """Mends the index, and says in lines what was done; none: nothing had to be. StoreError when a fault is left.

    Only `encoder`'s vectors are made again where they are wrong; those of others are removed, and `qa index --encoder` adds them.
    """
    folder = config.index.path
    done = []
    if is_unfinished(folder):
        with writer_lock(folder, config.index.lock_seconds):
            done.append("an interrupted repair was brought to its end")
    if _is_damaged(folder):
        with writer_lock(folder, config.index.lock_seconds), writing_errors(folder):
            if _is_damaged(folder):  # another process may have mended it while we waited
                done.append(_salvage(config, encoder, progress))
    faults = check_index(folder, encoder)
    if faults and seal.is_broken(folder):
        done.append(_doubt_all(config))
    done += [_mend(config, fault, encoder, progress) for fault in faults]
    if done or _is_left_to_do(config, encoder):
        done += _make_anew(config, encoder, progress, told=not done)
    left = check_index(folder, encoder)
    if left:
        raise StoreError(f"not all could be mended: {left[0].what} (move {folder} away and run qa index PATH… again)")
    return done


def _is_damaged(folder: Path) -> bool:
    return any(fault.part == "file" for fault in check_index(folder))


def _doubt_all(config: Config) -> str:
    """What is wrong is known; but where some bytes have changed, others may have, such as an author's name, that nothing else tells."""
    folder = config.index.path
    with writer_lock(folder, config.index.lock_seconds), writing_errors(folder):
        seal.unseal(folder)
        with StoreWriter.open(folder) as store, store.transaction():
            for file in filter(_is_there, store.file_hashes()):
                store.put_file(file, UNFINISHED)
                for article_id in store.articles_of_file(file):
                    store.read_again(article_id)
    return "the next qa index reads all files again, since the index was changed on the disk"


def _is_left_to_do(config: Config, encoder: Encoder) -> bool:
    """Whether a repair was killed after it had taken away what was wrong."""
    with Store.open(config.index.path) as store:
        return bool(store.missing(encoder.fingerprint) or store.split_otherwise(splitting(config.passages, encoder)))


def _make_anew(config: Config, encoder: Encoder, progress: Progress, told: bool) -> list[str]:
    folder = config.index.path
    with writer_lock(folder, config.index.lock_seconds), writing_errors(folder), StoreWriter.open(folder) as store:
        with store.transaction():  # before cutting anew, which takes away the words that the text has now, not those it had
            store.rebuild_full_text()
        batches = BatchWriter(store, encoder, config.passages)
        batches.split_again(progress)
        batches.encode_missing(progress)
        refresh(store, encoder.fingerprint)
    return [f"what {encoder.name} had not encoded was added"] if told else []


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
            return _without_vectors(store, fault.subject)
        file = (store.origin(fault.subject) or (None,))[0]
        there = _is_there(file)
        with store.transaction():
            store.cut_again(fault.subject)
            if there:
                store.read_again(fault.subject)
                store.put_file(str(file), UNFINISHED)
    if there:
        index_paths(config, [Path(str(file))], progress=progress, encoder=encoder)
        return f"article {fault.subject} was read again from {file}"
    return f"article {fault.subject} was cut anew as it is: its file is gone, so look at it (qa show {fault.subject})"


def _without_vectors(store: StoreWriter, fingerprint: str) -> str:
    """Those that are told to be damaged; where none is, all: no single one is known to be right."""
    with store.transaction():
        damaged = store.remove_damaged_vectors(fingerprint)
        if not damaged:
            store.remove_encoder(fingerprint)
    gone = f"{damaged} damaged vector{'s' * (damaged > 1)} of encoder {fingerprint}" if damaged else f"the vectors of encoder {fingerprint}"
    return f"{gone} {'was' if damaged == 1 else 'were'} removed, and made anew if it is the configured one"


def _salvage(config: Config, encoder: Encoder, progress: Progress) -> str:
    """Every article that can still be read, in a new file under the old name; the damaged one gets the day in its name.

    What has a file will be taken for changed when that is read again, for nothing in a damaged file is certain.
    """
    folder = config.index.path
    kept_as = _free_name(folder, f"{FILE}.damaged-{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%S}")
    with tempfile.TemporaryDirectory(dir=folder, prefix=SALVAGE, ignore_cleanup_errors=True) as name:
        place = Path(name)
        with StoreWriter.open(place) as fresh, contextlib.closing(_opened(folder, place)) as damaged:
            batches = BatchWriter(fresh, encoder, config.passages)
            found = [(article.id, file, whole) for article, file, whole in _readable(damaged) if batches.add(article, file)]
            batches.settle()
            batches.encode_missing(progress)
            with fresh.transaction():
                for article_id, file, _ in found:
                    if _is_there(file):
                        fresh.read_again(article_id)
                with contextlib.suppress(*ERRORS):
                    for (path,) in damaged.execute("SELECT path FROM folders"):
                        fresh.put_folder(path)
        if log_size(place):  # it could not be folded back into the file, which alone is kept
            raise explain("disk full", folder)
        sync_file(place / FILE)
        _keep(folder, kept_as)
        (place / FILE).replace(folder / SAVED)
        sync_folder(folder)
    finish_salvage(folder)
    doubtful = [article_id for article_id, file, whole in found if not whole and not _is_there(file)]
    look = f"; look at {', '.join(doubtful)}, which may have changed" if doubtful else ""
    return f"{len(found)} articles were saved from the damaged file, which is kept as {kept_as}; qa index reads their files again{look}"


def _free_name(folder: Path, name: str) -> str:
    """Clocks go backwards, and two repairs may come in one second: what an earlier one kept is not overwritten."""
    names = [name, *(f"{name}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (folder / name).exists())


def _keep(folder: Path, name: str) -> None:
    """A copy of the damaged file, with the log that belongs to it."""
    shutil.copy2(folder / FILE, folder / name)
    if log_size(folder):
        shutil.copy2(folder / f"{FILE}-wal", folder / f"{name}-wal")


def _opened(folder: Path, place: Path) -> sqlite3.Connection:
    """The damaged file. Where its first page is gone, a copy with that of a new file: tables are made in one order, so they begin alike."""
    try:
        return connect(folder / FILE, readonly=True)
    except ERRORS:
        _keep(folder, f"{place.name}/copy")
        StoreWriter.open(place / "empty").close()
        with (place / "empty" / FILE).open("rb") as new, (place / "copy").open("rb+") as copy:
            page = bytearray(new.read(PAGE))
            page[NUMBERS_OF_PAGES] = bytes(12)
            copy.write(page)
        try:
            return connect(place / "copy", readonly=True)
        except ERRORS:  # nothing of it is left
            return connect(place / "empty" / FILE, readonly=True)


def _readable(damaged: sqlite3.Connection) -> Iterator[tuple[Article, str | None, bool]]:
    """(article, file, whether it is as it was), one by one: one that cannot be read ends a statement over all of them."""
    last = _last_number(damaged)
    number = misses = 0
    while number < last or misses < MISSES:
        number += 1
        misses += 1
        with contextlib.suppress(sqlite3.DatabaseError, ValueError, TypeError):
            row = damaged.execute(f"SELECT {ARTICLE_COLUMNS}, file FROM articles WHERE number = ?", (number,)).fetchone()
            if row is not None:
                misses = 0
                article = article_from(row[:-1])
                fits = checksums.fits(_checksum(damaged, number), article_checksum(row[:-1]))
                yield article, row[-1], fits and _is_whole(damaged, number, article)


def _checksum(damaged: sqlite3.Connection, number: int) -> int | None:
    with contextlib.suppress(sqlite3.DatabaseError):  # an earlier version has no such column
        (found,) = damaged.execute("SELECT checksum FROM articles WHERE number = ?", (number,)).fetchone()
        return None if found is None else int(found)
    return None


def _is_whole(damaged: sqlite3.Connection, number: int, article: Article) -> bool:
    """Whether its passages are."""
    try:
        rows = damaged.execute("SELECT first, last, key FROM passages WHERE article = ?", (number,)).fetchall()
        return all(key == text_key(embedding_text(article.title, article.text[first:last])) for first, last, key in rows)
    except (*ERRORS, TypeError):
        return False


def _is_there(file: str | None) -> bool:
    return file is not None and Path(file).is_file()


def _last_number(damaged: sqlite3.Connection) -> int:
    """The highest row number that an article ever had, which SQLite keeps in a page of its own; 0 when that is damaged."""
    with contextlib.suppress(*ERRORS, TypeError):
        (last,) = damaged.execute("SELECT seq FROM sqlite_sequence WHERE name = 'articles'").fetchone()
        return int(last)
    return 0
