"""Full-text search of SQLite's that stays quick in a large index: by the rarer words of a question, then by what the common ones add.

SQLite scores each passage that has any of the words, about 1 µs apiece, and in a large index "year" alone is in a hundred thousand. So
passages are found by the rarer words, which are in at most `MOST_PASSAGES` together; the others are counted in the texts of what was
found, and their part of the BM25 score is added. In an index where so many passages never have to be scored, no word is too common.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from qa.storage import Scored
from qa.store import Store
from qa.words import stem

TITLE_WEIGHT = 1.0  # of the title in BM25, as of the text; 0 to 2 differ by less than 0.3 points of R@1
MOST_TERMS = 64  # of a question
MOST_PASSAGES = 20_000
K1, B = 1.2, 0.75  # of BM25, as in SQLite
PREFIX = 3  # letters that a word shares with its stem

Counts = Callable[[str], int]


def search_words(store: Store, words: Sequence[str], k: int, allowed: bytes | None, passages_with: Counts, total: int) -> Scored:
    """Up to k (passage number, BM25 score), best first; of `total` passages, `passages_with` a word. `allowed`, if given, has a 1 for
    each number that may be found."""
    words = words[:MOST_TERMS]
    rarer = telling(words, passages_with)
    if not rarer:
        return []
    found = store.search_text(match_expression(rarer), TITLE_WEIGHT, k, allowed)
    weights = {word: _weight(passages_with(word), total) for word in words if word not in rarer and passages_with(word)}
    return _with_common(store, found, weights) if weights else found


def telling(words: Sequence[str], passages_with: Counts) -> list[str]:
    """The words without the commonest, so that those left are in at most `MOST_PASSAGES` together; the rarest is always there."""
    counts = {word: count for word in words if (count := passages_with(word))}
    rarest_first = sorted(counts, key=lambda word: counts[word])
    totals = accumulate(counts[word] for word in rarest_first)
    kept = {word for word, total in zip(rarest_first, totals, strict=True) if total <= MOST_PASSAGES} or set(rarest_first[:1])
    return [word for word in words if word in kept]


def match_expression(words: Sequence[str]) -> str:
    """["built", "wall"] -> '"built" OR "wall"': any of them, each quoted, so that nothing is an operator."""
    return " OR ".join(f'"{word}"' for word in words)


def _weight(count: int, total: int) -> float:
    """The inverse document frequency, as SQLite computes it."""
    return max(math.log((total - count + 0.5) / (count + 0.5)), 1e-6)


def _with_common(store: Store, found: Scored, weights: Mapping[str, float]) -> Scored:
    """The scores with the common words' part, best first. Lengths are measured in characters, against those of what was found."""
    passages = store.passages(number for number, _ in found)
    texts = {number: f"{passage.title} {passage.text}".lower() for number, passage in passages.items()}
    average = sum(map(len, texts.values())) / max(1, len(texts))
    stems = {word: stem(word.lower()) for word in weights}
    alike = re.compile(rf"\b(?:{'|'.join(sorted({re.escape(one[:PREFIX]) for one in stems.values()}))})\w*")

    def added(text: str) -> float:
        counts = Counter(map(stem, alike.findall(text)))
        damping = K1 * (1 - B + B * len(text) / average)
        times = ((weight, counts[stems[word]]) for word, weight in weights.items())
        return sum(weight * count * (K1 + 1) / (count + damping) for weight, count in times)

    return sorted(((number, score + added(texts[number])) for number, score in found), key=lambda item: -item[1])
