from __future__ import annotations

import json
import math

import pytest

from qa.calibration import Calibration, along
from qa.errors import ModelError

FITTED = Calibration(-1.0, {"reader": 2.0, "dense": 1.0}, {"dense": 0.5}, ((0.2, 0.0), (0.6, 0.8), (0.9, 1.0)), 0.4, {"questions": 9})


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_what_is_saved_is_what_is_loaded(tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(FITTED.to_json()))
    assert Calibration.read(file) == FITTED
    assert Calibration.load("whatever", file) == FITTED


def test_a_reader_without_a_calibration_gets_the_sigmoid_of_its_score():
    assert Calibration.load("no-such-reader").confidence({"reader": 1.5, "dense": 9.0}) == sigmoid(1.5)


def test_means_stand_in_for_what_is_not_known():
    straight = Calibration(-1.0, {"reader": 2.0, "dense": 1.0}, {"dense": 0.5})
    assert straight.confidence({"reader": 1.0}) == sigmoid(-1 + 2 + 0.5)
    assert straight.confidence({"reader": 1.0, "dense": 0.0}) == sigmoid(-1 + 2)
    assert straight.confidence({}) == 0.0


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.2, 0.0), (0.4, 0.4), (0.6, 0.8), (0.75, 0.9), (0.9, 1.0), (1.0, 1.0)])
def test_the_curve_is_straight_between_its_points_and_level_beyond(x, y):
    assert along(FITTED.curve, x) == pytest.approx(y)


def test_without_a_curve_it_is_as_it_is():
    assert along((), 0.3) == 0.3


def test_huge_features_do_not_overflow():
    assert (
        0 <= Calibration(0, {"reader": 1e6}).confidence({"reader": -1e6}) < Calibration(0, {"reader": 1e6}).confidence({"reader": 1e6}) <= 1
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "3", '{"version": 2}', '{"version": 1, "curve": [], "intercept": 0, "weights": {}, "x": 1}']
)
def test_another_file_is_refused_with_the_command_that_makes_one(tmp_path, text):
    file = tmp_path / "c.json"
    file.write_text(text)
    with pytest.raises(ModelError, match=r"fit it again: qa calibrate SET\)$"):
        Calibration.read(file)
    with pytest.raises(ModelError, match=r"missing.json cannot be read: No such file or directory \(fit one: qa calibrate SET --out "):
        Calibration.read(tmp_path / "missing.json")
