"""Articles into the store, batch by batch: cut into passages, encoded, and committed with everything that belongs to them.

An article whose content is known is not encoded again. Each batch goes in with passages, full text and vectors in one
transaction, so that whatever happens in between, what was committed is whole. While one batch is encoded (or several, by a
cluster), the one before is committed and the next one collected; they go in in their order. Which articles there are, and which
are gone, is qa/indexer.py's business.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa import copies
from qa.articles import unprintable
from qa.config import Passages
from qa.cutting import Cut, Cutter, article_of
from qa.datatypes import Article, Passage, Refusal
from qa.encoder import Encoder, calibrate_encoder
from qa.passages import embedding_text
from qa.quantized import MOST
from qa.storage import Entry, Writing
from qa.store import text_key
from qa.workers import Encoding, OneThread

BATCH = 256  # passages encoded and committed together
STEP = 64  # the same where only vectors are added: a kill loses no more, and progress is seen
UNFINISHED = ""  # instead of the hash of a file of which not everything was committed: it is read again, and can be pruned

Progress = Callable[[str, int, int], None]
Origin = tuple[str | None, str, str]  # (file, sha256, splitting) of an article
Rows = NDArray[np.float16]  # (n, dim)
_Vectorless = list[tuple[int, Passage, bytes]]  # (article, passage, key of its text)


@dataclass
class _Batch:
    """What goes in together. `unfinished` are files of which it may hold a part only; `steps` are taken after the articles."""

    articles: list[tuple[Cut, str | None, list[Passage]]] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)  # by article id
    unfinished: set[str] = field(default_factory=set)
    steps: list[Callable[[], None]] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(passages) for _, _, passages in self.articles)

    def texts(self) -> list[str]:
        return [embedding_text(passage.title, passage.text) for _, _, passages in self.articles for passage in passages]


@dataclass(frozen=True)
class _Waiting:
    """A batch that is being encoded. `rows` waits until that is done."""

    batch: _Batch
    keys: list[bytes]  # of its passages
    rows: Callable[[], Rows]


class BatchWriter:
    """What is waiting to be committed, and what was done so far, in the words of an `IndexReport`."""

    def __init__(self, store: Writing, encoder: Encoder, settings: Passages, workers: Encoding | None = None) -> None:
        self.store = store
        self.encoder = encoder
        self.added: list[str] = []
        self.changed: list[str] = []
        self.removed: list[str] = []
        self.refused: list[Refusal] = []
        self.duplicates: list[Refusal] = []
        self.unchanged = 0
        self.encoded = 0
        self._workers = workers or OneThread(encoder)
        self._cutter = Cutter(settings, encoder)
        self._splitting = self._cutter.splitting
        self._batch = _Batch()
        self._encoding: deque[_Waiting] = deque()  # oldest first
        self._clashing: list[tuple[Article | Cut, str | None]] = []

    def add(self, item: Article | Cut, file: str | None = None) -> bool:
        """Puts an article into the batch unless the store has it as it is. False: not yet, or never.

        An id that another file has is looked at again in `settle`: that file may give it up in the same run.
        """
        article = article_of(item)
        if not _is_text(article.id + article.title + article.text):
            self.refused.append(Refusal(file or article.id, "it has a NUL or half a character in it"))
            return False
        origin = self._origin(article)
        if origin is None:
            self.added.append(article.id)
        elif _is_elsewhere(origin[0], file):
            self._clashing.append((item, file))
            return False
        elif origin == (file, article.sha256, self._splitting):
            self.unchanged += 1
            return True
        else:
            self.changed.append(article.id)
        if file is not None:
            self._batch.unfinished.add(file)
        self._queue(item, file)
        return True

    def after_batch(self, step: Callable[[], None]) -> None:
        """Something to be written in the same transaction as what is waiting now."""
        self._batch.steps.append(step)
        self._hand_over(BATCH)

    def remove(self, article_ids: Sequence[str]) -> None:
        """Inside a transaction."""
        for article_id in article_ids:
            self.store.remove(article_id)
        self.removed += article_ids

    def settle(self) -> None:
        """Commits what is waiting, then adds or refuses the articles whose id another file had."""
        self.flush()
        clashing, self._clashing = self._clashing, []
        for item, file in clashing:
            article = article_of(item)
            origin = self._origin(article)
            if origin and _is_elsewhere(origin[0], file):
                self.refused.append(Refusal(file or article.id, f"its id {article.id!r} is already used by {origin[0]}"))
            else:
                self.add(item, file)
        self.flush()

    def split_again(self, progress: Progress) -> None:
        """Cuts articles that were cut for another passage size or tokenizer, from their stored text."""
        others = self.store.split_otherwise(self._splitting)
        for done, article_id in enumerate(others):
            progress("splitting", done, len(others))
            article, origin = self.store.article(article_id), self.store.origin(article_id)
            if article and origin:
                self._queue(article, origin[0])
        self.flush()

    def encode_missing(self, progress: Progress) -> None:
        """Adds vectors of this encoder for passages that only others have encoded so far."""
        self._calibrate([])
        fingerprint = self.encoder.fingerprint
        total = self.store.missing(fingerprint)
        done = last = 0
        encoding: deque[tuple[_Vectorless, Callable[[], Rows]]] = deque()  # oldest first
        while rows := self.store.without_vectors(fingerprint, min(BATCH, STEP), last):
            progress("encoding", done, total)
            texts = [embedding_text(passage.title, passage.text) for _, passage, _ in rows]
            encoding.append((rows, self._encoded([key for _, _, key in rows], texts)))
            if len(encoding) == self._workers.at_once:
                self._put_vectors(*encoding.popleft())
            done, last = done + len(rows), rows[-1][1].number
        while encoding:
            self._put_vectors(*encoding.popleft())

    def flush(self) -> None:
        """Encodes and commits what is waiting."""
        self._hand_over()
        while self._encoding:
            self._commit(self._encoding.popleft())

    def _hand_over(self, least: int = 0) -> None:
        """Has the batch encoded once it has `least` passages, and meanwhile commits the oldest if there are as many as may be."""
        if len(self._batch) < least or not (self._batch.articles or self._batch.steps):
            return
        texts = self._batch.texts()
        keys = [text_key(text) for text in texts]
        self._calibrate(texts)
        oldest = self._encoding.popleft() if len(self._encoding) == self._workers.at_once else None
        if oldest:
            oldest.rows()
        self._encoding.append(_Waiting(self._batch, keys, self._encoded(keys, texts)))
        self._batch = _Batch()
        if oldest:
            self._commit(oldest)

    def _put_vectors(self, rows: _Vectorless, encoded: Callable[[], Rows]) -> None:
        found = encoded()
        with self.store.transaction(articles=False):
            self.store.add_encoder(self.encoder.fingerprint, self.encoder.name, found.shape[1])
            self.store.put_vectors(self.encoder.fingerprint, rows, found)

    def _commit(self, encoding: _Waiting) -> None:
        batch, keys, rows = encoding.batch, encoding.keys, encoding.rows()
        with self.store.transaction():
            for name in batch.unfinished:  # until a step says otherwise: a kill in between must not leave an article without its file
                self.store.put_file(name, UNFINISHED)
            at = 0
            for cut, file, passages in batch.articles:
                here = slice(at, at := at + len(passages))
                self._put(cut.article, file, passages, keys[here], rows[here], cut.signature)
            for step in batch.steps:
                step()

    def _calibrate(self, texts: Sequence[str]) -> None:
        """On the first passages of the index, and on those that come into it now."""
        stored = self.store.without_vectors  # no encoder has an empty fingerprint
        calibrate_encoder(self.encoder, lambda: [*(embedding_text(p.title, p.text) for _, p, _ in stored("", MOST)), *texts])

    def _origin(self, article: Article) -> Origin | None:
        waiting = [self._batch, *(encoding.batch for encoding in reversed(self._encoding))]
        return next((batch.origins[article.id] for batch in waiting if article.id in batch.origins), None) or self.store.origin(article.id)

    def _queue(self, item: Article | Cut, file: str | None) -> None:
        cut = self._cutter.cut(item)
        self._batch.articles.append((cut, file, cut.passages()))
        self._batch.origins[cut.article.id] = (file, cut.article.sha256, self._splitting)
        self._hand_over(BATCH)

    def _put(
        self, article: Article, file: str | None, passages: list[Passage], keys: list[bytes], rows: NDArray[np.float16], sketch: bytes
    ) -> None:
        bands = copies.bands(sketch)
        others = [other for other in self.store.signatures(bands) if other[0] != article.id]
        family = copies.family_of(article, sketch, others)
        self._report_duplicate(article, [other for other, _, same in others if same == sketch])
        if len(rows):
            self.store.add_encoder(self.encoder.fingerprint, self.encoder.name, rows.shape[1])
        self.store.put(
            Entry(article, file, tuple(passages), tuple(keys), rows, self._splitting, family, sketch, bands), self.encoder.fingerprint
        )

    def _report_duplicate(self, article: Article, suspects: Sequence[str]) -> None:
        for first in filter(None, map(self.store.article, suspects)):
            if first.text == article.text:
                self.duplicates.append(Refusal(article.path or article.id, f"has the same text as {first.path or first.id}"))
                return

    def _encoded(self, keys: Sequence[bytes], texts: Sequence[str]) -> Callable[[], Rows]:
        """Begins to get a vector for each key: known ones from the store, the others encoded, each text once. What comes back waits."""
        known = self.store.known_vectors(self.encoder.fingerprint, keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        self.encoded += len(new)
        encoded = self._workers.encode(list(new.values())) if new else None

        def rows() -> Rows:
            if encoded:
                known.update(zip(new, encoded().astype(np.float16), strict=True))
            return np.stack([known[key] for key in keys]) if keys else np.empty((0, 0), np.float16)

        return rows


def is_gone(file: str | Path) -> bool:
    """Not there; what cannot be looked at may well be. A name is as it is, or as it was made printable."""
    for name in {str(file), unprintable(str(file))}:
        try:
            os.lstat(name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return False
        return False
    return True


def _is_elsewhere(owner: str | None, file: str | None) -> bool:
    """Whether an article of `owner` is not `file`'s to change: another file has it, and is still there."""
    return owner is not None and owner != file and (file is None or not is_gone(owner))


def _is_text(text: str) -> bool:
    """Whether SQLite can keep it: no NUL, no lone surrogate."""
    return "\0" not in text and text == text.encode("utf-8", "replace").decode()
