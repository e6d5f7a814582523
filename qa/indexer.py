"""Articles into the index: the only writer.

Indexing is a sync. A file whose bytes are known is skipped, an article whose content is known is not encoded again, and
each batch of articles goes in with its passages, full text and vectors in one transaction, so that whatever happens in
between, what was committed is whole. One process writes at a time; readers go on meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa import copies, vectors
from qa.articles import READER_VERSION, find_files, read_file
from qa.config import Config
from qa.database import store_errors
from qa.datatypes import Article, IndexReport, Passage, Refusal
from qa.encoder import Encoder, load_encoder
from qa.errors import IndexBusy, StoreError
from qa.passages import Splitter, embedding_text
from qa.store import Store, text_key
from qa.store_writer import Entry, StoreWriter

BATCH = 256  # passages encoded and committed together
LOCK, HOLDER = "writer.lock", "writer.json"

Progress = Callable[[str, int, int], None]


def index_paths(
    config: Config, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None, encoder: Encoder | None = None
) -> IndexReport:
    """Brings the index in step with files and folders; without paths, with those of earlier runs.

    With `prune`, articles whose files are gone from these folders are removed. A path that cannot be read is a refusal.
    """
    with _writing(config, encoder) as indexer:
        roots = [path.absolute() for path in paths] or [Path(path) for path in indexer.store.folders()]
        indexer.sync(roots, prune, progress or _silent)
        return indexer.finish(progress or _silent)


def index_articles(
    config: Config, articles: Iterable[Article], *, progress: Progress | None = None, encoder: Encoder | None = None
) -> IndexReport:
    """Adds or updates articles that come from no file (an evaluation set, say)."""
    with _writing(config, encoder) as indexer:
        for article in articles:
            indexer.add(article)
        return indexer.finish(progress or _silent)


def remove_articles(config: Config, article_ids: Sequence[str]) -> list[str]:
    """Removes articles, all or none; returns the ids. Their files stay where they are and are not read again until they change."""
    folder = config.index.path
    Store.open(folder).close()
    with _lock(folder, config.index.lock_seconds), store_errors(folder), StoreWriter.open(folder) as store:
        unknown = [article_id for article_id in article_ids if store.origin(article_id) is None]
        if unknown:
            raise StoreError(f"no article {', '.join(unknown)} in {folder} (see: qa list)")
        with store.transaction():
            for article_id in article_ids:
                store.remove(article_id)
    return list(article_ids)


@dataclass
class _Indexer:
    """One run: the open store, the encoder, the batch that is waiting, and what was done so far."""

    store: StoreWriter
    encoder: Encoder
    splitter: Splitter
    splitting: str
    largest_file: int
    started: float = field(default_factory=time.monotonic)
    batch: list[tuple[Article, str | None, list[Passage]]] = field(default_factory=list)
    waiting: dict[str, tuple[str | None, str, str]] = field(default_factory=dict)
    after_batch: list[Callable[[], None]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    duplicates: list[Refusal] = field(default_factory=list)
    unchanged: int = 0
    encoded: int = 0

    def sync(self, roots: Sequence[Path], prune: bool, progress: Progress) -> None:
        known = self.store.file_hashes()
        files: dict[str, None] = {}
        for root in roots:
            if root.exists():
                self._remember(root)
                files.update(dict.fromkeys(str(path) for path in find_files(root)))
            else:
                self.refused.append(Refusal(str(root), "there is no such file or folder"))
        for done, path in enumerate(files):
            progress("reading", done, len(files))
            self._sync_file(Path(path), known.get(path))
        self._flush()
        if prune:
            self._prune(roots, known, files)

    def add(self, article: Article, file: str | None = None) -> None:
        """Puts an article into the batch unless the store has it as it is."""
        origin = self.waiting.get(article.id) or self.store.origin(article.id)
        if origin is None:
            self.added.append(article.id)
        elif origin[0] != file and origin[0] is not None and (file is None or Path(origin[0]).exists()):
            self.refused.append(Refusal(file or article.id, f"its id {article.id!r} is already used by {origin[0]}"))
            return
        elif tuple(origin) == (file, article.sha256, self.splitting):
            self.unchanged += 1
            return
        else:
            self.changed.append(article.id)
        self._queue(article, file)

    def finish(self, progress: Progress) -> IndexReport:
        """Commits what is waiting, cuts and encodes what another configuration left behind, and saves the vectors."""
        self._flush()
        self._split_again(progress)
        self._encode_missing(progress)
        vectors.refresh(self.store, self.encoder.fingerprint)
        return IndexReport(
            added=tuple(self.added),
            changed=tuple(self.changed),
            unchanged=self.unchanged,
            removed=tuple(self.removed),
            refused=tuple(self.refused),
            duplicates=tuple(self.duplicates),
            passages=int(self.store.passage_numbers().size),
            encoded=self.encoded,
            seconds=time.monotonic() - self.started,
        )

    def _remember(self, root: Path) -> None:
        if root.is_dir() and str(root) not in self.store.folders():
            with self.store.transaction():
                self.store.put_folder(str(root))

    def _sync_file(self, path: Path, known: str | None) -> None:
        data = self._read(path)
        if data is None:
            return
        digest = hashlib.sha256(data + f"reader {READER_VERSION}".encode()).hexdigest()
        before = self.store.articles_of_file(str(path))
        if digest == known:
            self.unchanged += len(before)
            return
        items = read_file(path, data)
        articles = [item for item in items if isinstance(item, Article)]
        refusals = [item for item in items if isinstance(item, Refusal)]
        self.refused += refusals
        for article in articles:
            self.add(article, str(path))
        if not refusals:  # else nothing of the file is given up, and it is read again next time
            gone = [article_id for article_id in before if article_id not in {article.id for article in articles}]
            self.after_batch.append(lambda: self._file_done(str(path), digest, gone))
        self._flush(BATCH)

    def _read(self, path: Path) -> bytes | None:
        try:
            size = path.stat().st_size
            if not path.is_file():
                reason = "it is not a regular file"
            elif size > self.largest_file:
                reason = f"it has {size >> 20} MiB, more than index.max_file_mb = {self.largest_file >> 20}"
            else:
                return path.read_bytes()
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or error}"
        self.refused.append(Refusal(str(path), reason))
        return None

    def _file_done(self, path: str, digest: str, gone: Sequence[str]) -> None:
        self.store.put_file(path, digest)
        self._remove(gone)

    def _prune(self, roots: Sequence[Path], known: dict[str, str], found: dict[str, None]) -> None:
        """Forgets the files that were under a root and are not there any more, with their articles."""
        gone = [path for path in known if path not in found and any(Path(path).is_relative_to(root) for root in roots)]
        if gone:
            with self.store.transaction():
                for path in gone:
                    self._remove(list(self.store.articles_of_file(path)))
                    self.store.forget_file(path)

    def _remove(self, article_ids: Sequence[str]) -> None:
        for article_id in article_ids:
            self.store.remove(article_id)
        self.removed += article_ids

    def _queue(self, article: Article, file: str | None) -> None:
        self.batch.append((article, file, self.splitter.split(article)))
        self.waiting[article.id] = (file, article.sha256, self.splitting)
        self._flush(BATCH)

    def _flush(self, least: int = 0) -> None:
        """Encodes and commits the batch once it has `least` passages."""
        if sum(len(passages) for _, _, passages in self.batch) < least or not (self.batch or self.after_batch):
            return
        texts = [embedding_text(passage.title, passage.text) for _, _, passages in self.batch for passage in passages]
        keys = [text_key(text) for text in texts]
        rows = self._vectors(keys, texts)
        sketches = [copies.signature(article.text) for article, _, _ in self.batch]
        with self.store.transaction():
            at = 0
            for (article, file, passages), sketch in zip(self.batch, sketches, strict=True):
                here = slice(at, at := at + len(passages))
                self._put(article, file, passages, keys[here], rows[here], sketch)
            for step in self.after_batch:
                step()
        self.batch, self.waiting, self.after_batch = [], {}, []

    def _put(
        self, article: Article, file: str | None, passages: list[Passage], keys: list[bytes], rows: NDArray[np.float16], sketch: bytes
    ) -> None:
        bands = copies.bands(sketch)
        family = copies.family_of(article, sketch, self.store.signatures(bands))
        if family != article.id:
            self._report_duplicate(article, family)
        if len(rows):
            self.store.add_encoder(self.encoder.fingerprint, self.encoder.name, rows.shape[1])
        self.store.put(
            Entry(article, file, tuple(passages), tuple(keys), rows, self.splitting, family, sketch, bands), self.encoder.fingerprint
        )

    def _report_duplicate(self, article: Article, family: str) -> None:
        first = self.store.article(family)
        if first is not None and first.text == article.text:
            self.duplicates.append(Refusal(article.path or article.id, f"has the same text as {first.path or first.id}"))

    def _vectors(self, keys: Sequence[bytes], texts: Sequence[str]) -> NDArray[np.float16]:
        """float16 (n, dim): known ones from the store, the others encoded, each text once."""
        known = self.store.known_vectors(self.encoder.fingerprint, keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            rows = self.encoder.encode_passages(list(new.values())).astype(np.float16)
            known.update(zip(new, rows, strict=True))
            self.encoded += len(new)
        return np.stack([known[key] for key in keys]) if keys else np.empty((0, 0), np.float16)

    def _split_again(self, progress: Progress) -> None:
        """Articles that were cut for another passage size or tokenizer, from their stored text."""
        others = self.store.split_otherwise(self.splitting)
        for done, article_id in enumerate(others):
            progress("splitting", done, len(others))
            article, origin = self.store.article(article_id), self.store.origin(article_id)
            if article and origin:
                self._queue(article, origin[0])
        self._flush()

    def _encode_missing(self, progress: Progress) -> None:
        """Vectors of this encoder for passages that only others have encoded so far."""
        fingerprint = self.encoder.fingerprint
        total = self.store.missing(fingerprint)
        done = 0
        while rows := self.store.without_vectors(fingerprint, BATCH):
            progress("encoding", done, total)
            found = self._vectors([key for _, _, key in rows], [embedding_text(p.title, p.text) for _, p, _ in rows])
            with self.store.transaction():
                self.store.add_encoder(fingerprint, self.encoder.name, found.shape[1])
                self.store.put_vectors(fingerprint, [(article, key) for article, _, key in rows], found)
            done += len(rows)


@contextlib.contextmanager
def _writing(config: Config, encoder: Encoder | None) -> Iterator[_Indexer]:
    """A run with the lock held. The model is looked up first: a wrong name must not cost a wait or make a folder."""
    encoder = encoder or load_encoder(config.embedding)
    settings = config.passages
    splitter = Splitter(encoder.token_offsets, settings.size, settings.overlap, encoder.max_tokens)
    folder = config.index.path
    with store_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder, config.index.lock_seconds), store_errors(folder), StoreWriter.open(folder) as store:
        yield _Indexer(store, encoder, splitter, _splitting(config, encoder), config.index.max_file_mb << 20)


def _splitting(config: Config, encoder: Encoder) -> str:
    """Stands for everything that decides where passages begin and end; the tokenizer by what it makes of a probe."""
    probe = "The encoder's own tokens: naïve Größe, 1,234.5 – 東京 antidisestablishmentarianism"
    parts = (config.passages.size, config.passages.overlap, encoder.max_tokens, encoder.token_offsets(probe))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _lock(folder: Path, seconds: float) -> Iterator[None]:
    """Only one process writes. The operating system drops the lock of one that died."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise IndexBusy(f"{_holder(folder)} is writing the index in {folder} (wait for it, or stop it, and try again)") from None
    except OSError as error:
        raise StoreError(
            f"the index in {folder} cannot be written: {error.strerror or error} (make it writable, or give --index)"
        ) from None
    try:
        with contextlib.suppress(OSError):
            (folder / HOLDER).write_text(json.dumps({"pid": os.getpid(), "since": time.strftime("%H:%M:%S")}))
            for leftover in folder.glob("*.tmp"):
                leftover.unlink(missing_ok=True)
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER).read_text())
        return f"process {holder['pid']} (since {holder['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"


def _silent(stage: str, done: int, total: int) -> None:
    pass
