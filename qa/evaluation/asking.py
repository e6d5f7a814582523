"""Questions put to the pipeline, in each of the ways that a run can ask, and timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from qa.answers import Group
from qa.calibration import Calibration
from qa.chat import standalone_question
from qa.config import Config
from qa.datatypes import Article, Filters, Hit, Passage, Response, Turn
from qa.evaluation.datasets import Question
from qa.evaluation.metrics import CUTOFF
from qa.evaluation.outcomes import Mode, Outcome, found
from qa.features import features
from qa.sentences import paragraph_spans

DOCUMENT_HITS = 50  # passages searched for where documents are judged, to find ten documents
TIMED = 200
TOGETHER = 64


class Asked(Protocol):
    """What is needed of `qa.pipeline.Pipeline`; the tests have one of ten lines."""

    config: Config

    def ask(self, question: str, turns: Sequence[Turn] = ...) -> Response: ...

    def search(self, question: str, filters: Filters = ..., k: int = ...) -> tuple[Hit, ...]: ...

    def search_many(self, questions: Sequence[str], k: int = ...) -> list[tuple[Hit, ...]]: ...

    def read(self, question: str, hits: Sequence[Hit]) -> list[Group]: ...

    def article(self, article_id: str) -> Article: ...


def ask_all(pipeline: Asked, mode: Mode, by_document: bool, hurry: Callable[[], None], questions: Sequence[Question]) -> Iterator[Outcome]:
    """Outcomes in the order of the questions.

    The first are asked as a user would, one by one, to see how long that takes. Then comes `hurry`, and the others have no
    latency; where nothing is read, they are encoded together.
    """
    for question in questions[:TIMED]:
        yield ask(pipeline, mode, by_document, question)
    hurry()
    for start in range(TIMED, len(questions), TOGETHER):
        some = questions[start : start + TOGETHER]
        outcomes = (
            _search_together(pipeline, by_document, some)
            if mode == "retrieval"
            else (ask(pipeline, mode, by_document, one) for one in some)
        )
        yield from (replace(outcome, latency_ms=None) for outcome in outcomes)


def ask(pipeline: Asked, mode: Mode, by_document: bool, question: Question) -> Outcome:
    """One question's outcome. What goes wrong with it becomes its error: it must not end the run."""
    try:
        if mode == "retrieval":
            return _search(pipeline, by_document, question)
        return _read_paragraph(pipeline, question) if mode == "reader" else _answer(pipeline, question)
    except Exception as error:
        return Outcome(question, error=f"{type(error).__name__}: {error}")


def _search(pipeline: Asked, by_document: bool, question: Question) -> Outcome:
    started = time.perf_counter()
    hits = pipeline.search(_standalone(question), k=DOCUMENT_HITS if by_document else CUTOFF)
    return Outcome(question, found(hits, by_document), latency_ms=_milliseconds(started))


def _search_together(pipeline: Asked, by_document: bool, questions: Sequence[Question]) -> Iterator[Outcome]:
    try:
        many = pipeline.search_many([_standalone(question) for question in questions], k=DOCUMENT_HITS if by_document else CUTOFF)
    except Exception:  # asked one by one, the question that fails has a name
        yield from (ask(pipeline, "retrieval", by_document, question) for question in questions)
    else:
        yield from (Outcome(question, found(hits, by_document)) for question, hits in zip(questions, many))


def _standalone(question: Question) -> str:
    return standalone_question(question.question, question.turns)


def _answer(pipeline: Asked, question: Question) -> Outcome:
    started = time.perf_counter()
    response = pipeline.ask(question.question, question.turns)
    latency = _milliseconds(started)
    hits = response.hits
    if len(hits) < CUTOFF:  # the reader is given fewer than are scored
        hits = pipeline.search(response.standalone_question, k=CUTOFF)
    best = response.answer or response.withheld
    answer = response.answer.text if response.answer else None
    withheld = best.text if best and not response.answer else None
    return Outcome(question, found(hits), answer, withheld, best.confidence if best else 0.0, latency)


def _read_paragraph(pipeline: Asked, question: Question) -> Outcome:
    """The reader alone, on the paragraph where the answer stands or should."""
    passage = gold_paragraph(question, pipeline)
    started = time.perf_counter()
    read = [Hit(passage, 1.0)]
    groups = pipeline.read(question.question, read)
    outcome = Outcome(question, latency_ms=_milliseconds(started))
    if not groups:
        return outcome
    settings = pipeline.config.reader
    calibration = Calibration.load(settings.model, settings.calibration)
    confidence = calibration.confidence(features(question.question, read, groups[0]))
    shown = confidence >= (calibration.threshold if settings.threshold is None else settings.threshold)
    text = groups[0].text
    return replace(outcome, answer=text if shown else None, withheld=None if shown else text, confidence=confidence)


def gold_paragraph(question: Question, pipeline: Asked) -> Passage:
    """The paragraph that the set names, else the one around the first gold."""
    place = question.paragraph or question.gold[0]
    article = pipeline.article(place.article_id)
    start, end = place.start, place.end
    if question.paragraph is None:
        around = [span for span in paragraph_spans(article.text) if span[0] <= start < span[1]]
        start, end = around[0][0], max(end, around[0][1])
    return Passage(article.id, start, end, article.text[start:end], article.title)


def _milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000
