"""What is known of an answer that tells how likely it is right; turning it into a probability is qa/calibration.py's.

What was tried, and what each feature is worth, is in docs/design.md#confidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from qa.answers import Group, quoted
from qa.datatypes import Hit
from qa.passages import embedding_text
from qa.sentences import sentence_spans
from qa.words import content_words

Features = dict[str, float]

MOST_WORDS = 12  # of a question; those of a longer one say no more about it

_DENIAL = re.compile(r"\b(not|cannot|never|no|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)


def evidence(group: Group) -> str:
    """The sentence that the best span stands in, behind its article's title, as it is encoded to be compared with the question."""
    span = group.spans[0]
    passage, place = span.hit.passage, (span.start - span.hit.passage.start, span.end - span.hit.passage.start)
    start, end = quoted(sentence_spans(passage.text), place, (0, len(passage.text)))
    return embedding_text(passage.title, passage.text[start:end])


def features(question: str, read: Sequence[Hit], group: Group, likeness: float) -> Features:
    """Of a group of spans that answers the question; `read` are the passages that were read, `likeness` the cosine of
    question and evidence.

    - reader: the reader's score of the best span
    - sentence: the likeness
    - words: how many words of the question say something; a short one is met by much that does not answer it
    - denied: 1 when the question denies something ("What did it not reach?") and the evidence does not
    - crowd: the largest share of the passages that one article has. Where all of them are about one thing, something looks like
      the answer even if none is.
    """
    known = {
        "reader": group.spans[0].score,
        "sentence": likeness,
        "words": float(min(MOST_WORDS, len(content_words(question)))),
        "denied": float(_denies(question) and not _denies(evidence(group))),
    }
    if len(read) > 1:
        known["crowd"] = max(Counter(hit.passage.article_id for hit in read).values()) / len(read)
    return known


def _denies(text: str) -> bool:
    return _DENIAL.search(text) is not None
