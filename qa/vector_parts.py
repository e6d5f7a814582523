"""Pieces of a vector index: one that compares a question with every vector, and ones in lists of which only the nearest are searched.

The search in a flat piece is exact. In the others, an inverted file (Sivic & Zisserman 2003), vectors are float16 as in the store, so that
scores are exact too; what can be missed is a passage in a list that is not searched. How many are searched is measured when the lists are
made: so many that of the true neighbours of questions like the passages, `RECALL` are in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

LISTS = 4  # times the square root of the number of passages
SAMPLE = 40  # vectors for each list, from which lists are made
QUESTIONS, NEIGHBOURS, RECALL = 256, 10, 0.995  # made up to measure how many lists have to be searched
SEED = 12

Numbers = NDArray[np.int64]
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Vectors of passages. `numbers` is int64 (n,), ascending. `faiss_index`, an IDMap of them in that order, is None where
    nobody is to search; `alive` tells, (n,), which passages are still there, None: all. `digest` is that of its file, if it has one."""

    numbers: Numbers
    faiss_index: Any
    alive: NDArray[np.bool_] | None = None
    digest: str = ""

    def search(self, questions: Rows, k: int, allowed: NDArray[np.bool_] | None, probes: int) -> tuple[Rows, Numbers]:
        """Scores and passage numbers, (n, k) each, -1 for those there are not. `allowed` says of each passage number if it may be found."""
        import faiss

        chosen = self.alive if allowed is None else allowed[self.numbers] if self.alive is None else allowed[self.numbers] & self.alive
        settings: dict[str, Any] = {"nprobe": probes} if self._is_in_lists else {}
        if chosen is not None:
            settings["sel"] = faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))  # type: ignore[call-arg, arg-type]
        parameters = faiss.SearchParametersIVF(**settings) if self._is_in_lists else faiss.SearchParameters(**settings)
        scores, places = self._inner.search(questions, min(k, len(self.numbers)), params=parameters)
        return scores, np.where(places >= 0, self.numbers[places], -1)

    def rows(self, numbers: Numbers) -> Rows:
        """float32 (n, dim): the vectors of passages that are in it."""
        return np.asarray(self._inner.reconstruct_batch(np.searchsorted(self.numbers, numbers)))

    def known(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,): which of these passages are in it."""
        if not len(self.numbers):
            return np.zeros(len(numbers), np.bool_)
        places = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        here: NDArray[np.bool_] = self.numbers[places] == numbers
        return here if self.alive is None else here & self.alive[places]

    @cached_property
    def _inner(self) -> Any:
        import faiss

        return faiss.downcast_index(self.faiss_index.index)

    @cached_property
    def _is_in_lists(self) -> bool:
        import faiss

        return isinstance(self._inner, faiss.IndexIVF)


@dataclass(frozen=True)
class Lists:
    """Where lists lie, and how many of them are searched: an index without vectors. Made for `size` passages; `digest` as of a part."""

    faiss_index: Any
    size: int
    digest: str = ""

    @property
    def probes(self) -> int:
        return int(self.faiss_index.nprobe)

    def probes_among(self, share: float) -> int:
        """How many to search when only a share of the passages may be found, which then lie farther away."""
        return min(int(self.faiss_index.nlist), int(np.ceil(self.probes / share)))


def flat_part(numbers: Numbers, blocks: Iterable[Rows]) -> Part:
    """`blocks` are the vectors, (n, dim) in all, some at a time."""
    import faiss

    return _filled(lambda dimension: faiss.IndexFlatIP(dimension), numbers, blocks)


def part_in_lists(lists: Lists, numbers: Numbers, blocks: Iterable[Rows]) -> Part:
    import faiss

    return _filled(lambda _: faiss.clone_index(lists.faiss_index), numbers, blocks)


def learned(sample: Rows, size: int) -> Lists:
    """Lists for `size` passages like these."""
    import faiss

    count = max(1, min(round(LISTS * math.sqrt(size)), len(sample) // SAMPLE))
    dimension = sample.shape[1]
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, count, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.seed = SEED
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, len(sample)  # take the sample as it is
    index.train(sample)
    index.make_direct_map(True)
    index.nprobe = _needed(index.quantizer, count, sample)
    return Lists(index, size)


def sample_size(size: int) -> int:
    """How many of `size` vectors `learned` wants."""
    return min(size, round(LISTS * math.sqrt(size)) * SAMPLE)


def _needed(centres: Any, count: int, sample: Rows) -> int:
    """How many lists have to be searched. Questions are passages moved as far as passages differ, for neither are they passages."""
    chance = np.random.default_rng(SEED)
    one, other, third = sample[chance.integers(0, len(sample), (3, QUESTIONS))]
    moved = _unit(one + _unit(other - third))
    neighbours = _nearest(moved, sample)
    _, order = centres.search(moved, count)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(count)[None], 1)
    _, lists = centres.search(sample[neighbours.ravel()], 1)
    ranks = np.take_along_axis(rank, lists.reshape(neighbours.shape), 1)
    return int(np.quantile(ranks, RECALL, method="higher")) + 1


def _nearest(questions: Rows, rows: Rows) -> Numbers:
    """(n, NEIGHBOURS): the places of the rows with the highest inner products."""
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    _, places = index.search(questions, min(NEIGHBOURS, len(rows)))
    return np.asarray(places)


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _filled(make: Any, numbers: Numbers, blocks: Iterable[Rows]) -> Part:
    import faiss

    index: Any = None
    at = 0
    for block in blocks:
        index = index or faiss.IndexIDMap(make(block.shape[1]))
        index.add_with_ids(block, numbers[at : at + len(block)])
        at += len(block)
    return Part(numbers, index or faiss.IndexIDMap(make(1)))
