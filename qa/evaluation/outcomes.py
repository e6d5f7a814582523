"""What became of each question, the lines in which that is kept (`--details`), and the scores of each.

The lines are the contract of `qa eval --details`; whatever a report says can be computed from them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from qa.datatypes import Hit
from qa.evaluation.datasets import Question
from qa.evaluation.metrics import CUTOFF, MEASURES, Found, exact_match, f1, is_right, ranking_scores
from qa.evaluation.statistics import Values

# "answers": search and read, over the whole corpus. "retrieval": search only. "reader": read the gold paragraph only.
Mode = Literal["answers", "retrieval", "reader"]
ANSWERS = (
    *("EM", "F1", "EM_forced", "F1_forced", "no_answer_EM", "no_answer_F1"),
    *("answered_answerable", "answered_unanswerable", "answered", "wrong_given", "right"),
)
Scores = dict[str, Values]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and what it got. `answer` is None when refused, and `withheld` is then what would have been said.

    `hits` are best first, ten at most. `error` is set when asking failed, which counts as a miss. `latency_ms` is None for a
    question that was not asked alone.
    """

    question: Question
    hits: tuple[Found, ...] = ()
    answer: str | None = None
    withheld: str | None = None
    confidence: float = 0.0
    latency_ms: float | None = None
    error: str | None = None

    @property
    def best(self) -> str:
        """The answer that was found, shown or not."""
        return self.answer or self.withheld or ""


def found(hits: Sequence[Hit], by_document: bool = False) -> tuple[Found, ...]:
    """Hits as they are scored: the first ten, or the best passages of the first ten documents.

    Copies of an article are no hits of their own, but as documents they were found with it, right behind.
    """
    places = [Found(hit.passage.article_id, hit.passage.start, hit.passage.end, hit.score) for hit in hits]
    if by_document:
        best: dict[str, Found] = {}
        for place, hit in zip(places, hits):
            for article_id in (place.article_id, *hit.also_in):
                best.setdefault(article_id, replace(place, article_id=article_id))
        places = list(best.values())
    return tuple(places[:CUTOFF])


def to_line(outcome: Outcome) -> dict[str, Any]:
    """A line of the details, as the contract has it, then what else a report needs."""
    question = outcome.question
    line: dict[str, Any] = {
        "id": question.id,
        "question": question.question,
        "gold": [asdict(gold) for gold in question.gold],
        "hits": [asdict(hit) for hit in outcome.hits],
        "answer": outcome.answer,
        "confidence": outcome.confidence,
    }
    if outcome.withheld is not None:
        line["withheld"] = outcome.withheld
    if question.turns:
        line["turns"] = [asdict(turn) for turn in question.turns]
    if question.documents:
        line["documents"] = dict(question.documents)
    if outcome.error is not None:
        line["error"] = outcome.error
    return line | {"kind": question.kind, "latency_ms": outcome.latency_ms}


def from_line(line: Mapping[str, Any], question: Question) -> Outcome:
    """`to_line`, back."""
    return Outcome(
        question,
        tuple(Found(**hit) for hit in line["hits"]),
        line["answer"],
        line.get("withheld"),
        line["confidence"],
        line["latency_ms"],
        line.get("error"),
    )


def score(outcomes: Sequence[Outcome], mode: Mode) -> Scores:
    """Measure -> one value a question, NaN where it does not apply. Measures that this mode cannot give are not there."""
    rows: list[dict[str, float]] = [{} for _ in outcomes]
    names: tuple[str, ...] = ()
    if mode != "reader":
        names += MEASURES
        ranked = ranking_scores([(outcome.question, outcome.hits) for outcome in outcomes])
        rows = [ranked.get(outcome.question.id, {}) for outcome in outcomes]
    if mode != "retrieval":
        names += ANSWERS
        refusable = not all(outcome.question.answerable for outcome in outcomes)
        rows = [row | _answer_scores(outcome, refusable) for row, outcome in zip(rows, outcomes)]
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _answer_scores(outcome: Outcome, refusable: bool) -> dict[str, float]:
    """The measures that apply to one question; `no_answer_…` only where the set has questions to refuse.

    `right` is what confidence is held against: the best span, shown or not, answers the question.
    """
    golds = [gold.text for gold in outcome.question.gold]
    shown, best, answered = outcome.answer or "", outcome.best, float(outcome.answer is not None)
    em, overlap, forced = exact_match(shown, golds), f1(shown, golds), f1(best, golds)
    scores = {"right": float(is_right(best, golds)), "answered": answered}
    if golds:
        scores |= {"EM": em, "F1": overlap, "EM_forced": exact_match(best, golds), "F1_forced": forced, "answered_answerable": answered}
    else:
        scores |= {"answered_unanswerable": answered}
    if refusable:
        failed = outcome.error is not None
        scores |= {"no_answer_EM": 0.0 if failed else em, "no_answer_F1": 0.0 if failed else overlap}
    if answered:
        scores |= {"wrong_given": 1 - scores["right"]}
    return scores
