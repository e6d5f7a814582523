"""Articles that are copies of one another: a wire story printed by several papers, a page saved twice.

Two articles are copies when their sets of five-word shingles have a Jaccard similarity of at least `ALIKE`, estimated by
MinHash (Broder 1997; datasketch's implementation). Bands of the signature find candidates without comparing all with all
(locality-sensitive hashing). Copies share a family, named by the content of the first one indexed: its id would go on
standing for the family after that article was edited into something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Article

PERMUTATIONS = 128
ROWS = 4  # of the signature in one band: 32 bands find 99.8 % of the pairs at similarity 0.65
ALIKE = 0.65
SHINGLE = 5  # words

_WORD = re.compile(r"\w+")


def signature(text: str) -> bytes:
    """The MinHash of a text: 128 little-endian uint32."""
    from datasketch import MinHash

    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch(sorted(shingle.encode() for shingle in _shingles(_words(text), SHINGLE)))
    return bytes(sketch.hashvalues.astype("<u4").tobytes())


def bands(signature: bytes) -> tuple[int, ...]:
    """Hashes (signed, 64 bits) of the signature's bands; copies share at least one."""
    width = ROWS * 4
    pieces = [signature[at : at + width] for at in range(0, len(signature), width)]
    return tuple(
        int.from_bytes(hashlib.blake2b(bytes([number]) + piece, digest_size=8).digest(), "little", signed=True)
        for number, piece in enumerate(pieces)
    )


def family_of(article: Article, own: bytes, candidates: Iterable[tuple[str, str, bytes]]) -> str:
    """The family of the most similar among other articles (id, family, signature), else one of its own."""
    others = [(similarity(own, other), family) for _, family, other in candidates]
    best = max(others, default=(0.0, ""), key=lambda pair: pair[0])
    return best[1] if best[0] >= ALIKE else article.sha256


def share(passage: str, text: str) -> float:
    """How much of a passage stands in a text, word for word: the share of its shingles, 0..1."""
    words = _words(passage)
    asked = _shingles(words, SHINGLE)
    return len(asked & _shingles(_words(text), min(SHINGLE, len(words)))) / len(asked) if asked else 0.0


def similarity(one: bytes, other: bytes) -> float:
    """The estimated Jaccard similarity, 0..1."""
    return float(np.mean(_values(one) == _values(other)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _shingles(words: list[str], width: int) -> frozenset[str]:
    width = min(width, max(1, len(words)))
    return frozenset(" ".join(words[at : at + width]) for at in range(len(words) - width + 1))


def _values(signature: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(signature, dtype="<u4")
