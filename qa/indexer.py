"""Articles into the index: the only writer.

Indexing is a sync. A file that looks as when it was read (qa/looks.py), or whose bytes are known, is skipped; one that changed is
read again; one that can no longer be read keeps its articles. How articles are cut, encoded and committed is in qa/batches.py, who
reads and encodes in qa/workers.py. One process writes at a time; readers go on meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from qa.articles import printable, unprintable, walk_files
from qa.batches import BatchWriter, Progress, is_gone
from qa.config import Config
from qa.cutting import article_of, splitting
from qa.database import writing_errors
from qa.datatypes import Article, IndexReport, Refusal
from qa.disk import make_folder
from qa.encoder import Encoder, load_encoder
from qa.errors import StoreError
from qa.file_bytes import Unreadable, reason
from qa.files import File, Found
from qa.lock import writer_lock
from qa.looks import Looks
from qa.storage import Writing
from qa.stores import open_store, open_writer, publish
from qa.workers import Here, Workers

Engine = Literal["local", "ray"]  # who reads and encodes: this process, or a cluster


def index_paths(
    config: Config,
    paths: Sequence[Path],
    *,
    prune: bool = False,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    engine: Engine = "local",
) -> IndexReport:
    """Brings the index in step with files and folders; without paths, with the folders of earlier runs.

    With `prune`, articles whose files are gone from these folders are removed. A path that cannot be read is a refusal.
    """
    if not paths:
        open_store(config).close()
    with _writing(config, encoder, engine) as run:
        roots = [Path(os.path.realpath(path)) for path in paths] or [_folder(name) for name in run.store.folders()]
        run.sync(roots, prune, progress or _silent)
        return run.finish(progress or _silent)


def index_articles(
    config: Config, articles: Iterable[Article], *, progress: Progress | None = None, encoder: Encoder | None = None
) -> IndexReport:
    """Adds or updates articles that come from no file (an evaluation set, say)."""
    with _writing(config, encoder) as run:
        for article in articles:
            run.batches.add(article)
        return run.finish(progress or _silent)


def add_vectors(config: Config, encoder: Encoder, *, progress: Progress | None = None, engine: Engine = "local") -> IndexReport:
    """Adds the vectors of one more encoder. Passages stay as they are cut, so that the others' vectors keep belonging to them.

    Each batch is committed by itself: a run that was interrupted goes on where it was.
    """
    open_store(config).close()
    with _writing(config, encoder, engine, cut=False) as run:
        return run.add_vectors(progress or _silent)


def remove_articles(config: Config, article_ids: Sequence[str]) -> list[str]:
    """Removes articles, all or none; returns the ids. Their files stay where they are and are not read again until they change."""
    folder = config.index.path
    open_store(config).close()
    with writer_lock(folder, config.index.lock_seconds), writing_errors(folder), contextlib.closing(open_writer(config)) as store:
        unknown = [article_id for article_id in article_ids if store.origin(article_id) is None]
        if unknown:
            raise StoreError(f"no article {', '.join(unknown)} in {folder} (see: qa list)")
        with store.transaction():
            for article_id in article_ids:
                store.remove(article_id)
    return list(article_ids)


class _Run:
    """One run of the indexer, with the lock held."""

    def __init__(self, store: Writing, batches: BatchWriter, workers: Workers, looks: Looks) -> None:
        self.store = store
        self.batches = batches
        self._workers = workers
        self._looks = looks
        self._looked_at: set[str] = set()  # names of roots and files
        self._started = time.monotonic()

    def sync(self, roots: Sequence[Path], prune: bool, progress: Progress) -> None:
        known = self.store.file_hashes()
        files: dict[str, Path] = {}
        for root in roots:
            files |= self._files(root)
        self._looked_at |= {*map(printable, roots), *files}
        for file, found in self._workers.read(self._to_read(files, known, progress)):
            self._take(file, found)
        self.batches.flush()
        if prune:
            self._prune(roots, [name for name in known if name not in files])

    def finish(self, progress: Progress) -> IndexReport:
        """Commits what is waiting, cuts and encodes what another configuration left behind, and saves the vectors."""
        self.batches.settle()
        self._keep_refusals()
        self.batches.split_again(progress)
        return self.add_vectors(progress)

    def add_vectors(self, progress: Progress) -> IndexReport:
        done = self.batches
        done.encode_missing(progress)
        publish(self.store, done.encoder.fingerprint)
        return IndexReport(
            added=tuple(done.added),
            changed=tuple(done.changed),
            unchanged=done.unchanged,
            removed=tuple(done.removed),
            refused=tuple(done.refused),
            duplicates=tuple(done.duplicates),
            passages=self.store.passage_count(),
            encoded=done.encoded,
            seconds=time.monotonic() - self._started,
        )

    def _files(self, root: Path) -> dict[str, Path]:
        """name -> path of the article files at or below a root, which is remembered if it is a folder.

        A file is known by the name of what it really is, whatever links lead there, and in characters that can be stored.
        """
        try:
            if not root.exists():
                self._refuse(root, "there is no such file or folder")
                return {}
            if root.is_dir() and printable(root) not in self.store.folders():
                with self.store.transaction():
                    self.store.put_folder(printable(root))
            return {printable(real): path for path, real in walk_files(root, self._refuse_folder)}
        except OSError as error:
            self._refuse(root, reason(error))
            return {}

    def _to_read(self, files: Mapping[str, Path], known: Mapping[str, str], progress: Progress) -> Iterator[File]:
        for done, (name, path) in enumerate(files.items()):
            progress("reading", done, len(files))
            digest = known.get(name)
            if digest and self._looks_the_same(name, path, digest):
                self.batches.unchanged += len(self.store.articles_of_file(name))
            else:
                yield File(name, path, digest)

    def _take(self, file: File, found: Found | Refusal) -> None:
        """What is in a file goes into the next batches."""
        if isinstance(found, Refusal):
            self.batches.refused.append(found)
            return
        self._looks.keep(file.name, found.look, found.digest)
        if found.items is None:
            self.batches.unchanged += len(self.store.articles_of_file(file.name))
            return
        present: set[str] = set()
        whole = True
        try:
            for item in found.items:
                if isinstance(item, Refusal):
                    self.batches.refused.append(item)
                    whole = False
                else:
                    present.add(article_of(item).id)
                    whole &= self.batches.add(item, file.name)
        except Unreadable as fault:
            self._refuse(file.path, str(fault))
            whole = False
        if whole:  # else nothing of it is given up, and it is read again next time
            self.batches.after_batch(lambda: self._file_done(file.name, found.digest, present))

    def _looks_the_same(self, name: str, path: Path, known: str) -> bool:
        try:
            return self._looks.is_unchanged(name, path.stat(), known)
        except OSError:
            return False

    def _file_done(self, file: str, digest: str, present: Collection[str]) -> None:
        self.store.put_file(file, digest)
        self.batches.remove([article_id for article_id in self.store.articles_of_file(file) if article_id not in present])

    def _prune(self, roots: Sequence[Path], missed: Sequence[str]) -> None:
        """Forgets, of the files that were not found, those below a root that are gone, with their articles; and roots that are gone."""
        gone = [file for file in missed if any(Path(file).is_relative_to(printable(root)) for root in roots) and is_gone(file)]
        folders = [printable(root) for root in roots if is_gone(root) and printable(root) in self.store.folders()]
        if gone or folders:
            with self.store.transaction():
                for file in gone:
                    self.batches.remove(list(self.store.articles_of_file(file)))
                    self.store.forget_file(file)
                    self._looks.forget(file)
                for folder in folders:
                    self.store.forget_folder(folder)

    def _keep_refusals(self) -> None:
        """What this run looked at is refused for what it says now, and what is gone no more."""
        before = self.store.refusals()
        kept = [refusal for refusal in before if self._looked_at.isdisjoint(_with_parents(_file_of(refusal)))]
        now = [refusal for refusal in kept + self.batches.refused if not is_gone(_file_of(refusal))]
        if now != before:
            self.store.put_refusals(now)

    def _refuse(self, path: Path, reason: str) -> None:
        self.batches.refused.append(Refusal(printable(path), reason))

    def _refuse_folder(self, error: OSError) -> None:
        self._refuse(Path(error.filename), reason(error))


@contextlib.contextmanager
def _writing(config: Config, encoder: Encoder | None, engine: Engine = "local", cut: bool = True) -> Iterator[_Run]:
    """A run with the lock held; without `cut`, passages stay as they are. Model and workers are looked for first: a wrong name must not
    cost a wait or make a folder."""
    encoder = encoder or load_encoder(config.embedding)
    folder = config.index.path
    with contextlib.closing(_workers(config, encoder, engine)) as workers:
        with writing_errors(folder):
            make_folder(folder)
        cutting = splitting(config.passages, encoder) if cut else ""
        with (
            writer_lock(folder, config.index.lock_seconds),
            writing_errors(folder),
            contextlib.closing(open_writer(config, lambda: encoder.fingerprint, cutting)) as store,
            Looks(folder) as looks,
        ):
            yield _Run(store, BatchWriter(store, encoder, config.passages, workers), workers, looks)


def _workers(config: Config, encoder: Encoder, engine: Engine) -> Workers:
    if engine == "ray":
        from qa.ray import connect

        return connect(config, encoder)
    return Here(config.index, encoder)


def _file_of(refusal: Refusal) -> str:
    """ "wire.jsonl:17", a row -> "wire.jsonl"."""
    return re.sub(r":\d+$", "", refusal.path) if is_gone(refusal.path) else refusal.path


def _folder(name: str) -> Path:
    """A folder by the name under which it is remembered."""
    return Path(name if os.path.lexists(name) else unprintable(name))


def _with_parents(file: str) -> set[str]:
    return {file, *map(str, Path(file).parents)}


def _silent(stage: str, done: int, total: int) -> None:
    pass
