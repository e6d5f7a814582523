"""Searching a Milvus index with one encoder: both searches and their filters run on the server, the fusion is the retriever's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Filters
from qa.errors import StoreError
from qa.milvus import rows
from qa.milvus.rows import condition, lets_through
from qa.milvus.schema import Cut
from qa.milvus.store import MilvusStore, lacking
from qa.milvus.terms import terms
from qa.storage import Scored

MOST_TERMS = 64  # of a question
DIGITS = 5  # of a score, after the point: the server's last ones depend on what else it searched, and equal passages are to be equal
FIELDS = (*rows.PASSAGE, "author")


@dataclass(frozen=True)
class MilvusMoment:
    """Passages of one encoder; none where the index is empty."""

    store: MilvusStore
    cut: Cut | None
    dimension: int

    def nearest(self, vector: NDArray[np.float32], k: int, filters: Filters) -> Scored:
        self._check(vector)
        return self._search("vector", vector.tolist(), k, filters)

    def with_words(self, words: Sequence[str], k: int, filters: Filters) -> Scored:
        question = terms(" ".join(words[:MOST_TERMS]))
        found = self._search("bm25", question, k, filters) if question else []
        return [(number, abs(score)) for number, score in found if score]  # Milvus Lite gives them a minus

    def cosines(self, vector: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        """From the vectors themselves, since an approximate search may leave out some."""
        wanted = list(numbers)
        if not wanted or self.cut is None:
            return {}
        found = self.store.engine.get(self.store.names.passages(self.cut), wanted, ("number", "vector"))
        return {row["number"]: round(float(np.asarray(row["vector"], np.float32) @ vector), DIGITS) for row in found}

    def _search(self, field: str, question: object, k: int, filters: Filters) -> Scored:
        if self.cut is None:
            return []
        found = self.store.engine.search(self.store.names.passages(self.cut), field, question, k, condition(filters), FIELDS)
        found = [(row, score) for row, score in found if lets_through(filters, row)]
        self.store.met(row for row, _ in found)
        return [(row["number"], round(score, DIGITS)) for row, score in found]

    def _check(self, vector: NDArray[np.float32]) -> None:
        if self.cut is not None and len(vector) != self.dimension:
            raise StoreError(
                f"the collection {self.store.names.passages(self.cut)} has vectors of {self.dimension} dimensions, the encoder makes "
                f"{len(vector)} (drop it, and run qa index)"
            )


class MilvusSearcher:
    """Looks once a generation which passages an encoder is answered from, and whether they are whole."""

    def __init__(self, store: MilvusStore, fingerprint: str) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._known: tuple[tuple[str, int], MilvusMoment | None] | None = None

    def now(self) -> MilvusMoment | None:
        """Asked inside a snapshot."""
        identity = self._store.identity
        if self._known is None or self._known[0] != identity:
            self._known = identity, self._look()
        return self._known[1]

    def _look(self) -> MilvusMoment | None:
        store = self._store
        cut = store.answering(self._fingerprint)
        where = lacking(cut) if cut else "passages > 0"
        if store.engine.first(store.names.articles, where, ("key",), 1):
            return None
        return MilvusMoment(store, cut, store.engine.dimension(store.names.passages(cut)) if cut else 0)
