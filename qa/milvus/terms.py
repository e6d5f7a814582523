"""Text -> the words that BM25 counts, as SQLite's `porter unicode61` makes them.

Milvus gets a stemmed copy of each passage and only splits it at spaces, so that every Milvus counts the same words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[^\W_]+")


def terms(text: str) -> str:
    """ "The Cafés' whales" -> "the cafe whale": without case, accents and endings."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if unicodedata.category(letter) != "Mn")
    return " ".join(_stem(word) for word in _WORD.findall(plain))


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """With a stemmer of its own, as in qa/words.py: threads would mix their words up."""
    return str(snowballstemmer.stemmer("porter").stemWord(word)) if len(word) > 2 else word
