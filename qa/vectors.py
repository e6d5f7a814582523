"""Nearest passages by vector: a FAISS index, derived from the store and never the only copy of anything.

It lives beside the store as `vectors-FINGERPRINT.faiss` with a manifest that says which generation of which store it
belongs to and what its bytes hash to. A file that fits is loaded; one that lags behind is brought up to date from the
store; any other is ignored and made anew. Nothing is ever encoded here. Files are written beside, synced and renamed.

Up to `EXACT_LIMIT` vectors the search is exact (flat, inner product). Above, it is an HNSW graph (Malkov & Yashunin 2016).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from qa.disk import replace_file
from qa.store import Store

EXACT_LIMIT = 100_000
HNSW_LINKS = 32
HNSW_SEARCH = 256  # candidates kept while searching; bench/scale.py shows recall against this
FORMAT = 2  # of the manifest
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)  # missing, half written or damaged
BLOCK = 8192  # vectors read from the store at a time


@dataclass(frozen=True)
class VectorIndex:
    """A FAISS index of passages. Never changed once made, so that threads may search while a newer one is built.

    `numbers` is int64 (n,), ascending: the passages in it. `identity` is that of the store it was made from.
    """

    fingerprint: str
    identity: tuple[str, int]
    numbers: NDArray[np.int64]
    faiss_index: Any

    def search(self, questions: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None) -> list[list[tuple[int, float]]]:
        """For each row of `questions` (n, dim): up to k (passage number, cosine), best first, among `allowed` if given."""
        k = min(k, len(self.numbers))
        if k == 0 or (allowed is not None and len(allowed) == 0):
            return [[] for _ in questions]
        scores, numbers = self.faiss_index.search(questions, k, params=self._parameters(allowed))
        return [
            [(int(number), float(score)) for number, score in zip(*row, strict=True) if number >= 0]  # -1: fewer than k
            for row in zip(numbers, scores, strict=True)
        ]

    def cosines(self, question: NDArray[np.float32], numbers: Iterable[int]) -> dict[int, float]:
        """passage number -> its cosine with one question (dim,), for those passages that are in the index."""
        wanted = np.fromiter(numbers, dtype=np.int64)
        known = wanted[np.isin(wanted, self.numbers)]
        if not len(known):
            return {}
        rows = np.stack([self.faiss_index.reconstruct(int(number)) for number in known])
        scores = np.einsum("ij,j->i", rows, question)  # row by row: the last digits of a matrix product depend on a row's neighbours
        return dict(zip(known.tolist(), scores.tolist(), strict=True))

    def _parameters(self, allowed: NDArray[np.int64] | None) -> Any:
        import faiss

        selector = {} if allowed is None else {"sel": faiss.IDSelectorBatch(allowed)}
        if _is_graph(self.faiss_index):
            return faiss.SearchParametersHNSW(efSearch=HNSW_SEARCH, **selector)  # type: ignore[attr-defined]
        return faiss.SearchParameters(**selector)


def open_vectors(store: Store, fingerprint: str) -> VectorIndex:
    """The vectors of one encoder, in step with the store: from the file when it fits, else made anew."""
    return in_step(saved(store, fingerprint), store, fingerprint)


def refresh(store: Store, fingerprint: str) -> None:
    """Brings the saved file in step with the store."""
    before = saved(store, fingerprint)
    current = in_step(before, store, fingerprint)
    if current is not before:
        _save(current, store.folder)


def in_step(vectors: VectorIndex | None, store: Store, fingerprint: str) -> VectorIndex:
    """`vectors` brought up to the store's generation: what is new is added, what is gone is left out."""
    with store.snapshot():
        identity = store.identity
        if vectors is not None and vectors.identity == identity:
            return vectors
        wanted = store.passage_numbers()
        if vectors is None or not _is_earlier(vectors.identity, identity):
            return _build(store, fingerprint, identity, wanted)
        if np.array_equal(vectors.numbers, wanted):
            return replace(vectors, identity=identity)  # something else was written, such as another encoder's vectors
        if not _can_grow(vectors, len(wanted)):
            return _build(store, fingerprint, identity, wanted)
        gone = np.setdiff1d(vectors.numbers, wanted, assume_unique=True)
        new = np.setdiff1d(wanted, vectors.numbers, assume_unique=True)
        if _is_graph(vectors.faiss_index) and len(gone):  # a graph cannot forget
            return _build(store, fingerprint, identity, wanted)
        import faiss

        index = faiss.clone_index(vectors.faiss_index)
        if len(gone):
            index.remove_ids(faiss.IDSelectorBatch(gone))
        _add(index, store, fingerprint, new)
        return VectorIndex(fingerprint, identity, wanted, index)


def _is_earlier(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether they are of one store, which was not put back from a copy since: then a number may stand for another passage."""
    return one[0] == other[0] and one[1] <= other[1]


def _can_grow(vectors: VectorIndex, size: int) -> bool:
    """Whether it is of the kind for `size` passages, and not empty, for then it doesn't know the dimension."""
    return _is_graph(vectors.faiss_index) == (size > EXACT_LIMIT) and len(vectors.numbers) > 0


def _save(vectors: VectorIndex, folder: Path) -> None:
    """Writes index and manifest, each in one step: a reader sees the old or the new, and never a mixture that passes for whole."""
    import faiss

    data = faiss.serialize_index(vectors.faiss_index).tobytes()
    path = _path(folder, vectors.fingerprint)
    replace_file(path, data)
    store, generation = vectors.identity
    manifest = {"format": FORMAT, "store": store, "generation": generation, "passages": len(vectors.numbers)}
    manifest["sha256"] = _digest(manifest, io.BytesIO(data))
    replace_file(path.with_suffix(".json"), json.dumps(manifest, indent=1).encode())


def _build(store: Store, fingerprint: str, identity: tuple[str, int], numbers: NDArray[np.int64]) -> VectorIndex:
    import faiss

    dimension = store.vectors(fingerprint, numbers[:1]).shape[1] if len(numbers) else 1
    if len(numbers) > EXACT_LIMIT:
        graph = faiss.IndexHNSWFlat(dimension, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index = faiss.IndexIDMap2(graph)
    else:
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
    _add(index, store, fingerprint, numbers)
    return VectorIndex(fingerprint, identity, numbers, index)


def _add(index: Any, store: Store, fingerprint: str, numbers: NDArray[np.int64]) -> None:
    for at in range(0, len(numbers), BLOCK):
        block = numbers[at : at + BLOCK]
        index.add_with_ids(store.vectors(fingerprint, block).astype(np.float32), block)


def saved_files(folder: Path) -> list[Path]:
    """The FAISS files of a folder, one an encoder."""
    return sorted(folder.glob("vectors-*.faiss"))


def is_whole(path: Path) -> bool:
    """Whether a saved file is the one that was written, and belongs to its manifest."""
    try:
        manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with path.open("rb") as file:
            return bool(manifest["sha256"] == _digest(manifest, file))
    except UNREADABLE:
        return False


def saved(store: Store, fingerprint: str) -> VectorIndex | None:
    """The saved index if it belongs to this store and its bytes are the ones that were written, else None."""
    import faiss

    path = _path(store.folder, fingerprint)
    try:
        manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with path.open("rb") as file:  # one file to the end, even when another takes its name meanwhile
            identity = manifest["store"], manifest["generation"]
            if manifest["format"] != FORMAT or not _is_earlier(identity, store.identity) or manifest["sha256"] != _digest(manifest, file):
                return None
            file.seek(0)
            index = faiss.read_index(faiss.PyCallbackIOReader(file.read))  # type: ignore[attr-defined]
        numbers = np.sort(faiss.vector_to_array(index.id_map))  # type: ignore[attr-defined]
        return VectorIndex(fingerprint, identity, numbers, index)
    except UNREADABLE:
        return None  # missing, half written or damaged: it is made anew from the store


def _digest(manifest: dict[str, Any], file: BinaryIO) -> str:
    """Of what the manifest says and of the file: neither can change, nor be swapped for another's, without being noticed."""
    said = [manifest[name] for name in ("format", "store", "generation", "passages")]
    digest = hashlib.sha256(json.dumps(said).encode())
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _is_graph(index: Any) -> bool:
    import faiss

    return isinstance(faiss.downcast_index(index.index), faiss.IndexHNSW)


def _path(folder: Path, fingerprint: str) -> Path:
    return folder / f"vectors-{fingerprint}.faiss"
