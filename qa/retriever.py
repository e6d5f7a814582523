"""From a question to the passages that may answer it: dense and full-text search, fused.

The fused score is a convex combination of both scores after scaling each to [0, 1] (Bruch, Gai & Ingber 2023, "An Analysis
of Fusion Functions for Hybrid Retrieval"): `dense_weight * dense + (1 - dense_weight) * BM25`. Passages that only one
search found get their true cosine, and a BM25 score of 0. Overlapping windows and copies of an article are listed once.
Equal scores are ordered by article and place, so that the order of indexing changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qa import copies
from qa.config import Config
from qa.datatypes import Filters, Hit, Passage
from qa.encoder import Encoder
from qa.errors import MissingVectors
from qa.reranker import Reranker
from qa.storage import Reading, Scored
from qa.stores import searcher
from qa.words import content_words

SPARE = 100  # hits looked at beyond the candidates: which of equal ones are among these is then not left to chance
OVERLAP = 0.5  # windows that share more than this of the shorter are one hit

AT_A_TIME = 40  # hits fetched

Scores = dict[int, float]  # passage number -> score, best first


class Retriever:
    """Searches one open store with one encoder. Safe to use from several threads."""

    def __init__(self, config: Config, store: Reading, encoder: Encoder, reranker: Reranker | None = None) -> None:
        self._settings = config.retrieval
        self._others = [other.model for other in config.embedding.others]
        self._store = store
        self.encoder = encoder
        self._reranker = reranker
        self._searcher = searcher(store, encoder.fingerprint)

    def search(self, question: str, k: int, filters: Filters = Filters(), vector: NDArray[np.float32] | None = None) -> list[Hit]:
        """Up to k hits, best first; `vector` is the encoded question when the caller has it already. MissingVectors when
        the index was made with another encoder."""
        if k < 1 or not question.strip():
            return []
        if vector is None:
            vector = self.encoder.encode_questions([question])[0]
        with self._store.snapshot():
            now = self._searcher.now()
            if now is None:
                raise self._missing_vectors()
            wanted = self._settings.candidates + SPARE
            dense = self._first(now.nearest(vector, wanted, filters))
            lexical = self._first(now.with_words(content_words(question), wanted, filters))
            cosines = dense | now.cosines(vector, [number for number in lexical if number not in dense])
            lexical = {number: score for number, score in lexical.items() if number in cosines}
            fused = fuse(cosines, lexical, self._settings.dense_weight)
            hits = self._once_each(self._hits(fused, dense, lexical, cosines), max(k, self._settings.reranked) if self._reranker else k)
            if self._reranker is None:
                return hits
        first, rest = hits[: self._settings.reranked], hits[self._settings.reranked :]
        return (self._reranker.rerank(question, first) + [replace(hit, score=0.0) for hit in rest])[:k]

    def _missing_vectors(self) -> MissingVectors:
        """The error, with the command that adds them."""
        passages = self._store.passage_count()
        there = passages - self._store.missing(self.encoder.fingerprint)
        option = f"--encoder {self.encoder.name} " if self.encoder.name in self._others else ""
        return MissingVectors(
            f"the index in {self._store.where} has vectors of {self.encoder.name} for {there} of its {passages} "
            f"passages (add them: qa index {option}--index {self._store.folder})"
        )

    def covers(self) -> bool:
        """Whether this encoder has encoded every passage; asked inside a snapshot."""
        return self._searcher.now() is not None

    def _first(self, found: Scored) -> Scores:
        """The candidates among (passage number, score): numbers tell the order of indexing, so equal scores go by place."""
        times = Counter(score for _, score in found)
        places = self._store.places(number for number, score in found if times[score] > 1)
        ordered = sorted(found, key=lambda item: (-item[1], places.get(item[0])))
        return dict(ordered[: self._settings.candidates])

    def _hits(self, fused: Scores, dense: Scores, lexical: Scores, cosines: Scores) -> Iterator[list[Hit]]:
        """Best first, some at a time: few of them are listed, and each has to be read."""
        dense_ranks, lexical_ranks = _ranks(dense), _ranks(lexical)
        for numbers in in_turn(fused):
            hits = [
                Hit(
                    passage=passage,
                    score=fused[number],
                    dense_score=cosines[number],
                    lexical_score=lexical.get(number, 0.0),
                    dense_rank=dense_ranks.get(number),
                    lexical_rank=lexical_ranks.get(number),
                )
                for number, passage in self._store.passages(numbers).items()
            ]
            yield sorted(hits, key=lambda hit: (-hit.score, hit.passage.article_id, hit.passage.start))

    def _once_each(self, hits: Iterable[Sequence[Hit]], k: int) -> list[Hit]:
        """The first k without windows that mostly repeat a better one, of the same article or of a copy of it."""
        kept: list[Hit] = []
        for some in hits:
            families = self._store.families(hit.passage.article_id for hit in some)
            for hit in some:
                family = families.get(hit.passage.article_id, ())
                if not any(_repeats(hit.passage, other.passage, family) for other in kept):
                    kept.append(replace(hit, also_in=self._also_in(hit.passage, family)))
                if len(kept) == k:
                    return kept
        return kept

    def _also_in(self, passage: Passage, family: Sequence[str]) -> tuple[str, ...]:
        """The copies of its article that have this passage too."""
        others = [self._store.article(member) for member in family if member != passage.article_id]
        return tuple(sorted(other.id for other in others if other and copies.share(passage.text, other.text) >= copies.ALIKE))


def in_turn(scores: Scores) -> Iterator[list[int]]:
    """The passage numbers, best first, `AT_A_TIME` or more: equal scores stay together, since places decide among them."""
    some: list[int] = []
    last = 0.0
    for number, score in scores.items():
        if len(some) >= AT_A_TIME and score != last:
            yield some
            some = []
        some.append(number)
        last = score
    if some:
        yield some


def fuse(dense: Scores, lexical: Scores, dense_weight: float) -> Scores:
    """passage number -> fused score in [0, 1], best first. `dense` has a score for every passage, `lexical` for some."""
    dense_scaled, lexical_scaled = _scaled(dense), _scaled(lexical)
    scores = {
        number: dense_weight * dense_scaled.get(number, 0.0) + (1 - dense_weight) * lexical_scaled.get(number, 0.0)
        for number in dense | lexical
    }
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def _scaled(scores: Scores) -> Scores:
    """Min-max to [0, 1]; equal scores all become 1."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {number: (score - low) / (high - low) if high > low else 1.0 for number, score in scores.items()}


def _ranks(scores: Scores) -> dict[int, int]:
    return {number: rank for rank, number in enumerate(scores, 1)}


def _repeats(one: Passage, other: Passage, family: Sequence[str]) -> bool:
    """Whether they share more than half of the shorter one: characters of one article, or words of copies."""
    if one.article_id == other.article_id:
        shared = min(one.end, other.end) - max(one.start, other.start)
        return shared > OVERLAP * min(one.end - one.start, other.end - other.start)
    return other.article_id in family and max(copies.share(one.text, other.text), copies.share(other.text, one.text)) > OVERLAP
