"""Statistics over many questions: intervals, paired significance, and how far a confidence can be trusted.

All randomness is seeded, so equal input gives equal output. Values are float64 `(n,)`, one a question; NaN where the measure
does not apply to that question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 1000
PERMUTATIONS = 9_999
BINS = 10
_FEW = 13  # differences whose 8,192 flips are all tried
_ROWS_AT_A_TIME = 50  # resamples held in memory: 50 x 8,000 questions are 3 MB


class Bin(NamedTuple):
    """A bar of the reliability plot: mean confidence, share right, and how many questions."""

    confidence: float
    right: float
    questions: int


def mean(values: Values) -> float | None:
    """Mean over the questions to which the measure applies; None when there are none."""
    applies = ~np.isnan(values)
    return float(values[applies].mean()) if applies.any() else None


def mean_interval(values: Values, seed: int = 0) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean: questions drawn with replacement, percentiles of the means."""
    kept = values[~np.isnan(values)]
    if not kept.size:
        return None
    return _percentiles(np.concatenate([kept[drawn].mean(axis=1) for drawn in _resamples(kept.size, seed)]))


def auroc(scores: Values, positive: npt.NDArray[np.bool_]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half; None without both."""
    count = int(positive.sum())
    if not 0 < count < positive.size:
        return None
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]  # ties share the mean of their ranks
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (positive.size - count)))


def auroc_interval(scores: Values, positive: npt.NDArray[np.bool_], seed: int = 0) -> tuple[float, float] | None:
    """95 % bootstrap interval of `auroc`; a resample with one class only is passed over."""
    if auroc(scores, positive) is None:
        return None
    drawn = (row for rows in _resamples(scores.size, seed) for row in rows)
    found = [auroc(scores[row], positive[row]) for row in drawn]
    return _percentiles(np.array([value for value in found if value is not None]))


def reliability(confidence: Values, right: Values) -> list[Bin]:
    """Confidence against share right, in ten bins of equal width; empty ones are left out."""
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    chosen = (number == bin_ for bin_ in range(BINS))
    return [Bin(float(confidence[here].mean()), float(right[here].mean()), int(here.sum())) for here in chosen if here.any()]


def calibration_error(confidence: Values, right: Values) -> float | None:
    """Expected calibration error: mean distance of confidence from share right, bins weighted by their questions."""
    if not confidence.size:
        return None
    return sum(bin_.questions * abs(bin_.confidence - bin_.right) for bin_ in reliability(confidence, right)) / confidence.size


def risk_coverage(confidence: Values, right: Values) -> list[tuple[float, float]]:
    """Share of questions answered and share wrong among these, one point for each distinct confidence, highest first."""
    if not confidence.size:
        return []
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(1 - right[order])
    last_of_tie = np.append(np.diff(confidence[order]) != 0, True)
    answered = np.flatnonzero(last_of_tie) + 1
    return [(float(count / confidence.size), float(wrong[count - 1] / count)) for count in answered]


def randomisation_test(first: Values, second: Values, seed: int = 0) -> float:
    """Two-sided p of the mean difference of paired values: signs flipped at random (Fisher's randomisation test).

    Every way to flip up to 13 differences, else `PERMUTATIONS` random ones and the observed one. The same as
    `scipy.stats.permutation_test(..., permutation_type="samples")`, which takes 70 times as long for 8,000 questions.
    """
    difference = (second - first)[~np.isnan(first) & ~np.isnan(second)]
    difference = difference[difference != 0]  # a sign makes no odds to these
    enough = abs(difference.sum()) - 1e-9  # sums in another order differ in the last digits
    size = difference.size
    if size <= _FEW:
        signs = (np.arange(2**size)[:, None] >> np.arange(size) & 1) * 2 - 1
        return float((np.abs(signs @ difference) >= enough).mean())
    generator = np.random.default_rng(seed)
    flips = (generator.integers(0, 2, (rows, size)) * 2 - 1 for rows in _row_counts(PERMUTATIONS))
    extreme = sum(int((np.abs(signs @ difference) >= enough).sum()) for signs in flips)
    return (extreme + 1) / (PERMUTATIONS + 1)


def _row_counts(rows: int) -> Iterator[int]:
    """Portions that fit in memory: 120 -> 50, 50, 20."""
    for start in range(0, rows, _ROWS_AT_A_TIME):
        yield min(_ROWS_AT_A_TIME, rows - start)


def _resamples(size: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Row numbers drawn with replacement, int64 `(rows, size)` at a time, `RESAMPLES` rows in all."""
    generator = np.random.default_rng(seed)
    for rows in _row_counts(RESAMPLES):
        yield generator.integers(0, size, (rows, size))


def _percentiles(values: Values) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
