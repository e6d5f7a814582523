"""Two runs over the same questions: what differs, by how much, whether by chance, at what cost, and on which questions.

Significance is by Fisher's randomisation test over the questions, paired; intervals of the difference by the bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from qa.config import Config
from qa.errors import ConfigError, DataError
from qa.evaluation.metrics import gold_rank
from qa.evaluation.outcomes import Outcome, Scores, score
from qa.evaluation.runs import Run
from qa.evaluation.statistics import Values, mean, mean_interval, randomisation_test
from qa.evaluation.summary import METRICS

SAME = {"corpus_sha256": "corpora", "questions_sha256": "questions", "mode": "modes"}


def compare(first: Run, second: Run, labels: Sequence[str]) -> dict[str, Any]:
    """`runs`, `metrics` (first, second, difference, interval, p), `costs`, and `differ`: the questions that came out otherwise."""
    check_comparable(first.result, second.result)
    scores = score(first.outcomes, first.mode), score(second.outcomes, second.mode)
    return {
        "runs": list(labels),
        "dataset": first.result["dataset"],
        "questions": first.result["questions"],
        "metrics": _metrics(first.result["metrics"], second.result["metrics"], *scores),
        "costs": {name: (_cost(first.result, name), _cost(second.result, name)) for name in COSTS},
        "differ": list(_differing(first.outcomes, second.outcomes, *scores, labels)),
    }


def check_comparable(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """DataError, with what differs, unless both results are over equal articles and questions."""
    for key, name in SAME.items():
        if first[key] != second[key]:
            found = f"{first['dataset']} has {first[key][:12]}, {second['dataset']} has {second[key][:12]}"
            raise DataError(f"runs cannot be compared: their {name} differ ({found}); run both on the same set")


def sweep(configs: Mapping[str, Config], setting: str) -> dict[str, Config]:
    """`retrieval.dense_weight=0,0.5` -> a configuration for each value, labelled by it."""
    name, mark, values = setting.partition("=")
    if not mark or not values.strip(","):
        raise ConfigError(f"--sweep {setting}: expected a setting and its values, as in retrieval.dense_weight=0,0.5,1")
    chosen = [value.strip() for value in values.split(",") if value.strip()]
    several = len(configs) > 1
    return {
        (f"{label} {name}={value}" if several else f"{name}={value}"): config.replace(name.strip(), value)
        for label, config in configs.items()
        for value in chosen
    }


COSTS = {
    "latency p50, ms": ("latency_ms", "p50"),
    "latency p95, ms": ("latency_ms", "p95"),
    "index, seconds": ("index", "seconds"),
    "index, passages/s": ("index", "passages_per_second"),
    "index, bytes": ("index", "bytes"),
}


def _cost(result: Mapping[str, Any], name: str) -> float | None:
    part, key = COSTS[name]
    value: float | None = result[part][key]
    return value


def _metrics(first: Mapping[str, Any], second: Mapping[str, Any], one: Scores, other: Scores) -> dict[str, dict[str, Any]]:
    """Means have an interval and a p; those that are not means (AUROC, calibration error) have the difference alone."""
    rows: dict[str, dict[str, Any]] = {}
    for name in METRICS:
        if first[name] is None or second[name] is None:
            continue
        rows[name] = {"first": first[name], "second": second[name], "difference": second[name] - first[name]}
        if name in one and name != "wrong_given":  # which questions are answered differs: not paired
            rows[name] |= _paired(one[name], other[name])
    return rows


def _paired(one: Values, other: Values) -> dict[str, Any]:
    return {"interval": mean_interval(other - one), "p": randomisation_test(one, other)}


def _differing(
    first: Sequence[Outcome], second: Sequence[Outcome], one: Scores, other: Scores, labels: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Questions on which one run is better, by the answer (refusals counted), else by rank; the largest differences first."""
    measure = next(name for name in ("no_answer_F1", "F1", "RR@10") if name in one and mean(one[name]) is not None)
    difference = np.nan_to_num(other[measure] - one[measure])
    for row in np.argsort(-abs(difference), kind="stable")[: np.count_nonzero(difference)]:
        question = first[row].question
        yield {
            "id": question.id,
            "question": question.question,
            "kind": question.kind,
            "gold": [gold.text for gold in question.gold] or sorted(question.documents),
            "better": labels[int(difference[row] > 0)],
            "measure": measure,
            "scores": (float(one[measure][row]), float(other[measure][row])),
            "answers": (first[row].answer, second[row].answer),
            "ranks": (relevant_rank(first[row]), relevant_rank(second[row])),
        }


def relevant_rank(outcome: Outcome) -> int | None:
    """Rank of the first hit that holds the answer, or that is a relevant document."""
    question = outcome.question
    if question.gold:
        return gold_rank(outcome.hits, question.gold)
    ranks = (rank for rank, hit in enumerate(outcome.hits, 1) if question.documents.get(hit.article_id, 0) > 0)
    return next(ranks, None)
