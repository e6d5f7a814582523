"""Lists of a vector index, and how they are made: vectors that lie together go into one, and only the nearest lists are searched.

Lists are made from a sample, by spherical k-means. The sample is kept in a file meanwhile and read block by block, since nothing else
that indexing does would take as much memory. How many lists are searched is measured: so many that of the true neighbours of questions
like the passages, `RECALL` are in them; but some in any case, since where passages keep close together, questions stray farther than they.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

LISTS = 4  # times the square root of the number of passages
SAMPLE = 40  # vectors for each list, from which lists are made
ROUNDS = 10  # of k-means
QUESTIONS, NEIGHBOURS, RECALL = 256, 10, 0.995  # made up to measure how many lists have to be searched
LEAST_SEARCHED = 0.05  # of the lists
SEED = 12
BLOCK = 2048  # vectors in memory at a time

Numbers = NDArray[np.int64]
Rows = NDArray[np.float32]
Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Lists:
    """`centres` is float32 (n, dim), `probes` how many lists are searched. Made for `size` passages."""

    centres: Rows
    probes: int
    size: int

    def probes_among(self, share: float) -> int:
        """How many to search when only a share of the passages may be found, which then lie farther away."""
        return min(len(self.centres), math.ceil(self.probes / share))

    def nearest(self, rows: Rows) -> Numbers:
        """(n,): the list of each row."""
        return np.asarray(self._quantizer.search(rows, 1)[1][:, 0])

    def codes(self, rows: Rows, lists: Numbers) -> Codes:
        """(n, bytes): what FAISS takes rows for in these lists: the list's number, then float16."""
        width = self.empty().coarse_code_size()
        return np.hstack([lists.astype("<i8")[:, None].view(np.uint8)[:, :width], rows.astype("<f2").view(np.uint8)])

    def empty(self) -> Any:
        """A FAISS index in which each list is empty."""
        import faiss

        count, dimension = self.centres.shape
        float16 = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(self._quantizer, dimension, count, float16, faiss.METRIC_INNER_PRODUCT, False)
        index.is_trained = True
        return index

    @cached_property
    def _quantizer(self) -> Any:
        import faiss

        index = faiss.IndexFlatIP(self.centres.shape[1])
        index.add(self.centres)
        return index


def one_list(dimension: int) -> Lists:
    """All are in it, and it is always searched."""
    return Lists(np.zeros((1, dimension), np.float32), 1, 0)


def learned(blocks: Iterable[Rows], size: int) -> Lists:
    """Lists for `size` passages like these, which come in no order."""
    with tempfile.TemporaryFile() as file:
        sample = _Sample(file, blocks)
        count = max(1, min(round(LISTS * math.sqrt(size)), sample.count // SAMPLE))
        lists = Lists(sample.first(count), count, size)
        for _ in range(ROUNDS):
            lists = Lists(_moved(lists, sample), count, size)
        return Lists(lists.centres, max(_needed(lists, sample), math.ceil(LEAST_SEARCHED * count)), size)


def sample_size(size: int) -> int:
    """How many of `size` vectors `learned` wants."""
    return min(size, round(LISTS * math.sqrt(size)) * SAMPLE)


class _Sample:
    """Vectors in a file, as float16."""

    def __init__(self, file: IO[bytes], blocks: Iterable[Rows]) -> None:
        self.count = self._width = 0
        self._file = file
        for block in blocks:
            self._file.write(block.astype(np.float16).tobytes())
            self.count, self._width = self.count + len(block), block.shape[1]

    def __iter__(self) -> Iterator[Rows]:
        self._file.seek(0)
        while data := self._file.read(2 * BLOCK * self._width):
            yield self._rows(data)

    def first(self, count: int) -> Rows:
        self._file.seek(0)
        return self._rows(self._file.read(2 * count * self._width))

    def _rows(self, data: bytes) -> Rows:
        return np.frombuffer(data, np.float16).reshape(-1, self._width).astype(np.float32)


def _moved(lists: Lists, sample: _Sample) -> Rows:
    """The centres, each in the middle of what is in its list."""
    sums = np.zeros_like(lists.centres)
    for rows in sample:
        nearest = lists.nearest(rows)
        order = np.argsort(nearest, kind="stable")
        found, first = np.unique(nearest[order], return_index=True)
        sums[found] += np.add.reduceat(rows[order], first)
    return np.where(sums.any(axis=1, keepdims=True), _unit(sums), lists.centres)  # one with nothing in it stays where it is


def _needed(lists: Lists, sample: _Sample) -> int:
    """How many lists have to be searched. Questions are passages moved as far as passages differ, for neither are they passages."""
    some = sample.first(BLOCK)
    one, other, third = some[np.random.default_rng(SEED).integers(0, len(some), (3, QUESTIONS))]
    questions = _unit(one + _unit(other - third))
    scores, found = np.empty((QUESTIONS, 0), np.float32), np.empty((QUESTIONS, 0), np.int64)
    for rows in sample:
        scores = np.hstack([scores, questions @ rows.T])
        found = np.hstack([found, np.broadcast_to(lists.nearest(rows), (QUESTIONS, len(rows)))])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :NEIGHBOURS]
        scores, found = np.take_along_axis(scores, best, 1), np.take_along_axis(found, best, 1)
    order = np.argsort(-(questions @ lists.centres.T), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1)
    return int(np.quantile(np.take_along_axis(ranks, found, 1), RECALL, method="higher")) + 1


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)
