"""Floors under the metrics: held, broken with the lost questions named, raised freely, lowered with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import article

from qa.errors import DataError
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.gate import baseline_file, broken_floors, set_floors
from qa.evaluation.metrics import Found
from qa.evaluation.noise import measure_noise
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run
from qa.evaluation.summary import summarise

QUESTIONS = tuple(Question(f"q{number}", "When?", gold=(Gold("a", 5, 9, "1969"),)) for number in range(20))
NOISE = {"spread": {"R@1": 0.0, "R@5": 0.0, "RR@10": 0.0, "nDCG@10": 0.0, "EM": 0.1, "F1": 0.1}}
HIT = Found("a", 0, 20, 1.0)
SAME = {"dataset": "s", "questions": 20, "corpus_sha256": "c", "questions_sha256": "q", "mode": "answers"}


def run(right, **changes):
    """The first `right` questions are answered rightly."""
    outcomes = tuple(Outcome(q, (HIT,), "1969" if number < right else "no", None, 0.9) for number, q in enumerate(QUESTIONS))
    made = {"fingerprint": "f", "reader": "sentence", "date": "2026-11-22"}
    return Run(Dataset("s", (), QUESTIONS), "answers", {**SAME, **made, **summarise(outcomes, "answers"), **changes}, outcomes, Path("run"))


def test_floors_are_below_what_was_measured_by_the_noise_and_by_one_question_at_least(tmp_path):
    baseline = set_floors(run(15), tmp_path / "baseline.json", noise=NOISE)
    assert baseline["floors"]["EM"] == pytest.approx(13 / 20)
    assert baseline["floors"]["R@1"] == pytest.approx(19 / 20)
    assert "no_answer_F1" not in baseline["floors"]
    assert baseline["noise"] == NOISE
    assert json.loads((tmp_path / "baseline.json").read_text()) == baseline


def test_the_noise_is_kept_and_must_have_been_measured(tmp_path):
    set_floors(run(10), tmp_path / "baseline.json", noise=NOISE)
    assert set_floors(run(15), tmp_path / "baseline.json")["noise"] == NOISE
    with pytest.raises(DataError, match=r"the noise of R@1 has not been measured \(measure it: qa baseline SET --builds 2\)"):
        set_floors(run(15), tmp_path / "other.json")


def test_noise_is_the_spread_over_the_run_and_indexes_built_in_other_ways(config, monkeypatch):
    built = []

    def evaluated(dataset, config, mode, progress):
        built.append((config.index.path.parent, config.embedding.backend, [article.id for article in dataset.articles]))
        metrics = {"R@1": (0.7, 0.6)[len(built) - 1], "EM": None, "wrong_given": None}  # where nothing is answered, nothing is wrong
        return replace(run(15), result={"metrics": metrics})

    monkeypatch.setattr("qa.evaluation.noise.evaluate", evaluated)
    articles = tuple(article(str(number), "Text.") for number in range(9))
    given = replace(run(15), dataset=Dataset("s", articles, QUESTIONS), result={"metrics": {"R@1": 0.5, "EM": None, "wrong_given": 0.1}})
    noise = measure_noise(given, config, 2)
    assert noise["spread"] == {"R@1": pytest.approx(0.2)}
    assert [build["encoded"] for build in noise["builds"]] == ["torch, float32, one thread", "as configured"]
    assert [backend for _, backend, _ in built] == ["torch", "auto"]
    assert len({tuple(order) for _, _, order in built}) == 2
    assert not any(folder.exists() for folder, _, _ in built)


def test_a_broken_floor_names_the_questions_lost(tmp_path):
    set_floors(run(15), tmp_path / "baseline.json", noise=NOISE)
    assert broken_floors(run(13), tmp_path / "baseline.json") == []
    lines = broken_floors(run(12), tmp_path / "baseline.json")
    assert lines == [f"{name} is 0.6000, below its floor 0.6500; lost: q12, q13, q14" for name in ("EM", "F1")]


def test_floors_rise_freely_and_fall_with_a_reason(tmp_path):
    file = tmp_path / "baseline.json"
    set_floors(run(10), file, noise=NOISE)
    assert set_floors(run(15), file)["floors"]["EM"] == pytest.approx(0.65)
    with pytest.raises(DataError, match=r"floors would fall: EM from 0.6500 to 0.5500; F1 .* \(to lower them: --lower 'the reason'\)"):
        set_floors(run(13), file)
    lowered = set_floors(run(13), file, "a stricter tokenizer")
    assert lowered["floors"]["EM"] == pytest.approx(0.55)
    assert lowered["lowered"][0]["reason"] == "a stricter tokenizer"
    assert lowered["lowered"][0]["floors"]["EM"] == (pytest.approx(0.65), pytest.approx(0.55))
    assert set_floors(run(20), file)["lowered"][0]["reason"] == "a stricter tokenizer"


@pytest.mark.parametrize("key", ["corpus_sha256", "questions_sha256", "mode"])
def test_a_baseline_of_other_data_is_refused(tmp_path, key):
    set_floors(run(10), tmp_path / "baseline.json", noise=NOISE)
    with pytest.raises(DataError, match=f"is about other data: its {key}"):
        broken_floors(run(10, **{key: "other"}), tmp_path / "baseline.json")


def test_a_missing_baseline_is_refused_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(DataError, match="qa baseline"):
        broken_floors(run(10), tmp_path / "baseline.json")


def test_the_baseline_stands_in_the_sets_folder_or_beside_its_file(tmp_path):
    assert baseline_file(tmp_path) == tmp_path / "baseline.json"
    assert baseline_file(tmp_path / "squad.json") == tmp_path / "squad.baseline.json"
