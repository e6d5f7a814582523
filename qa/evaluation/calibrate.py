"""Fits a `Calibration`: features of answers, and whether each was right, to the chance of being right.

Logistic regression by scikit-learn, then isotonic regression on held-out folds, both exported as plain numbers. Folds keep the
questions of one article together, so that what is learnt about an article doesn't pass for knowledge. The figures reported
are of the held-out folds too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qa.calibration import Calibration, along
from qa.chat import standalone_question
from qa.config import Config
from qa.encoder import load_encoder
from qa.errors import DataError
from qa.evaluation.asking import Asked
from qa.evaluation.datasets import Dataset
from qa.evaluation.files import Progress, check_writable, silent, today, write_json
from qa.evaluation.indexes import RememberingEncoder, prepare_index
from qa.evaluation.metrics import is_right
from qa.evaluation.statistics import Values, auroc, calibration_error
from qa.features import features
from qa.pipeline import Pipeline
from qa.terminal import progress_bar

Truths = npt.NDArray[np.bool_]

FOLDS = 5
LEAST = 40  # questions; with fewer, or without both kinds of outcome, there is nothing to fit
LEAST_FOR_CURVE = 500  # with fewer, an isotonic curve follows the noise
CURVE_BINS = 15
ROUNDING = 1e-9  # 0.55 of 100 questions are 55, not 55.000000000000007
PENALTY = 1.0  # inverse strength of the L2 penalty on standardised features


@dataclass(frozen=True)
class Sample:
    """One question for the fit: what was known about its best answer, and whether that was right.

    `group` is the article that it was asked of; `answerable` is False when the articles don't say. `weight` is that of its
    set, shared by the set's questions. `steers`: it has a say in when an answer is shown, as the user's own questions have.
    """

    features: Mapping[str, float]
    right: bool
    answerable: bool
    group: str
    weight: float = 1.0
    steers: bool = True


@dataclass(frozen=True)
class Aim:
    """When an answer is shown: for no more than `at_most` of the questions that the articles don't answer; or, with the highest threshold
    that does so, for `at_least` of the others. Without either: where right answers are best told from wrong ones (Youden's index).
    """

    at_most: float | None = None
    at_least: float | None = None

    def check(self, answerable: Sequence[bool]) -> None:
        """Raises DataError where there are no such questions, or both are given."""
        if self.at_most is not None and self.at_least is not None:
            raise DataError("--at-most and --at-least each set the threshold (give one of them)")
        if self.at_most is not None and all(answerable):
            raise DataError("--at-most needs questions that the articles don't answer (gold: []), and the set has none")
        if self.at_least is not None and not any(answerable):
            raise DataError("--at-least needs questions that the articles answer, and the set has none")

    def threshold(self, confidence: Values, right: Truths, answerable: Truths) -> float:
        if self.at_most is not None:
            return at_most_of(confidence[~answerable], self.at_most)
        if self.at_least is not None:
            return at_least_of(confidence[answerable], self.at_least)
        return youden_point(confidence, right)


def at_most_of(confidence: Values, share: float) -> float:
    """The least threshold that no more than this share reaches."""
    falling = np.sort(confidence)[::-1]
    allowed = int(share * falling.size + ROUNDING)
    return 0.0 if allowed >= falling.size else float(np.nextafter(falling[allowed], 1.0))


def at_least_of(confidence: Values, share: float) -> float:
    """The highest threshold that no less than this share reaches."""
    falling = np.sort(confidence)[::-1]
    return float(falling[max(1, math.ceil(share * falling.size - ROUNDING)) - 1])


def youden_point(confidence: Values, right: Truths) -> float:
    """The threshold with the largest difference between the share of right answers shown and that of wrong ones."""
    from sklearn.metrics import roc_curve

    wrong_shown, right_shown, thresholds = roc_curve(right, confidence)
    return float(min(1.0, thresholds[np.argmax(right_shown - wrong_shown)]))


def run_calibrate(datasets: Sequence[Dataset], config: Config, out: Path, aim: Aim = Aim(), weights: Sequence[float] = ()) -> Calibration:
    """Fits a confidence for the configured reader on the questions of the sets, and writes it to `out`.

    The sets count alike unless `weights` has a number for each. The first one decides when an answer is shown.
    """
    _check(datasets, aim, weights)
    check_writable(out, "--out")
    samples: list[Sample] = []
    encoder = RememberingEncoder(load_encoder(config.embedding))
    encoder.remember()
    with progress_bar() as progress:
        for number, dataset in enumerate(datasets):
            indexed, _ = prepare_index(dataset, config, encoder, progress)
            found = list(collect(Pipeline(indexed, encoder=encoder), dataset, progress))
            share = (weights[number] if weights else 1.0) / len(found)
            samples += [replace(sample, weight=share, steers=number == 0) for sample in found]
    sets = {dataset.name: dataset.questions_sha256 for dataset in datasets}
    about = {"reader": config.reader.model, "encoder": encoder.fingerprint, "sets": sets, "weights": list(weights), "date": today()}
    fitted = fit(samples, aim, about)
    write_json(out, fitted.to_json())
    return fitted


def _check(datasets: Sequence[Dataset], aim: Aim, weights: Sequence[float]) -> None:
    """What can be told before anything is asked."""
    if weights and len(weights) != len(datasets):
        raise DataError(f"{len(weights)} weights for {len(datasets)} sets: give --weight once for each set, or not at all")
    if not all(weight > 0 for weight in weights):
        raise DataError("--weight must be above 0 (leave a set out that is not to count)")
    for dataset in datasets:
        if dataset.by_document:
            raise DataError(f"{dataset.name}: whole documents are judged, and no answer is right or wrong (give a set with answers)")
    if datasets:
        aim.check([question.answerable for question in datasets[0].questions])


def collect(pipeline: Asked, dataset: Dataset, progress: Progress = silent) -> Iterator[Sample]:
    """What search and reader know about the best answer to each question, and whether it is right."""
    for number, question in enumerate(dataset.questions):
        progress("asking", number, len(dataset.questions))
        text = standalone_question(question.question, question.turns)
        hits = pipeline.search(text, k=pipeline.config.retrieval.passages)
        groups = pipeline.read(text, hits)
        right = bool(groups) and is_right(groups[0].text, [gold.text for gold in question.gold])
        place = question.paragraph or next(iter(question.gold), None)
        asked_of = place.article_id if place else hits[0].passage.article_id if hits else ""
        known = features(text, hits, groups[0]) if groups else {}
        yield Sample(known, right, question.answerable, f"{dataset.name}: {asked_of}")


def fit(samples: Sequence[Sample], aim: Aim = Aim(), about: Mapping[str, Any] | None = None) -> Calibration:
    """A calibration with its held-out figures in `about`. The samples that steer set the threshold."""
    right = np.array([sample.right for sample in samples])
    if len(samples) < LEAST or right.all() or not right.any():
        raise DataError(
            f"{len(samples)} questions with {int(right.sum())} right answers are too few to fit a confidence: "
            f"at least {LEAST} are needed, with right and wrong ones among them"
        )
    weights = np.array([sample.weight for sample in samples])
    held_out = _held_out(samples, right)
    curve = _curve(held_out, right, weights) if len(samples) >= LEAST_FOR_CURVE else ()
    confidence = np.array([along(curve, probability) for probability in held_out])
    answerable = np.array([sample.answerable for sample in samples])
    own = np.array([sample.steers for sample in samples])
    aim.check(answerable[own].tolist())
    threshold = aim.threshold(confidence[own], right[own], answerable[own])
    figures = _figures(confidence, right, answerable, threshold)
    return replace(_regression(samples), curve=curve, threshold=threshold, about={**(about or {}), **figures})


def _regression(samples: Sequence[Sample]) -> Calibration:
    """Fitted on standardised features, so that the penalty treats them alike; the weights are those of the features themselves."""
    from sklearn.linear_model import LogisticRegression

    names = sorted({name for sample in samples for name in sample.features})
    known = [sample for sample in samples if sample.features]  # without an answer, confidence is 0 anyway
    if len({sample.right for sample in known}) < 2:
        raise DataError(
            "too few answers are right, or too few wrong, to fit a confidence and to check it on questions held out "
            "(add questions, about more articles)"
        )
    matrix = np.array([[sample.features[name] for name in names] for sample in known])
    means, spread = matrix.mean(axis=0), matrix.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=PENALTY, max_iter=1000)
    weights = np.array([sample.weight for sample in known])
    model.fit((matrix - means) / scales, [sample.right for sample in known], sample_weight=weights / weights.mean())
    slopes = model.coef_[0] / scales
    intercept = float(model.intercept_[0] - slopes @ means)
    return Calibration(intercept, dict(zip(names, slopes.tolist())), dict(zip(names, means.tolist())))


def _held_out(samples: Sequence[Sample], right: Truths) -> Values:
    """Each question's probability from a regression that saw none of its article's questions."""
    from sklearn.model_selection import GroupKFold, KFold

    groups = [sample.group for sample in samples]
    several = len(set(groups)) >= FOLDS
    splits = GroupKFold(FOLDS).split(right, right, groups) if several else KFold(FOLDS, shuffle=True, random_state=0).split(right)
    probabilities = np.zeros(len(right))
    for seen, unseen in splits:
        fitted = _regression([samples[number] for number in seen])
        probabilities[unseen] = [fitted.confidence(samples[number].features) for number in unseen]
    return probabilities


def _curve(probability: Values, right: Truths, weights: Values) -> tuple[tuple[float, float], ...]:
    """Share right against probability in bins of as many questions each, made monotone; straight lines from (0, 0) to (1, 1)
    through them. Levels of the isotonic regression become single points, so that no two probabilities end up equal."""
    from sklearn.isotonic import IsotonicRegression

    bins = np.array_split(np.argsort(probability, kind="stable"), CURVE_BINS)
    x = np.array([np.average(probability[rows], weights=weights[rows]) for rows in bins])
    shares = np.array([np.average(right[rows], weights=weights[rows]) for rows in bins])
    y = IsotonicRegression().fit_transform(x, shares, sample_weight=[weights[rows].sum() for rows in bins])
    inner = [(float(x[y == level].mean()), float(level)) for level in np.unique(y) if 0 < level < 1]
    return ((0.0, 0.0), *inner, (1.0, 1.0))


def _figures(confidence: Values, right: Truths, answerable: Truths, threshold: float) -> dict[str, float | None]:
    shown = confidence >= threshold
    return {
        "questions": len(right),
        "ECE": calibration_error(confidence, right.astype(np.float64)),
        "right_AUROC": auroc(confidence, right),
        "no_answer_AUROC": auroc(confidence, answerable),
        "answered_answerable": float(shown[answerable].mean()) if answerable.any() else None,
        "answered_unanswerable": float(shown[~answerable].mean()) if not answerable.all() else None,
        "wrong_given": float(1 - right[shown].mean()) if shown.any() else None,
    }
