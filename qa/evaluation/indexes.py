"""Indexes of evaluation sets: one folder for each corpus, encoder and way of cutting, built once and reused by every run.

They stand beside the user's own index, under `eval/`, so that comparing two models builds two and touches neither. Vectors of
passages that any index there already has are borrowed from it. A record keeps what building cost, for runs that find it done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from qa.config import Config, Passages
from qa.database import FILE
from qa.datatypes import Article
from qa.encoder import Encoder, Vectors
from qa.errors import StoreError
from qa.evaluation.datasets import Dataset
from qa.evaluation.files import Progress, read_json, silent, write_json
from qa.indexer import index_articles
from qa.store import Store, text_key
from qa.terminal import say

RECORD = "evaluation.json"


def eval_folder(config: Config) -> Path:
    """Where evaluation keeps its indexes and runs: `index/default` -> `index/eval`."""
    return config.index.path.parent / "eval"


def index_key(corpus_sha256: str, passages: Passages, fingerprint: str) -> str:
    """Equal keys mean equal passages and vectors."""
    parts = (corpus_sha256, fingerprint, passages.model_dump_json())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def prepare_index(dataset: Dataset, config: Config, encoder: Encoder, progress: Progress = silent) -> tuple[Config, dict[str, Any]]:
    """The configuration with a complete index of the set's articles, and what that index cost: seconds, passages, encoded.

    An interrupted build goes on where it was. A second process that wants the same index waits for the first.
    """
    folder = eval_folder(config) / index_key(dataset.corpus_sha256, config.passages, encoder.fingerprint)
    lender = BorrowingEncoder(encoder, [path for path in _stores(config) if path != folder])
    config = config.replace("index.path", folder)
    encoder.encode_questions(["warm up"])  # loading the model is no part of what an index costs
    with _alone(folder):
        report = index_articles(config, _told(dataset.articles, progress), progress=progress, encoder=lender)
        record = read_json(folder / RECORD)
        if report.encoded:
            record["seconds"] = record.get("seconds", 0.0) + report.seconds
            record["encoded"] = record.get("encoded", 0) + lender.encoded
        record |= {"dataset": dataset.name, "passages": report.passages}
        write_json(folder / RECORD, record)
    return config, record


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process builds an index; whoever has to wait for it is told."""
    lock = FileLock(folder / "evaluation.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        say("another run is building this index; waiting")
        lock.acquire()
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror} (give another place with --index)") from None
    try:
        yield
    finally:
        lock.release()


class BorrowingEncoder:
    """An encoder that first looks whether another index has the vector. `encoded` counts the texts that it had to encode."""

    def __init__(self, encoder: Encoder, folders: Sequence[Path]) -> None:
        self.name, self.fingerprint, self.max_tokens = encoder.name, encoder.fingerprint, encoder.max_tokens
        self.token_offsets, self.encode_questions = encoder.token_offsets, encoder.encode_questions
        self.encoded = 0
        self._encoder, self._folders = encoder, folders

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        known = self._borrowed({text_key(text) for text in texts})
        new = list(dict.fromkeys(text for text in texts if text_key(text) not in known))
        if new:
            known |= {text_key(text): row for text, row in zip(new, self._encoder.encode_passages(new))}
            self.encoded += len(new)
        return np.stack([known[text_key(text)] for text in texts]).astype(np.float32)

    def _borrowed(self, keys: set[bytes]) -> dict[bytes, Any]:
        known: dict[bytes, Any] = {}
        for folder in self._folders:
            if len(known) == len(keys):
                break
            try:
                with Store.open(folder) as store:
                    known |= store.known_vectors(self.fingerprint, keys - known.keys())
            except StoreError:  # damaged, or of another version: then it lends nothing
                continue
        return known


class RememberingEncoder:
    """An encoder that, from `remember` on, encodes no text twice: readers ask for the same sentences again and again."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.fingerprint, self.max_tokens = encoder.name, encoder.fingerprint, encoder.max_tokens
        self.token_offsets, self.encode_questions = encoder.token_offsets, encoder.encode_questions
        self._encoder = encoder
        self._known: dict[str, Any] | None = None

    def remember(self) -> None:
        self._known = {}

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        known = self._known
        if known is None or not texts:
            return self._encoder.encode_passages(texts)
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known.update(zip(new, self._encoder.encode_passages(new)))
        return np.stack([known[text] for text in texts])


def _stores(config: Config) -> list[Path]:
    """The user's index and those of earlier runs."""
    folders = [config.index.path, *sorted(eval_folder(config).glob("*"))]
    return [folder for folder in folders if (folder / FILE).is_file()]


def _told(articles: Sequence[Article], progress: Progress) -> Iterator[Article]:
    for number, article in enumerate(articles):
        progress("indexing", number, len(articles))
        yield article
    progress("indexing", len(articles), len(articles))
