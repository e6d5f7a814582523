"""Finished runs as they were kept: their outcomes, how their settings differ from the default, and the articles they were over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from qa.config import Config, Passages
from qa.datatypes import Article, Turn
from qa.errors import DataError, QAError, StoreError
from qa.evaluation.compare import compare
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.files import read_json
from qa.evaluation.indexes import eval_folder, index_key
from qa.evaluation.journal import RESULT, read_details
from qa.evaluation.outcomes import from_line
from qa.evaluation.runs import Run
from qa.evaluation.verdicts import verdicts
from qa.stores import open_store

REMEMBERED = 4  # runs; one of 6,000 questions takes some 15 MB

_DEFAULTS = {
    f"{section}.{key}": value
    for section, info in Config.model_fields.items()
    for key, value in info.default.model_dump(mode="json").items()
}


@lru_cache(REMEMBERED)
def stored_run(folder: Path) -> Run:
    """The run of a folder of `finished_runs`; of its data set only the questions are known. Such a folder never changes."""
    result = read_json(folder / RESULT)
    try:
        outcomes = tuple(from_line(line, _question(line)) for line in read_details(folder))
        dataset = Dataset(result["dataset"], (), tuple(outcome.question for outcome in outcomes))
        return Run(dataset, result["mode"], result, outcomes, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder}: this run cannot be read: {type(error).__name__}: {error} (make it again: qa eval SET)") from None


@lru_cache(REMEMBERED)
def stored_verdicts(folder: Path) -> tuple[tuple[str, ...], ...]:
    """The verdicts on each question of `stored_run(folder)`, in its order."""
    run = stored_run(folder)
    return tuple(verdicts(outcome, run.mode) for outcome in run.outcomes)


@lru_cache(REMEMBERED)
def stored_comparison(first: Path, second: Path) -> dict[str, Any]:
    """Of the runs in two folders, called "A" and "B"; DataError when they cannot be compared."""
    return compare(stored_run(first), stored_run(second), ("A", "B"))


def _question(line: Mapping[str, Any]) -> Question:
    """What a line of the details tells of its question."""
    turns = tuple(Turn(**turn) for turn in line.get("turns", ()))
    gold = tuple(Gold(**gold) for gold in line["gold"])
    return Question(line["id"], line["question"], line["kind"], turns=turns, gold=gold, documents=line.get("documents", {}))


def changed_settings(result: Mapping[str, Any]) -> dict[str, Any]:
    """`section.key` -> value, for the settings of a run that are not the default."""
    return {name: value for name, value in _settings(result).items() if value != _DEFAULTS[name]}


def differing_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """`section.key` -> the values of both runs, where they are not equal."""
    one, other = _settings(first), _settings(second)
    return {name: (one[name], other[name]) for name in _DEFAULTS if one[name] != other[name]}


def _settings(result: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a run of an earlier version did not have were as their defaults are."""
    return {name: result["config"].get(section, {}).get(key, _DEFAULTS[name]) for name in _DEFAULTS for section, key in [name.split(".")]}


def articles_of(run: Run, ids: Iterable[str], config: Config, current: Callable[[str], Article]) -> dict[str, Article]:
    """The articles with these ids as the run saw them; those that are nowhere to be had are left out.

    They are taken from the run's own index, else from the index in use (`current`), where the run's golds must all stand unchanged.
    """
    try:
        with closing(open_store(config.replace("index.path", _own_index(run, config)))) as store:
            return {article.id: article for article in map(store.article, ids) if article}
    except StoreError:  # it was cleared away
        return {article.id: article for article in (_unchanged(run, key, current) for key in ids) if article}


def _own_index(run: Run, config: Config) -> Path:
    passages = Passages.model_validate(run.result["config"]["passages"])
    return eval_folder(config) / index_key(run.result["corpus_sha256"], passages, run.result["fingerprint"])


def _unchanged(run: Run, article_id: str, current: Callable[[str], Article]) -> Article | None:
    """None, too, when the run has no gold in the article by which to tell."""
    try:
        article = current(article_id)
    except QAError:
        return None
    golds = [gold for question in run.dataset.questions for gold in question.gold if gold.article_id == article_id]
    stand = all(article.text[gold.start : gold.end] == gold.text for gold in golds)
    return article if golds and stand else None
