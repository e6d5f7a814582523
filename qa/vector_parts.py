"""Pieces of a vector index: an inverted file (Sivic & Zisserman 2003), of which one with a single list is searched whole.

Vectors are float16 as in the store, so that scores are exact; what can be missed is a passage in a list that is not searched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.vector_lists import Codes, Lists, Numbers, Rows, one_list


@dataclass(frozen=True)
class Chosen:
    """The passages that may be found: `flags`, bool (highest number + 1,), and how many they are."""

    flags: NDArray[np.bool_]
    count: int

    @cached_property
    def selector(self) -> Any:
        import faiss

        return faiss.IDSelectorBitmap(np.packbits(self.flags, bitorder="little"))  # type: ignore[call-arg, arg-type]

    @cached_property
    def letters(self) -> bytes:
        """The flags, quicker to look at one by one."""
        return self.flags.tobytes()


@dataclass(frozen=True)
class Part:
    """Vectors of passages. `numbers` is int64 (n,), ascending, `sizes` how many are in each list. `faiss_index` knows passages by their
    numbers, and is None where nobody is to search. `digest` is that of its file, if it has one."""

    numbers: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    sizes: Numbers = field(default_factory=lambda: np.zeros(1, np.int64))
    faiss_index: Any = None
    digest: str = ""

    def search(self, questions: Rows, k: int, chosen: Chosen | None, probes: int) -> tuple[Rows, Numbers]:
        """Scores and passage numbers, (n, k) each, -1 for those there are not."""
        import faiss

        settings: dict[str, Any] = {"nprobe": probes, **({} if chosen is None else {"sel": chosen.selector})}
        scores, numbers = self.faiss_index.search(questions, min(k, len(self.numbers)), params=faiss.SearchParametersIVF(**settings))
        return scores, numbers

    def rows(self, numbers: Numbers) -> Rows:
        """float32 (n, dim): the vectors of passages that are in it."""
        return np.asarray(self.faiss_index.reconstruct_batch(numbers))

    def known(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,): which of these passages are in it."""
        return are_among(numbers, self.numbers)


@dataclass(frozen=True)
class Piece:
    """What is kept of a part: passage numbers, how many vectors are in each list, and the vectors as FAISS takes them."""

    numbers: Numbers
    sizes: Numbers
    codes: Codes


def piece_of(lists: Lists | None, numbers: Numbers, blocks: Iterable[Rows]) -> Piece:
    """`blocks` are the vectors, (n, dim) in all, some at a time; without `lists` all go into one."""
    codes, sizes, at = np.empty((0, 0), np.uint8), np.zeros(1, np.int64), 0
    for rows in blocks:
        lists = lists or one_list(rows.shape[1])
        places = lists.nearest(rows)
        some = lists.codes(rows, places)
        if at == 0:
            codes, sizes = np.empty((len(numbers), some.shape[1]), np.uint8), np.zeros(len(lists.centres), np.int64)
        codes[at : at + len(rows)] = some
        sizes += np.bincount(places, minlength=len(sizes))
        at += len(rows)
    return Piece(numbers, sizes, codes)


def part_of(lists: Lists | None, pieces: Iterable[Piece], sizes: Numbers | None = None) -> Part:
    """One part, to be searched, of the pieces. `sizes` is how many vectors come into each list at most; if not given, as many as the
    first piece has."""
    numbers, index = [np.empty(0, np.int64)], None
    for piece in pieces:
        if index is None:
            index = _with_room((lists or one_list(piece.codes.shape[1] // 2)).empty(), piece.sizes if sizes is None else sizes)
        index.add_sa_codes(piece.codes, piece.numbers)
        numbers.append(piece.numbers)
    return Part(np.sort(np.concatenate(numbers)), faiss_index=index)


def are_among(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """(n,): which of the numbers are among the others, which ascend."""
    if not len(others):
        return np.zeros(len(numbers), np.bool_)
    return np.asarray(others[np.searchsorted(others, numbers).clip(max=len(others) - 1)] == numbers)


def _with_room(index: Any, sizes: Numbers) -> Any:
    """FAISS takes twice the memory each time that a list is full, unless it was as long before."""
    import faiss

    index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined]
    for place, size in enumerate(sizes.tolist()):
        index.invlists.resize(place, size)
        index.invlists.resize(place, 0)
    return index
