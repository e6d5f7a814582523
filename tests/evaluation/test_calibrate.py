"""Fitting a confidence: on answers whose chance of being right is known, it must be found."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from qa.calibration import Calibration, along
from qa.errors import DataError, ModelError
from qa.evaluation.calibrate import Aim, Sample, at_least_of, at_most_of, fit, run_calibrate
from qa.evaluation.datasets import Dataset, Gold, Question


def samples(count, seed=0):
    """Right with chance sigmoid(2x - 1); a second feature says nothing. One in four is unanswerable, and then never right."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        x = draw.normal()
        answerable = number % 4 > 0
        right = answerable and draw.random() < 1 / (1 + math.exp(-2 * x + 1))
        yield Sample({"reader": x - (0 if answerable else 2), "noise": draw.normal()}, right, answerable, f"article {number % 20}")


def test_a_fitted_confidence_is_calibrated_on_questions_it_has_not_seen():
    fitted = fit(list(samples(3000)))
    unseen = list(samples(3000, seed=1))
    confidence = np.array([fitted.confidence(sample.features) for sample in unseen])
    right = np.array([sample.right for sample in unseen])
    for low in (0.0, 0.2, 0.4, 0.6):
        here = (confidence >= low) & (confidence < low + 0.2)
        assert right[here].mean() == pytest.approx(confidence[here].mean(), abs=0.06)
    assert fitted.about["ECE"] < 0.03
    assert abs(fitted.weights["noise"]) < 0.1 < fitted.weights["reader"]


def test_the_operating_point_keeps_what_was_asked_for():
    fitted = fit(list(samples(3000)), Aim(at_most=0.05))
    unseen = [fitted.confidence(sample.features) for sample in samples(3000, seed=1) if not sample.answerable]
    assert np.mean(np.array(unseen) >= fitted.threshold) == pytest.approx(0.05, abs=0.02)
    assert fitted.about["answered_unanswerable"] <= 0.05


def test_as_much_is_answered_as_was_asked_for_and_no_more():
    fitted = fit(list(samples(3000)), Aim(at_least=0.6))
    unseen = [fitted.confidence(sample.features) for sample in samples(3000, seed=1) if sample.answerable]
    assert np.mean(np.array(unseen) >= fitted.threshold) == pytest.approx(0.6, abs=0.04)
    assert fitted.about["answered_answerable"] == pytest.approx(0.6, abs=0.001)


def test_thresholds_by_hand():
    confidence = np.array([0.6, 0.9, 0.7, 0.8])
    assert at_most_of(confidence, 0.5) == pytest.approx(0.7)
    assert [(confidence >= at_most_of(confidence, share)).sum() for share in (0.0, 0.49, 0.5, 1.0)] == [0, 1, 2, 4]
    assert at_most_of(confidence, 1.0) == 0.0
    assert [at_least_of(confidence, share) for share in (0.0, 0.25, 0.26, 0.5, 1.0)] == [0.9, 0.9, 0.8, 0.8, 0.6]


def test_too_little_to_fit_is_refused():
    with pytest.raises(DataError, match="too few to fit a confidence: at least 40"):
        fit(list(samples(30)))
    with pytest.raises(DataError, match="with right and wrong ones among them"):
        fit([Sample({"reader": 1.0}, True, True, "a")] * 100)
    with pytest.raises(DataError, match="--at-most needs questions that the articles don't answer"):
        fit([Sample({"reader": float(n)}, n % 2 == 0, True, "a") for n in range(100)], Aim(at_most=0.1))


def test_only_the_first_set_decides_when_an_answer_is_shown():
    own = [replace(sample, steers=True) for sample in samples(1000)]
    tempting = {"reader": 9.0, "noise": 0.0}
    other = [replace(one, steers=False, features=tempting) for one in samples(1000, seed=1) if not one.answerable]
    fitted = fit([*own, *other], Aim(at_most=0.1))
    confidence = np.array([fitted.confidence(sample.features) for sample in own if not sample.answerable])
    assert 0.03 < (confidence >= fitted.threshold).mean() < 0.13  # 0 if the others had a say


def test_a_weight_for_each_set_or_none(tmp_path, config):
    with pytest.raises(DataError, match="2 weights for 1 sets"):
        run_calibrate([Dataset("x", (), ())], config, tmp_path / "fitted.json", Aim(), [1.0, 2.0])


@pytest.mark.parametrize(
    ("question", "options", "reason"),
    [
        (Question("q", "When?", documents={"a": 1}), {}, "whole documents are judged"),
        (
            Question("q", "When?", gold=(Gold("a", 0, 4, "1969"),)),
            {"aim": Aim(at_most=0.1)},
            "--at-most needs questions that the articles don't",
        ),
        (Question("q", "When?"), {"aim": Aim(at_least=0.6)}, "--at-least needs questions that the articles answer"),
        (Question("q", "When?"), {"aim": Aim(0.1, 0.6)}, "give one of them"),
        (Question("q", "When?"), {"weights": [0.0]}, "--weight must be above 0"),
    ],
)
def test_what_cannot_be_fitted_is_told_before_anything_is_asked(tmp_path, config, question, options, reason):
    with pytest.raises(DataError, match=reason):
        run_calibrate([Dataset("x", (), (question,))], config, tmp_path / "fitted.json", **options)
    assert not list(tmp_path.iterdir())


def test_folds_without_a_right_answer_are_refused_in_one_line():
    with pytest.raises(DataError, match="too few answers are right, or too few wrong"):
        fit([Sample({"reader": float(number)}, number == 0, True, f"article {number}") for number in range(50)])


def test_a_calibration_survives_its_file(tmp_path):
    fitted = fit(list(samples(600)), about={"dataset": "tiny"})
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(fitted.to_json()))
    assert Calibration.load("span", file) == fitted
    assert fitted.about["dataset"] == "tiny"


def test_a_reader_without_a_calibration_gets_the_sigmoid_of_its_score():
    plain = Calibration.load("some/unknown-model")
    assert plain.confidence({"reader": 0.0}) == 0.5
    assert plain.confidence({"reader": 3.0, "dense": 0.2}) == pytest.approx(1 / (1 + math.exp(-3)))
    assert plain.confidence({}) == 0.0


def test_features_that_are_not_known_count_as_usual():
    calibration = Calibration(0.0, {"reader": 1.0, "dense": 2.0}, {"reader": 5.0, "dense": 0.5})
    assert calibration.confidence({"reader": -1.0}) == 0.5


def test_the_curve_is_straight_between_its_points_and_level_beyond():
    curve = ((0.2, 0.1), (0.4, 0.5))
    assert [along(curve, x) for x in (0.0, 0.2, 0.3, 0.4, 0.9)] == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.5])
    assert along((), 0.3) == 0.3


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 9, "curve": []}'])
def test_a_file_that_is_no_calibration_is_refused(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ModelError):
        Calibration.load("span", tmp_path / "bad.json")
