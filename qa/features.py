"""What is known of an answer that tells how likely it is right; turning it into a probability is qa/calibration.py's.

What was tried, and what each feature is worth, is in docs/design.md#confidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from qa.answers import Group
from qa.datatypes import Hit
from qa.evidence import evidence, place, sentence
from qa.questions import lacks_quantity
from qa.words import content_words, stems

Features = dict[str, float]

MOST_WORDS = 12  # of a question; those of a longer one say no more about it
UNIT = 4, 15  # characters before and after an answer, where its unit stands
NEAR = 40, 60  # characters before and after an answer, within its sentence, where what it counts is named

_DENIAL = re.compile(r"\b(not|cannot|never|no|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)
_COUNT = re.compile(r"\bhow many\s+(.{1,60})", re.IGNORECASE)


def features(question: str, hits: Sequence[Hit], group: Group) -> Features:
    """Of a group of spans that answers the question; `hits` are those that the reader may read.

    - reader: the reader's score of the best span
    - sentence: the cosine of question and evidence (qa/evidence.py)
    - words: how many words of the question say something; a short one is met by much that does not answer it
    - denied: 1 when the question denies something ("What did it not reach?") and the evidence does not
    - unmeasured: 1 when the question asks for a weight, a price, a year … and the answer is none (qa/questions.py), or "How many people …?"
      and neither "people" nor the word after it stands near the answer
    - crowd: the largest share of the hits that one article has. Where all of them are about one thing, something looks like
      the answer even if none is.
    """
    known = {
        "reader": group.spans[0].score,
        "sentence": group.likeness,
        "words": float(min(MOST_WORDS, len(content_words(question)))),
        "denied": float(_denies(question) and not _denies(evidence(group))),
        "unmeasured": float(lacks_quantity(question, _with_unit(group)) or _is_uncounted(question, group)),
    }
    if len(hits) > 1:
        known["crowd"] = max(Counter(hit.passage.article_id for hit in hits).values()) / len(hits)
    return known


def _with_unit(group: Group) -> str:
    """The answer and what stands beside it: "138" may be followed by "cm", "20" may follow "$"."""
    start, end = place(group)
    return group.spans[0].hit.passage.text[max(0, start - UNIT[0]) : end + UNIT[1]]


def _is_uncounted(question: str, group: Group) -> bool:
    asked = _COUNT.search(question)
    if asked is None:
        return False
    (start, end), (first, last) = place(group), sentence(group)
    near = group.spans[0].hit.passage.text[max(first, start - NEAR[0]) : min(last, end + NEAR[1])]
    counted = stems(" ".join(content_words(asked[1])[:2]))
    return bool(counted) and not counted & stems(near)


def _denies(text: str) -> bool:
    return _DENIAL.search(text) is not None
