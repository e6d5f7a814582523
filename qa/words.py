"""Words of a question and of a text: which say nothing, and how many the two share."""

from __future__ import annotations

import re
from functools import lru_cache

import snowballstemmer

# English function words: they say nothing about the subject, and in a long passage they add up.
STOP_WORDS = frozenset(
    "a about after all also an and any are as at be because been before being between both but by can could did do does doing "
    "down during each for from further had has have having he her here hers him his how i if in into is it its itself just me "
    "more most my no nor not of off on once only or other our out over own same she should so some such than that the their "
    "them then there these they this those through to too under until up us very was we were what when where which while who "
    "whom whose why will with would you your".split()
)
LONGEST_QUESTION = 2000  # characters; what is longer is cut off for `coverage`

WORD = re.compile(r"\w+")


def content_words(text: str) -> list[str]:
    """ "Who built the wall? The Wall?" -> ["built", "wall"]: each once, as written first; all words when none says anything."""
    words = list({word.lower(): word for word in reversed(WORD.findall(text))}.values())[::-1]
    return [word for word in words if word.lower() not in STOP_WORDS] or words


def coverage(question: str, text: str) -> float:
    """The share of the question's content words that the text has, stemmed: 0..1."""
    asked = stems(question[:LONGEST_QUESTION])
    return len(asked & stems(text)) / len(asked) if asked else 0.0


def stems(text: str) -> frozenset[str]:
    """Of the words that say something."""
    return frozenset(stem(word) for word in WORD.findall(text.casefold()) if word not in STOP_WORDS)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Of an English word in lower case. With a stemmer of its own: one keeps the word that it works on, and threads would mix theirs up."""
    return str(snowballstemmer.stemmer("english").stemWord(word))
