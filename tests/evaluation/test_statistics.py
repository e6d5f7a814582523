"""Statistics against scikit-learn, scipy and cases that can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test
from sklearn.metrics import roc_auc_score

from qa.evaluation.statistics import (
    Bin,
    auroc,
    auroc_interval,
    calibration_error,
    mean,
    mean_interval,
    randomisation_test,
    reliability,
    risk_coverage,
)

NAN = float("nan")


@pytest.fixture
def draw():
    return np.random.default_rng(7)


def test_mean_is_over_the_questions_to_which_the_measure_applies():
    assert mean(np.array([1.0, NAN, 0.0])) == 0.5
    assert mean(np.array([NAN])) is None
    assert mean_interval(np.array([NAN])) is None


def test_interval_of_the_mean_is_about_two_standard_errors_wide(draw):
    values = draw.random(2000)
    low, high = mean_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 2000**0.5, rel=0.1)
    assert mean_interval(values) == (low, high)


def test_auroc_counts_ties_half():
    assert auroc(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])) == 3.5 / 4
    assert auroc(np.array([0.1, 0.5]), np.array([True, True])) is None


def test_auroc_equals_scikit_learn(draw):
    for digits in (1, 2, 8):
        scores = np.round(draw.random(500), digits)
        positive = draw.random(500) < scores
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_interval_of_auroc_holds_the_value(draw):
    scores = draw.random(300)
    positive = draw.random(300) < scores
    low, high = auroc_interval(scores, positive)
    assert low < auroc(scores, positive) < high
    assert auroc_interval(scores, np.ones(300, dtype=bool)) is None


def test_reliability_has_a_bar_for_each_tenth_that_is_used():
    confidence, right = np.array([0.0, 0.05, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    assert reliability(confidence, right) == [Bin(0.025, 0.5, 2), Bin(0.975, 1.0, 2)]
    assert calibration_error(confidence, right) == pytest.approx((2 * 0.475 + 2 * 0.025) / 4)
    assert calibration_error(np.array([]), np.array([])) is None


def test_risk_coverage_has_a_point_for_each_confidence():
    points = risk_coverage(np.array([0.5, 0.9, 0.5, 0.1]), np.array([1.0, 1.0, 0.0, 0.0]))
    assert points == [(0.25, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]


def test_randomisation_is_exact_for_few_differences():
    assert randomisation_test(np.zeros(4), np.ones(4)) == 2 / 16
    assert randomisation_test(np.zeros(3), np.zeros(3)) == 1.0
    assert randomisation_test(np.array([0.0, NAN]), np.array([1.0, 0.0])) == 1.0


@pytest.mark.parametrize("size", [8, 400])
def test_randomisation_equals_scipy(draw, size):
    first = draw.random(size)
    second = first + draw.normal(0.02, 0.2, size) * (draw.random(size) < 0.5)
    expected = permutation_test((second - first,), np.mean, permutation_type="samples", n_resamples=9999, rng=1).pvalue
    assert randomisation_test(first, second) == pytest.approx(expected, abs=0.015)
    assert randomisation_test(first, second) == randomisation_test(second, first)
