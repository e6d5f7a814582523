"""Nearest passages by vector: an index for FAISS, derived from the store and never the only copy of anything.

Up to `EXACT_LIMIT` passages are compared one by one. When there are more, so many at a time are put into lists (qa/vector_lists.py) for
good, and the rest goes on being compared one by one: adding some never changes what is large, and takes no more memory however many there
are. Removed passages are left out of what is found. When the index has grown `GROWTH` times or lost a quarter, lists are made anew from a
sample that does not depend on the order of indexing. Nothing is ever encoded here. Files are qa/vector_files.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from qa import vector_files
from qa.store import Store
from qa.vector_lists import BLOCK as BLOCK
from qa.vector_lists import Lists, Numbers, Rows, learned, sample_size
from qa.vector_parts import Chosen, Part, are_among, part_of, piece_of

EXACT_LIMIT = 16_384
ROOM = 100_000  # compared one by one by who has an index open, until indexing has saved lists: making them takes seconds, each time
GROWTH = 4
MOST_GONE = 0.25  # of the passages in lists

Make = Callable[[Lists | None, Numbers, Iterable[Rows]], Part]


@dataclass(frozen=True)
class VectorIndex:
    """Never changed once made, so that threads may search while a newer one is built, which shares what is large.

    `numbers` is int64 (n,), ascending: the passages in it. `identity` is that of the store it was made from. `loose` is what is in no list.
    """

    fingerprint: str
    identity: tuple[str, int]
    numbers: Numbers
    loose: Part
    listed: tuple[Part, ...] = ()
    lists: Lists | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.loose, *self.listed)

    def search(self, questions: Rows, k: int, chosen: Chosen | None = None) -> list[list[tuple[int, float]]]:
        """For each row of `questions` (n, dim): up to k (passage number, cosine), best first, among the `chosen` if given."""
        k = min(k, len(self.numbers))
        if k == 0 or (chosen is not None and chosen.count == 0):
            return [[] for _ in questions]
        probes = 1 if self.lists is None else self.lists.probes_among(1 if chosen is None else chosen.count / len(self.numbers))
        found = [part.search(questions, k, chosen or self._still_there, probes) for part in self.parts if len(part.numbers)]
        scores, numbers = (np.concatenate(pieces, axis=1) for pieces in zip(*found, strict=True))
        return [_best(*row, k) for row in zip(scores, numbers, strict=True)]

    def chosen(self, numbers: Numbers) -> Chosen:
        """Those of the passages that are in the index, to be searched."""
        flags = np.zeros(int(self.numbers[-1]) + 1 if len(self.numbers) else 0, np.bool_)
        there = numbers[are_among(numbers, self.numbers)]
        flags[there] = True
        return Chosen(flags, len(there))

    def cosines(self, question: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        """passage number -> its cosine with one question (dim,), for those passages that are in the index."""
        given = np.fromiter(numbers, dtype=np.int64)
        wanted = given[are_among(given, self.numbers)]
        found: dict[int, float] = {}
        for part in self.parts:
            known = wanted[part.known(wanted)]
            if len(known):
                # Row by row: the last digits of a matrix product depend on a row's neighbours.
                scores = np.einsum("ij,j->i", part.rows(known), question)
                found |= dict(zip(known.tolist(), scores.tolist(), strict=True))
        return found

    def has_room(self, passages: int) -> bool:
        """Whether it can be brought up to so many passages without new lists or parts in lists."""
        return passages - sum(len(part.numbers) for part in self.listed) <= ROOM

    @cached_property
    def _still_there(self) -> Chosen | None:
        """What may be found where nothing else is said; None: all of it."""
        return self.chosen(self.numbers) if sum(len(part.numbers) for part in self.parts) > len(self.numbers) else None


def open_vectors(store: Store, fingerprint: str) -> VectorIndex:
    """The vectors of one encoder, in step with the store: from the files where they fit, else made anew."""
    return in_step(saved(store, fingerprint), store, fingerprint)


def refresh(store: Store, fingerprint: str) -> None:
    """Brings the saved files in step with the store. Each part is written as soon as it is made, and not kept in memory."""
    before = saved(store, fingerprint, to_search=False)
    current = in_step(before, store, fingerprint, partial(vector_files.written, store.folder, fingerprint))
    if current is not before:
        _save(current, store)


def saved(store: Store, fingerprint: str, to_search: bool = True) -> VectorIndex | None:
    """What the files have of this store, as far as their bytes are the ones that were written; None when that is nothing."""
    found = vector_files.read(store.folder, fingerprint, to_search)
    if found is None or not _is_earlier(found.identity, store.identity):
        return None
    numbers = np.sort(np.concatenate([part.numbers for part in (found.loose, *found.listed)]))
    # Where a file is damaged, or passages were removed since it was written, the store has to tell what is there.
    identity = found.identity if len(numbers) == found.passages else (found.identity[0], -1)
    return VectorIndex(fingerprint, identity, numbers, found.loose, found.listed, found.lists)


def in_step(vectors: VectorIndex | None, store: Store, fingerprint: str, make: Make | None = None) -> VectorIndex:
    """`vectors` brought up to the store's generation: what is new is added, what is gone is left out. KeyError when a vector is missing.

    `make` makes parts, of lists or of none, numbers and vectors; if not given, such as are searched.
    """
    make, limit = (make, EXACT_LIMIT) if make else (_to_search, ROOM)
    with store.snapshot():
        identity = store.identity
        if vectors is not None and vectors.identity == identity:
            return vectors
        if vectors is None or not _is_earlier(vectors.identity, identity):
            vectors = VectorIndex(fingerprint, identity, np.empty(0, np.int64), Part())
        wanted = store.passage_numbers()
        if vectors.identity[1] >= 0 and np.array_equal(vectors.numbers, wanted):
            return replace(vectors, identity=identity)  # something else was written, such as another encoder's vectors
        lists = _lists(vectors, store, wanted, limit)
        listed = list(vectors.listed) if lists is not None and lists is vectors.lists else []
        rest = np.setdiff1d(wanted, np.concatenate([part.numbers for part in listed]), assume_unique=True) if listed else wanted
        while lists is not None and len(rest) > limit:
            block, rest = rest[:EXACT_LIMIT], rest[EXACT_LIMIT:]
            listed.append(make(lists, block, _rows(vectors.loose, store, fingerprint, block)))
        loose = make(None, rest, _rows(vectors.loose, store, fingerprint, rest))
        return VectorIndex(fingerprint, identity, wanted, loose, tuple(listed), lists)


def _to_search(lists: Lists | None, numbers: Numbers, blocks: Iterable[Rows]) -> Part:
    return part_of(lists, [piece_of(lists, numbers, blocks)]) if len(numbers) else Part()


def _lists(old: VectorIndex, store: Store, wanted: Numbers, limit: int) -> Lists | None:
    """The old ones while they fit, new ones when they don't, none for a small index."""
    if len(wanted) <= EXACT_LIMIT:
        return None
    total = sum(len(part.numbers) for part in old.listed)
    living = sum(int(are_among(part.numbers, wanted).sum()) for part in old.listed)
    if old.lists is not None and len(wanted) <= GROWTH * old.lists.size and living >= (1 - MOST_GONE) * total:
        return old.lists
    if len(wanted) <= limit:
        return None
    sample = store.sample_passages(sample_size(len(wanted)))
    return learned(_rows(Part(), store, old.fingerprint, sample), len(wanted))


def _rows(known: Part, store: Store, fingerprint: str, numbers: Numbers) -> Iterator[Rows]:
    """The vectors of these passages, block by block, from a part where it has them in memory, else from the store."""
    for at in range(0, len(numbers), BLOCK):
        block = numbers[at : at + BLOCK]
        here = known.known(block) if known.faiss_index is not None else np.zeros(len(block), np.bool_)
        new = store.vectors(fingerprint, block[~here]).astype(np.float32) if not here.all() else None
        if not here.any():
            assert new is not None
            yield new
            continue
        old = known.rows(block[here])
        rows = np.empty((len(block), old.shape[1]), np.float32)
        rows[here] = old
        if new is not None:
            rows[~here] = new
        yield rows


def _best(scores: Rows, numbers: Numbers, k: int) -> list[tuple[int, float]]:
    order = np.lexsort((numbers, -scores))
    return [(int(numbers[place]), float(scores[place])) for place in order if numbers[place] >= 0][:k]  # -1: fewer than k


def _is_earlier(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether they are of one store, which was not put back from a copy since: then a number may stand for another passage."""
    return one[0] == other[0] and one[1] <= other[1]


def _save(vectors: VectorIndex, store: Store) -> None:
    vector_files.save(
        store.folder,
        vectors.fingerprint,
        vector_files.Saved(vectors.identity, len(vectors.numbers), vectors.loose, vectors.listed, vectors.lists),
    )
