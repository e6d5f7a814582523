"""A run: every question of a set asked once, each outcome written down as it comes, and the figures at the end.

An interrupted run loses nothing: the same command goes on after the last question that was asked. A run is picked up only
by one with equal questions, settings and code. Comparing runs is for `compare`, showing them for `report`.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import qa
from qa.answers import FAR
from qa.calibration import Calibration
from qa.config import Config
from qa.config import Reader as ReaderSettings
from qa.encoder import Encoder, load_encoder
from qa.errors import DataError
from qa.evaluation.asking import ask_all
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.files import Progress, silent, today
from qa.evaluation.indexes import RememberingEncoder, eval_folder, prepare_index
from qa.evaluation.journal import Journal
from qa.evaluation.outcomes import Mode, Outcome, to_line
from qa.evaluation.summary import summarise
from qa.evidence import COVERAGE, LEADING, LIKENESS
from qa.model_files import content_hash, model_folder
from qa.pipeline import READ_AT_ONCE, Pipeline
from qa.reader import OVERLAP_WEIGHT, SentenceReader
from qa.span_model import reader_folder
from qa.span_reader import SpanReader

LIBRARIES = ("torch", "sentence-transformers", "transformers", "faiss-cpu", "ir-measures", "numpy")

Details = Callable[[dict[str, Any]], None]  # is given each line as soon as it is known


@dataclass(frozen=True)
class Run:
    """A finished run: `result` is what `qa eval --json` prints, `outcomes` are in the order of the questions, `folder` keeps both."""

    dataset: Dataset
    mode: Mode
    result: dict[str, Any]
    outcomes: tuple[Outcome, ...] = field(repr=False)
    folder: Path


def evaluate(
    dataset: Dataset,
    config: Config,
    mode: Mode = "answers",
    *,
    details: Details | None = None,
    progress: Progress = silent,
    encoder: Encoder | None = None,
) -> Run:
    """Builds or finds the index, asks every question, and keeps the run under `index/eval/runs/`."""
    dataset, mode = measured(dataset, mode)
    started = time.monotonic()
    remembering = RememberingEncoder(encoder or load_encoder(config.embedding))
    indexed, costs = prepare_index(dataset, config, remembering, progress)
    pipeline = Pipeline(indexed, encoder=remembering)
    if mode == "retrieval":
        pipeline.search("warm up")  # no reader is loaded, and nothing encoded for one
    else:
        pipeline.warm_up()
    info = pipeline.info()
    key = run_key(dataset, indexed, mode, str(info["fingerprint"]))
    with closing(Journal(eval_folder(config), key)) as journal:
        ask = partial(ask_all, pipeline, mode, dataset.by_document, remembering.remember)
        outcomes = tuple(outcomes_of(dataset, ask, journal, details, progress))
        _refuse_if_all_failed(outcomes)
        result = _result(dataset, indexed, mode, outcomes, info, costs, time.monotonic() - started)
        folder = journal.finish(result)
    return Run(dataset, mode, result, outcomes, folder)


def measured(dataset: Dataset, mode: Mode) -> tuple[Dataset, Mode]:
    """What a run in this mode is about: whole documents have no answer to score, and a reader has to have a passage."""
    mode = "retrieval" if dataset.by_document and mode == "answers" else mode
    return (_readable(dataset) if mode == "reader" else dataset), mode


def subject(dataset: Dataset, mode: Mode) -> dict[str, str]:
    """What a result says of its data."""
    dataset, mode = measured(dataset, mode)
    return {"corpus_sha256": dataset.corpus_sha256, "questions_sha256": dataset.questions_sha256, "mode": mode}


def outcomes_of(
    dataset: Dataset, ask: Callable[[Sequence[Question]], Iterator[Outcome]], journal: Journal, details: Details | None, progress: Progress
) -> Iterator[Outcome]:
    """Outcomes in the order of the questions, each on disk before it is handed on; only those not in the journal are asked."""
    new = ask([question for question in dataset.questions if not journal.kept(question)])
    for number, question in enumerate(dataset.questions):
        progress("asking", number, len(dataset.questions))
        outcome = journal.kept(question) or next(new)
        journal.add(outcome)
        if details:
            details(to_line(outcome))
        yield outcome
    progress("asking", len(dataset.questions), len(dataset.questions))


def run_key(dataset: Dataset, config: Config, mode: Mode, fingerprint: str) -> str:
    """Equal keys mean that the outcomes would be equal: questions, corpus, settings, models and our own code."""
    asked = json.dumps([settings(config), models(config, mode)])
    digest = hashlib.sha256("\0".join((dataset.corpus_sha256, mode, fingerprint, asked)).encode())
    for question in dataset.questions:
        digest.update(repr(question).encode("utf-8", "surrogatepass"))
    for source in sorted(Path(qa.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def settings(config: Config) -> dict[str, Any]:
    """The settings that can change an outcome; where the index lies, how the page looks and what it offers cannot."""
    found = config.model_dump(mode="json", exclude={"index": True, "ui": True, "server": True, "embedding": {"others"}})
    return found if config.index.store == "sqlite" else {**found, "index": {"store": config.index.store}}


def models(config: Config, mode: Mode) -> dict[str, str | None]:
    """Fingerprints of the models beside the encoder, None where one is not asked. Equal ones mean equal answers and confidences."""
    reranker = config.retrieval.reranker
    return {
        "reader": None if mode == "retrieval" else _reader_fingerprint(config.reader),
        "reranker": content_hash(model_folder(reranker))[:16] if reranker and mode != "reader" else None,
    }


def _reader_fingerprint(reader: ReaderSettings) -> str:
    """16 hex digits of the reader's files, its calibration and the numbers by which its answers are ranked."""
    files = "" if reader.model == SentenceReader.name else content_hash(reader_folder(reader.model))
    fitted = Calibration.load(reader.model, reader.calibration).to_json()
    return hashlib.sha256(json.dumps([reader.model, files, fitted, _ranking(reader.model)]).encode()).hexdigest()[:16]


def _ranking(reader: str) -> list[float]:
    """Of the reader of this name: what was chosen by sweeps and is no setting."""
    if reader == SentenceReader.name:
        return [SentenceReader.weight, OVERLAP_WEIGHT]
    return [SpanReader.weight, READ_AT_ONCE, FAR, LEADING, LIKENESS, COVERAGE]


def _result(
    dataset: Dataset,
    config: Config,
    mode: Mode,
    outcomes: Sequence[Outcome],
    info: Mapping[str, Any],
    costs: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """What `qa eval --json` prints, in the contract's order, then all that is needed to tell how it came about."""
    summary = summarise(outcomes, mode)
    first = ("metrics", "intervals", "latency_ms")
    answerable = sum(question.answerable for question in dataset.questions)
    return {
        "dataset": dataset.name,
        "questions": len(dataset.questions),
        "articles": len(dataset.articles),
        "passages": info["passages"],
        "fingerprint": info["fingerprint"],
        **{name: summary.pop(name) for name in first},
        "index": _index_costs(costs, info),
        "mode": mode,
        "answerable": answerable,
        "unanswerable": len(dataset.questions) - answerable,
        **summary,
        "seconds": round(seconds, 2),
        "corpus_sha256": dataset.corpus_sha256,
        "questions_sha256": dataset.questions_sha256,
        "config": settings(config),
        "reader": info.get("reader"),
        "models": models(config, mode),
        "versions": _versions(),
        "date": today(),
    }


def _index_costs(costs: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds are those of building it, whenever that was; `encoded` is less than the passages where vectors were there already."""
    seconds = costs.get("seconds")
    rate = round(costs["passages"] / seconds, 2) if seconds else None
    return {
        "seconds": round(seconds, 2) if seconds else None,
        "passages_per_second": rate,
        "bytes": info["bytes"],
        "encoded": costs.get("encoded", 0),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for library in ("qa", *LIBRARIES):
        with suppress(metadata.PackageNotFoundError):
            found[library] = metadata.version(library)
    return found


def _readable(dataset: Dataset) -> Dataset:
    """Without the questions of which no paragraph is known."""
    questions = tuple(question for question in dataset.questions if question.paragraph or question.gold)
    if not questions:
        raise DataError(f"{dataset.name}: no question has a gold passage to read (leave out --gold-passages)")
    return replace(dataset, questions=questions)


def _refuse_if_all_failed(outcomes: Sequence[Outcome]) -> None:
    """A service that is down must not look like a bad model."""
    if all(outcome.error for outcome in outcomes):
        raise DataError(f"every question failed, the first with {outcomes[0].error}")
