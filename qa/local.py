"""Searching on one machine: vectors with FAISS, words with SQLite's full text."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Filters
from qa.storage import Scored
from qa.store import Store
from qa.vectors import VectorIndex, in_step, open_vectors

TITLE_WEIGHT = 1.0  # of the title in BM25, as of the text; 0 to 2 differ by less than 0.3 points of R@1
MOST_TERMS = 64  # of a question in the full-text query


@dataclass(frozen=True)
class LocalMoment:
    """A store and the vectors of its generation."""

    store: Store
    vectors: VectorIndex

    def nearest(self, vector: NDArray[np.float32], k: int, filters: Filters) -> Scored:
        allowed = self.store.allowed_passages(filters) if filters else None
        return self.vectors.search(vector[None], k, allowed)[0]

    def cosines(self, vector: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        return self.vectors.cosines(vector, numbers)

    def with_words(self, words: Sequence[str], k: int, filters: Filters) -> Scored:
        match = match_expression(words)
        return self.store.search_text(match, k, filters, TITLE_WEIGHT) if match else []


class LocalSearcher:
    """Keeps the vectors of one encoder in step with the store."""

    def __init__(self, store: Store, fingerprint: str) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._vectors: VectorIndex | None = None
        self._refreshing = threading.Lock()

    def now(self) -> LocalMoment | None:
        """Asked inside a snapshot."""
        current = self._vectors
        if current is not None and current.identity == self._store.identity:
            return LocalMoment(self._store, current)
        with self._refreshing:
            if self._store.without_vectors(self._fingerprint, 1, after=self._last_known()):
                return None
            if self._vectors is None:
                self._vectors = open_vectors(self._store, self._fingerprint)
            else:
                self._vectors = in_step(self._vectors, self._store, self._fingerprint)
            return LocalMoment(self._store, self._vectors)

    def _last_known(self) -> int:
        """The last passage of the vectors at hand: only later ones can be without a vector, for numbers are not used twice."""
        return int(self._vectors.numbers[-1]) if self._vectors is not None and len(self._vectors.numbers) else 0


def match_expression(words: Sequence[str]) -> str:
    """["built", "wall"] -> '"built" OR "wall"': any of them, each quoted, so that nothing is an operator."""
    return " OR ".join(f'"{word}"' for word in words[:MOST_TERMS])
