"""What is kept of a question, and the score that each outcome gets."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from qa.datatypes import Hit, Passage, Turn
from qa.evaluation.datasets import Gold, Question
from qa.evaluation.metrics import Found
from qa.evaluation.outcomes import Outcome, found, from_line, score, to_line
from qa.evaluation.summary import summarise

MOON = Question("q1", "When?", "fact", gold=(Gold("a", 5, 9, "1969"),))
NOWHERE = Question("q2", "Where?", "off-topic")
SUN = replace(MOON, id="q3")
NEVER = replace(NOWHERE, id="q4")
HIT = Found("a", 0, 20, 0.75)


def scores(*outcomes, mode="answers"):
    return {name: values.tolist() for name, values in score(outcomes, mode).items()}


def hit(article, start, score=1.0, also_in=()):
    return Hit(Passage(article, start, start + 10, "x" * 10), score, also_in=also_in)


def test_a_line_has_the_contracts_form_and_comes_back_the_same():
    outcome = Outcome(MOON, (HIT,), None, "1969", 0.25, 12.5)
    line = to_line(outcome)
    assert line == {
        "id": "q1",
        "question": "When?",
        "gold": [{"article_id": "a", "start": 5, "end": 9, "text": "1969"}],
        "hits": [{"article_id": "a", "start": 0, "end": 20, "score": 0.75}],
        "answer": None,
        "confidence": 0.25,
        "withheld": "1969",
        "kind": "fact",
        "latency_ms": 12.5,
    }
    assert from_line(json.loads(json.dumps(line)), MOON) == outcome
    failed = Outcome(NOWHERE, error="ValueError: no")
    assert from_line(to_line(failed), NOWHERE) == failed
    follow_up = replace(MOON, turns=(Turn("Who landed?", "Apollo 11"),))
    assert to_line(Outcome(follow_up))["turns"] == [{"question": "Who landed?", "answer": "Apollo 11"}]


def test_ten_hits_are_kept_best_first():
    assert [place.start for place in found([hit("a", start) for start in range(12)])] == list(range(10))


def test_of_a_judged_document_the_best_passage_is_kept_and_copies_follow_it():
    hits = [hit("a", 0), hit("a", 10), hit("b", 20, also_in=("c", "a")), hit("c", 30)]
    assert [(place.article_id, place.start) for place in found(hits, by_document=True)] == [("a", 0), ("b", 20), ("c", 20)]


def test_an_answer_is_scored_as_shown_and_as_forced():
    (shown, withheld, wrong) = (
        Outcome(MOON, (HIT,), "in 1969", None, 0.9),
        Outcome(MOON, (HIT,), None, "1969", 0.2),
        Outcome(MOON, (), "1970", None, 0.6),
    )
    got = scores(shown, withheld, wrong)
    assert got["EM"] == [0, 0, 0]
    assert got["F1"] == pytest.approx([2 / 3, 0, 0])
    assert got["EM_forced"] == [0, 1, 0]
    assert got["F1_forced"] == pytest.approx([2 / 3, 1, 0])
    assert got["answered_answerable"] == [1, 0, 1]
    assert np.array(got["wrong_given"]) == pytest.approx([0, np.nan, 1], nan_ok=True)
    assert got["right"] == [1, 1, 0]
    assert all(math.isnan(value) for value in got["no_answer_F1"])


def test_unanswerable_questions_are_right_when_refused():
    got = scores(
        Outcome(NOWHERE, (HIT,), None, "1969", 0.3), Outcome(NOWHERE, (HIT,), "1969", None, 0.8), Outcome(MOON, (), "1969", None, 0.9)
    )
    assert got["no_answer_F1"] == [1, 0, 1]
    assert got["no_answer_EM"] == [1, 0, 1]
    assert np.array(got["answered_unanswerable"]) == pytest.approx([0, 1, np.nan], nan_ok=True)
    assert np.array(got["wrong_given"]) == pytest.approx([np.nan, 1, 0], nan_ok=True)
    assert np.array(got["EM"]) == pytest.approx([np.nan, np.nan, 1], nan_ok=True)
    assert got["right"] == [0, 0, 1]


def test_a_question_that_fails_is_a_miss_even_when_refusing_it_would_be_right():
    got = scores(Outcome(NOWHERE, error="ValueError: no"), Outcome(MOON, error="ValueError: no"))
    assert got["no_answer_F1"] == [0, 0]
    assert got["R@10"][1] == got["EM"][1] == got["F1_forced"][1] == 0


def test_retrieval_alone_has_no_answer_scores_and_reading_alone_no_retrieval_scores():
    assert set(scores(Outcome(MOON, (HIT,)), mode="retrieval")) == {*(f"R@{k}" for k in range(1, 11)), "RR@10", "nDCG@10"}
    assert "R@1" not in scores(Outcome(MOON, (), "1969"), mode="reader")


def test_summary_has_null_where_a_metric_does_not_apply():
    summary = summarise([Outcome(MOON, (HIT,), "1969", None, 0.9, 10.0), Outcome(SUN, error="ValueError: no")], "answers")
    assert summary["metrics"]["R@1"] == summary["metrics"]["EM"] == 0.5
    assert summary["metrics"]["no_answer_F1"] is None
    assert summary["metrics"]["no_answer_AUROC"] is None
    assert "no_answer_F1" not in summary["intervals"]
    assert summary["failed"] == [{"id": "q3", "error": "ValueError: no"}]
    assert summary["latency_ms"] == {"p50": 10.0, "p95": 10.0}
    assert summary["curves"]["recall"] == [0.5] * 10


def test_summary_breaks_down_by_kind():
    kinds = summarise([Outcome(MOON, (HIT,), "1969", None, 0.9), Outcome(NOWHERE, (), "1969", None, 0.9)], "answers")["kinds"]
    assert kinds["fact"]["questions"] == 1
    assert (kinds["fact"]["EM"], kinds["off-topic"]["answered_unanswerable"]) == (1, 1)
    assert "EM" not in kinds["off-topic"]


def test_metrics_over_a_whole_set_are_means_over_the_questions_they_apply_to():
    outcomes = [
        Outcome(MOON, (Found("b", 0, 9, 1.0), HIT), "1969", None, 0.9),
        Outcome(SUN, (HIT,), None, "1969", 0.4),
        Outcome(NEVER, (HIT,), "1969", None, 0.5),
        Outcome(NOWHERE, (HIT,), None, "1969", 0.1),
    ]
    metrics = summarise(outcomes, "answers")["metrics"]
    assert metrics["R@1"] == 0.5
    assert metrics["RR@10"] == 0.75
    assert metrics["nDCG@10"] == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert (metrics["EM"], metrics["EM_forced"]) == (0.5, 1)
    assert metrics["no_answer_F1"] == 0.5
    assert metrics["no_answer_AUROC"] == 0.75
    assert metrics["wrong_given"] == 0.5
    assert metrics["ECE"] == pytest.approx((0.1 + 0.6 + 0.5 + 0.1) / 4)
