"""From a question and its hits to the spans that may answer it.

Every reader gives verbatim spans, best first, with a score of its own. qa/answers.py ranks them together with retrieval and
groups them, qa/evidence.py weighs their sentences, qa/features.py and qa/calibration.py tell how sure they are. The `sentence`
reader needs no model but the encoder: it takes the sentence that is nearest to the question in meaning and shares most of its words.
Model readers are in qa/span_reader.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from qa.config import Reader as ReaderSettings
from qa.datatypes import Hit, Span
from qa.encoder import Encoder
from qa.sentences import Offsets, sentence_spans
from qa.words import coverage

# Share of word overlap beside the cosine. Chosen on the development sets before the readers with a model came; that sweep was not kept.
OVERLAP_WEIGHT = 0.5

_LEANS_BACK = re.compile(r"(he|she|it|they|this|that|these|those|but|and|so|his|her|its|their)\b", re.IGNORECASE)


class Reader(Protocol):
    """What the pipeline needs of a reader.

    `weight` is how much its score counts beside the retrieval score. `reranks` says that it knows better than retrieval: passages
    are read only until its lead is large enough, the order of the hits follows it, and evidence is weighed beside it.
    """

    name: str
    weight: float
    reranks: bool

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Spans inside the hits' passages, best first."""


class SentenceReader:
    """The best sentence of each hit; two when it cannot stand alone ("It was built in …")."""

    name = "sentence"
    weight = 1.0
    reranks = False

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        places = [(hit, *span) for hit in hits for span in sentence_spans(hit.passage.text)]
        if not places or not question.strip():
            return []
        texts = [hit.passage.text[start:end] for hit, start, end in places]
        cosines = self._encoder.encode_passages(texts) @ self._encoder.encode_questions([question])[0]
        spans = [
            _span(hit, (start, end), float(cosine) + OVERLAP_WEIGHT * coverage(question, f"{hit.passage.title} {text}"))
            for (hit, start, end), text, cosine in zip(places, texts, cosines, strict=True)
        ]
        return sorted(spans, key=lambda span: -span.score)


def load_reader(settings: ReaderSettings, encoder: Encoder) -> Reader:
    """The reader that the configuration names. Fails at once, with ModelError, when its files are not there."""
    if settings.model == SentenceReader.name:
        return SentenceReader(encoder)
    from qa.span_reader import SpanReader

    return SpanReader(settings.model, backend=settings.backend)


def _span(hit: Hit, sentence: Offsets, score: float) -> Span:
    """The sentence, with the one before it where it leans on that."""
    start, end = sentence
    passage = hit.passage
    if _LEANS_BACK.match(passage.text, start):
        before = [span for span in sentence_spans(passage.text) if span[1] <= start and "\n" not in passage.text[span[1] : start]]
        start = before[-1][0] if before else start
    return Span(hit, passage.start + start, passage.start + end, passage.text[start:end], score)
