"""What indexing and answering need from a store, whichever engine it runs on; qa/stores.py chooses one.

Two fulfil it: SQLite with FAISS in a folder (qa/store.py, qa/store_writer.py, qa/local.py) and Milvus on a server (qa/milvus/).
Passage numbers are the store's own, mean nothing elsewhere, and are not used twice for different passages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Article, ArticleSummary, Filters, Passage, Refusal

Scored = list[tuple[int, float]]  # (passage number, score), best first


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


class Reading(Protocol):
    """An open index, to be read; safe to use from several threads."""

    folder: Path  # of what belongs to the index on this machine: lock, feedback, uploads

    @property
    def where(self) -> str:
        """The place of the index, in messages."""

    @property
    def is_current(self) -> bool:
        """Whether what was opened is still there (and not removed or replaced since)."""

    @property
    def identity(self) -> tuple[str, int]:
        """(id of this store, generation): equal identities have equal content."""

    def close(self) -> None: ...

    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read inside belongs together, whatever is written meanwhile."""

    def info(self) -> dict[str, object]: ...
    def article(self, article_id: str) -> Article | None: ...
    def summaries(self) -> list[ArticleSummary]: ...
    def refusals(self) -> list[Refusal]: ...
    def families(self, article_ids: Iterable[str]) -> dict[str, tuple[str, ...]]: ...
    def count(self, filters: Filters) -> tuple[int, int]: ...
    def passage_count(self) -> int: ...
    def passages(self, numbers: Iterable[int]) -> Mapping[int, Passage]: ...
    def places(self, numbers: Iterable[int]) -> Mapping[int, tuple[str, int]]: ...
    def missing(self, fingerprint: str) -> int: ...


class Moment(Protocol):
    """One encoder's passages as they can be searched now."""

    def nearest(self, vector: NDArray[np.float32], k: int, filters: Filters) -> Scored:
        """By cosine to `vector` (dim,), among those that the filters let through."""

    def cosines(self, vector: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        """passage number -> its cosine, for those that are there."""

    def with_words(self, words: Sequence[str], k: int, filters: Filters) -> Scored:
        """By BM25 for any of these words, in the title or the text; scores are positive, higher is better."""


class Searcher(Protocol):
    """Searches a store for one encoder. Safe to use from several threads."""

    def now(self) -> Moment | None:
        """As of the snapshot that it is asked in; None when a passage is there that the encoder has not encoded."""


class Writing(Reading, Protocol):
    """An open index, to be written. `put…`, `add…`, `remove` and `forget…` belong inside `transaction`."""

    def transaction(self, *, articles: bool = True) -> AbstractContextManager[None]:
        """What is written inside is there afterwards, or the next run makes up for it. Begins a new generation.

        `articles` is False where these stay as they are and only vectors are added: then they were not indexed just now.
        """

    def file_hashes(self) -> dict[str, str]: ...
    def folders(self) -> list[str]: ...
    def articles_of_file(self, file: str) -> dict[str, tuple[str, str]]: ...
    def origin(self, article_id: str) -> tuple[str | None, str, str] | None: ...
    def split_otherwise(self, splitting: str) -> list[str]: ...
    def signatures(self, bands: Sequence[int]) -> list[tuple[str, str, bytes]]: ...
    def without_vectors(self, fingerprint: str, limit: int, after: int = 0) -> list[tuple[int, Passage, bytes]]: ...
    def known_vectors(self, fingerprint: str, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]: ...
    def put(self, entry: Entry, fingerprint: str) -> None: ...
    def add_encoder(self, fingerprint: str, name: str, dimension: int) -> None: ...
    def put_vectors(self, fingerprint: str, rows: Sequence[tuple[int, Passage, bytes]], vectors: NDArray[np.float16]) -> None: ...
    def remove(self, article_id: str) -> None: ...
    def put_file(self, path: str, sha256: str) -> None: ...
    def forget_file(self, path: str) -> None: ...
    def put_folder(self, path: str) -> None: ...
    def forget_folder(self, path: str) -> None: ...
    def put_refusals(self, refusals: Sequence[Refusal]) -> None: ...
