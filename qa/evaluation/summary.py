"""Outcomes -> the figures of a report: metrics, intervals, kinds, curves. Percentages nowhere: all shares are 0..1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from qa.evaluation.metrics import CUTOFF
from qa.evaluation.outcomes import Mode, Outcome, Scores, score
from qa.evaluation.statistics import (
    Values,
    auroc,
    auroc_interval,
    calibration_error,
    mean,
    mean_interval,
    reliability,
    risk_coverage,
)

# What a report shows, in this order. All but the last three are means over the questions to which they apply.
RETRIEVAL = ("R@1", "R@5", "R@10", "RR@10", "nDCG@10")
READING = ("EM", "F1", "EM_forced", "F1_forced", "no_answer_EM", "no_answer_F1")
REFUSING = ("answered_answerable", "answered_unanswerable", "wrong_given")
CONFIDENCE = ("no_answer_AUROC", "right_AUROC", "ECE")
METRICS = RETRIEVAL + READING + REFUSING + CONFIDENCE
CURVE_POINTS = 200


def summarise(outcomes: Sequence[Outcome], mode: Mode, seed: int = 0) -> dict[str, Any]:
    """`metrics` (None where one does not apply), their 95 % `intervals`, `kinds`, `curves`, `latency_ms` and `failed`."""
    scores = score(outcomes, mode)
    metrics = {name: mean(scores[name]) if name in scores else None for name in METRICS}
    intervals = {name: mean_interval(values, seed) for name, values in scores.items() if name in METRICS}
    curves: dict[str, Any] = {}
    if mode != "reader":
        curves["recall"] = [mean(scores[f"R@{k}"]) for k in range(1, CUTOFF + 1)]
    if mode != "retrieval":
        confidence = confidences(outcomes)
        classes = {"no_answer_AUROC": answerable(outcomes), "right_AUROC": scores["right"] > 0}
        metrics |= {name: auroc(confidence, positive) for name, positive in classes.items()}
        metrics["ECE"] = calibration_error(confidence, scores["right"])
        intervals |= {name: auroc_interval(confidence, positive, seed) for name, positive in classes.items()}
        curves["reliability"] = [bin_._asdict() for bin_ in reliability(confidence, scores["right"])]
        curves["risk_coverage"] = _thinned(risk_coverage(confidence, scores["right"]))
    return {
        "metrics": metrics,
        "intervals": {name: list(interval) for name, interval in intervals.items() if interval},
        "kinds": _kinds(outcomes, scores),
        "curves": curves,
        "latency_ms": latency(outcomes),
        "failed": [{"id": outcome.question.id, "error": outcome.error} for outcome in outcomes if outcome.error],
    }


def confidences(outcomes: Sequence[Outcome]) -> Values:
    return np.array([outcome.confidence for outcome in outcomes], dtype=np.float64)


def answerable(outcomes: Sequence[Outcome]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([outcome.question.answerable for outcome in outcomes], dtype=np.bool_)


def latency(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Milliseconds that a question takes, asked alone: median, and what one in twenty exceeds."""
    times = [outcome.latency_ms for outcome in outcomes if outcome.latency_ms is not None]
    if not times:
        return {"p50": None, "p95": None}
    return {"p50": round(float(np.percentile(times, 50)), 2), "p95": round(float(np.percentile(times, 95)), 2)}


def _kinds(outcomes: Sequence[Outcome], scores: Scores) -> dict[str, dict[str, float]]:
    """kind -> number of questions, and the mean of each metric that applies to one of them at least."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, outcome in enumerate(outcomes):
        rows[outcome.question.kind or "all"].append(number)
    kinds: dict[str, dict[str, float]] = {}
    for kind, numbers in sorted(rows.items()):
        means = {name: mean(values[numbers]) for name, values in scores.items() if name in (*METRICS, "right", "answered")}
        kinds[kind] = {"questions": len(numbers)} | {name: value for name, value in means.items() if value is not None}
    return kinds


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `CURVE_POINTS` of the points, first and last included."""
    if len(points) <= CURVE_POINTS:
        return points
    return [points[number] for number in np.linspace(0, len(points) - 1, CURVE_POINTS).astype(int)]
