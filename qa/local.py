"""Searching on one machine: vectors with FAISS, words with SQLite's full text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Filters
from qa.full_text import search_words
from qa.storage import Scored
from qa.store import Store
from qa.vector_parts import Chosen
from qa.vectors import VectorIndex, in_step, saved

RECENT = 2  # moments kept; they share what is large


@dataclass(frozen=True)
class LocalMoment:
    """A store and the vectors of its generation."""

    store: Store
    vectors: VectorIndex

    def nearest(self, vector: NDArray[np.float32], k: int, filters: Filters) -> Scored:
        return self.vectors.search(vector[None], k, self._chosen(filters))[0]

    def cosines(self, vector: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        return self.vectors.cosines(vector, numbers)

    def with_words(self, words: Sequence[str], k: int, filters: Filters) -> Scored:
        chosen = self._chosen(filters)
        allowed = None if chosen is None else chosen.letters
        return search_words(self.store, words, k, allowed, self._passages_with, len(self.vectors.numbers))

    def _chosen(self, filters: Filters) -> Chosen | None:
        return self._passages_of(filters) if filters else None

    @cached_property
    def _passages_of(self) -> Callable[[Filters], Chosen]:
        return lru_cache(maxsize=4)(lambda filters: self.vectors.chosen(self.store.allowed_passages(filters)))

    @cached_property
    def _passages_with(self) -> Callable[[str], int]:
        return lru_cache(maxsize=100_000)(self.store.passages_with)


class LocalSearcher:
    """Keeps the vectors of one encoder in step with the store."""

    def __init__(self, store: Store, fingerprint: str) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._recent: tuple[LocalMoment, ...] = ()  # newest first; a question that began earlier may need the older one
        self._refreshing = threading.Lock()

    def now(self) -> LocalMoment | None:
        """Asked inside a snapshot."""
        identity = self._store.identity
        found = self._recent_at(identity)
        if found is not None:
            return found
        with self._refreshing:
            found = self._recent_at(identity)  # another thread may have made it while we waited
            if found is not None:
                return found
            vectors = self._newest_until(identity[1])
            # Only passages after the last known one can be without a vector, for numbers are not used twice.
            last = int(vectors.numbers[-1]) if vectors is not None and len(vectors.numbers) else 0
            if self._store.without_vectors(self._fingerprint, 1, after=last):
                return None
            made = LocalMoment(self._store, in_step(vectors, self._store, self._fingerprint))
            self._recent = tuple(sorted((made, *self._recent), key=lambda moment: -moment.vectors.identity[1])[:RECENT])
            return made

    def _recent_at(self, identity: tuple[str, int]) -> LocalMoment | None:
        return next((moment for moment in self._recent if moment.vectors.identity == identity), None)

    def _newest_until(self, generation: int) -> VectorIndex | None:
        """The index that is nearest to that generation: one at hand, or, where that would need much work, a saved one."""
        held = next((moment.vectors for moment in self._recent if moment.vectors.identity[1] <= generation), None)
        if held is not None and held.has_room(self._store.passage_count()):
            return held
        return saved(self._store, self._fingerprint) or held
