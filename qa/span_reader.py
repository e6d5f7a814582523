"""Reads passages with an extractive model: for a question and its hits, the spans that answer best.

A span's score is its start logit + end logit minus those of the null span (the [CLS] token) in the same window, so
that scores compare across passages: above 0 the model prefers the span to "not said here". Ranking with retrieval,
grouping and confidence are the caller's. Nothing heavy is imported before the first `read`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from qa.datatypes import Hit, Passage, Span
from qa.exported import Numbers, Rows
from qa.mend import mend
from qa.questions import wants_sentence
from qa.sentences import Offsets, sentence_spans
from qa.span_model import SHIPPED, reader_folder
from qa.span_runtimes import Backend, SpanModel, load_span_model, token_inputs

MAX_QUESTION = 64  # tokens; what is longer is cut off
MAX_TITLE = 24  # tokens; likewise
MAX_WINDOW = 384  # tokens of question and passage together; longer passages are read in windows
STRIDE = 128  # tokens that neighbouring windows share
MAX_SPAN = 30  # tokens
BATCH_TOKENS = 4096  # padding included


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a hit's passage as the model sees it. `offsets` are characters of the passage, None outside of it."""

    hit: int
    inputs: dict[str, list[int]]
    offsets: list[tuple[int, int] | None]
    null: int

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of passage characters, half-open."""

    hit: int
    start: int
    end: int
    score: float


class SpanReader:
    """A reader by name (`span`: our own), folder or Hugging Face name. Safe to use from several threads."""

    weight = 0.05  # of a logit beside the retrieval score
    reranks = True

    def __init__(self, model: str = SHIPPED, spans_per_passage: int = 3, backend: Backend = "auto") -> None:
        reader_folder(model)  # fails now, not at the first question
        self.name = model
        self._backend = backend
        self._per_passage = spans_per_passage
        self._lock = threading.Lock()

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Spans of these hits, best first: at most `spans_per_passage` of a passage, none overlapping another of it."""
        if not question.strip() or not hits:
            return []
        with self._lock:
            windows = self._windows(question.strip(), [hit.passage for hit in hits])
            found = [candidate for batch in _batches(windows) for candidate in self._score(batch)]
        whole = _whole_sentences if wants_sentence(question) else mend
        mended = [_widened(candidate, whole(hits[candidate.hit].passage.text, candidate.start, candidate.end)) for candidate in found]
        kept = _without_overlaps(sorted(mended, key=lambda c: -c.score), self._per_passage)
        return [_span(hits[candidate.hit], candidate) for candidate in kept]

    @cached_property
    def _model(self) -> SpanModel:
        return load_span_model(self.name, self._backend)

    def _windows(self, question: str, passages: Sequence[Passage]) -> list[Window]:
        tokenizer, facts = self._model.tokenizer, self._model.facts
        limit = min(MAX_WINDOW, facts.limit)
        tokenizer.no_truncation()
        asked = [self._asked(question, passage.title, limit) for passage in passages]
        longest = max(len(tokenizer.encode(text, add_special_tokens=False)) for text in set(asked))
        room = limit - longest - tokenizer.num_special_tokens_to_add(is_pair=True)
        tokenizer.enable_truncation(limit, stride=min(STRIDE, room // 2), strategy="only_second")
        encodings = tokenizer.encode_batch(list(zip(asked, [passage.text for passage in passages], strict=True)))
        return [
            _window(hit, part, self._model) for hit, encoding in enumerate(encodings) for part in (encoding, *encoding.overflowing)
        ]

    def _asked(self, question: str, title: str, limit: int) -> str:
        """What stands before the passage: the question and, for a model that was trained so, the title of the article."""
        tokenizer, facts = self._model.tokenizer, self._model.facts
        question = _cut(tokenizer, question, min(MAX_QUESTION, limit // 2))
        if not title or not facts.reads_titles:
            return question
        return f"{question} {facts.separator} {_cut(tokenizer, title, min(MAX_TITLE, limit // 8))}"

    def _score(self, windows: Sequence[Window]) -> Iterator[Candidate]:
        starts, ends = self._model.score([window.inputs for window in windows])
        for row, window in enumerate(windows):
            yield from _best_pairs(window, starts[row, : len(window)], ends[row, : len(window)], self._per_passage)


def _cut(tokenizer: Any, text: str, tokens: int) -> str:
    """The first so many tokens of a text."""
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]


def _window(hit: int, encoding: Any, model: SpanModel) -> Window:
    # A token of no width (some tokenizers make them) is no place for a span to begin.
    offsets = [
        offset if side == 1 and offset[0] < offset[1] else None
        for offset, side in zip(encoding.offsets, encoding.sequence_ids, strict=True)
    ]
    null = encoding.ids.index(model.facts.null) if model.facts.null in encoding.ids else 0
    return Window(hit, token_inputs(encoding, model.facts.inputs), offsets, null)


def _best_pairs(window: Window, starts: Rows, ends: Rows, count: int) -> Iterator[Candidate]:
    """The best (start, end) pairs of a window: end >= start, at most MAX_SPAN tokens, inside the passage."""
    inside = np.array([offset is not None for offset in window.offsets])
    last = np.append(np.where(inside, ends, -np.inf), np.full(MAX_SPAN - 1, -np.inf))
    # (tokens, MAX_SPAN): the score of the span from a token on, of 1, 2, … tokens.
    scores = np.where(inside, starts, -np.inf)[:, None] + np.lib.stride_tricks.sliding_window_view(last, MAX_SPAN)
    null = float(starts[window.null] + ends[window.null])
    # Neighbours of the best span score nearly as high, so that many pairs are needed to find a few that lie apart.
    for place in _largest(scores.ravel(), 40 * count):
        first, more = divmod(int(place), MAX_SPAN)
        begin, end = window.offsets[first], window.offsets[min(first + more, len(window) - 1)]
        score = float(scores[first, more])
        if begin is not None and end is not None and score > -np.inf:
            yield Candidate(window.hit, begin[0], end[1], score - null)


def _largest(values: Rows, count: int) -> Numbers:
    """Places of the largest values, largest first."""
    if count < len(values):
        some = np.argpartition(-values, count)[:count]
        return some[np.argsort(-values[some], kind="stable")]
    return np.argsort(-values, kind="stable")


def _batches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows of about the same length together, so that little is padding."""
    batch: list[Window] = []
    for window in sorted(windows, key=len):
        if batch and (len(batch) + 1) * len(window) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _without_overlaps(candidates: Sequence[Candidate], per_passage: int) -> list[Candidate]:
    """Best first: drops a candidate that overlaps a better one of its passage, and those beyond `per_passage`."""
    kept: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        others = kept.setdefault(candidate.hit, [])
        if len(others) < per_passage and all(candidate.end <= o.start or o.end <= candidate.start for o in others):
            others.append(candidate)
    return sorted((c for others in kept.values() for c in others), key=lambda c: -c.score)


def _whole_sentences(text: str, start: int, end: int) -> Offsets:
    """The sentences that a span lies in."""
    touched = [span for span in sentence_spans(text) if span[0] < end and start < span[1]] or [(start, end)]
    return touched[0][0], touched[-1][1]


def _widened(candidate: Candidate, place: Offsets) -> Candidate:
    return replace(candidate, start=place[0], end=place[1])


def _span(hit: Hit, candidate: Candidate) -> Span:
    """The candidate in characters of the article."""
    passage, start, end = hit.passage, candidate.start, candidate.end
    return Span(hit, passage.start + start, passage.start + end, passage.text[start:end], candidate.score)
