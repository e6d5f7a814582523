"""The sentence behind an answer: of answers that the reader finds about as good, the one wins whose sentence is more like the question.

The reader sees a passage at a time and says little about which of two passages is meant, and retrieval compares whole passages.
The sweep that chose the weights is in docs/design.md#reading. They suit the cosines of the encoder that ships; those of another may lie
closer together (bench/evidence.py --config FILE). Sentences are told by English rules: the passage does not say its language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qa.answers import Group, quoted
from qa.encoder import Encoder
from qa.passages import embedding_text
from qa.sentences import Offsets, sentence_spans
from qa.words import coverage

LEADING = 4  # groups that are weighed; a fifth changed nothing
LIKENESS = 0.75  # weight of the cosine of question and evidence, beside the score of retrieval and reader
COVERAGE = 0.1  # weight of the share of the question's words that the evidence has


def evidence(group: Group) -> str:
    """The sentence that the best span stands in, behind its article's title, as it is encoded to be compared with the question."""
    passage = group.spans[0].hit.passage
    start, end = sentence(group)
    return embedding_text(passage.title, passage.text[start:end])


def sentence(group: Group) -> Offsets:
    """In characters of its passage."""
    text = group.spans[0].hit.passage.text
    return quoted(sentence_spans(text), place(group), (0, len(text)))


def place(group: Group) -> Offsets:
    """The best span, in characters of its passage."""
    span = group.spans[0]
    return span.start - span.hit.passage.start, span.end - span.hit.passage.start


def compared(groups: Sequence[Group], question: NDArray[np.float32], encoder: Encoder) -> list[Group]:
    """The groups with their likeness to the encoded question, (dim,)."""
    if not groups:
        return []
    cosines = encoder.encode_passages([evidence(group) for group in groups]) @ question
    return [replace(group, likeness=float(cosine)) for group, cosine in zip(groups, cosines, strict=True)]


def weighed(question: str, groups: Sequence[Group]) -> list[Group]:
    """Those that lead in the order of their scores with the evidence, the others after them. The scores stay as they were."""

    def score(group: Group) -> float:
        return group.score + LIKENESS * group.likeness + COVERAGE * coverage(question, evidence(group))

    return sorted(groups[:LEADING], key=lambda group: -score(group)) + list(groups[LEADING:])
