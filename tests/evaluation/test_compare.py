"""Comparisons of two runs, and the settings that a sweep makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.config import Config
from qa.errors import ConfigError, DataError
from qa.evaluation.compare import check_comparable, compare, relevant_rank, sweep
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.metrics import Found
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run
from qa.evaluation.summary import summarise

QUESTIONS = tuple(Question(str(number), "When?", "fact", gold=(Gold("a", 5, 9, "1969"),)) for number in range(6))
HIT, MISS = Found("a", 0, 20, 1.0), Found("b", 0, 20, 1.0)


def run(*answers, corpus="c1", p50=10.0):
    outcomes = tuple(Outcome(q, (HIT,) if a else (MISS, HIT), a, None, 0.9, p50) for q, a in zip(QUESTIONS, answers, strict=True))
    same = {"dataset": "s", "questions": 6, "corpus_sha256": corpus, "questions_sha256": "q", "mode": "answers"}
    index = {"seconds": 2.0, "passages_per_second": 4.0, "bytes": 8}
    return Run(Dataset("s", (), QUESTIONS), "answers", same | summarise(outcomes, "answers") | {"index": index}, outcomes, Path("run"))


def test_metrics_are_compared_question_by_question():
    comparison = compare(run("1969", *[None] * 5), run(*["1969"] * 6, p50=20.0), ("a", "b"))
    em = comparison["metrics"]["EM"]
    assert (em["first"], em["second"], em["difference"]) == (pytest.approx(1 / 6), 1, pytest.approx(5 / 6))
    assert em["p"] == 2 / 2**5
    assert em["interval"][0] < 5 / 6 <= em["interval"][1]
    assert "p" not in comparison["metrics"]["ECE"]
    assert "no_answer_F1" not in comparison["metrics"]
    assert comparison["costs"]["latency p50, ms"] == (10.0, 20.0)


def test_questions_that_differ_are_listed_with_both_answers():
    differ = compare(run("1969", *[None] * 5), run("1970", *[None] * 4, "1969"), ("a", "b"))["differ"]
    assert [(row["id"], row["better"], row["answers"], row["ranks"]) for row in differ] == [
        ("0", "a", ("1969", "1970"), (1, 1)),
        ("5", "b", (None, "1969"), (2, 1)),
    ]
    assert differ[0]["gold"] == ["1969"]


def test_equal_runs_do_not_differ():
    comparison = compare(run(*["1969"] * 6), run(*["1969"] * 6), ("a", "b"))
    assert comparison["differ"] == []
    assert comparison["metrics"]["EM"]["p"] == 1


def test_runs_over_other_corpora_are_refused():
    with pytest.raises(DataError, match="their corpora differ"):
        compare(run(*["1969"] * 6), run(*["1969"] * 6, corpus="c2"), ("a", "b"))
    one = run(*["1969"] * 6).result
    with pytest.raises(DataError, match="their questions differ"):
        check_comparable(one, one | {"questions_sha256": "other"})


def test_a_judged_document_is_ranked_by_its_grade():
    outcome = Outcome(Question("q", "?", documents={"a": 0, "b": 1}), (HIT, MISS))
    assert relevant_rank(outcome) == 2


def test_a_sweep_is_a_configuration_for_each_value():
    swept = sweep({"qa": Config()}, "retrieval.dense_weight=0, 0.25")
    assert {label: config.retrieval.dense_weight for label, config in swept.items()} == {
        "retrieval.dense_weight=0": 0.0,
        "retrieval.dense_weight=0.25": 0.25,
    }
    assert list(sweep({"a": Config(), "b": Config()}, "passages.size=100")) == ["a passages.size=100", "b passages.size=100"]


@pytest.mark.parametrize("setting", ["retrieval.dense_weight", "retrieval.dense_weight=", "retrieval.dense_weight=2", "retrieval.weight=1"])
def test_a_sweep_of_no_setting_or_a_wrong_value_is_refused(setting):
    with pytest.raises(ConfigError):
        sweep({"qa": Config()}, setting)
