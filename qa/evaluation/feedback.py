"""What readers marked (qa/feedback.py) -> an evaluation set of our own form, ready for `qa eval` and `qa calibrate`.

    an answer marked right     a question whose gold is the answer's place
    words that were selected   a question whose gold are these words
    a refusal marked right     a question that the articles don't answer
    marked wrong, no words     counted and named, but no question: nobody knows what is right

All articles of the index go along, word for word, so that retrieval has as much to search as on the page. A gold that no longer
stands at its place is named and left out. Of one reader's verdicts on a question the last counts; where readers contradict each
other, the latest counts and the question is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.config import Config
from qa.errors import DataError
from qa.evaluation.files import today, write_json
from qa.evaluation.own import ARTICLES, QUESTIONS, article_row
from qa.feedback import Feedback, Judgement, Place
from qa.storage import Reading
from qa.stores import open_store

REPORT = "feedback.json"  # what came of the export; a folder that has it may be written over
RIGHT, WORDS, REFUSAL = "marked_right", "selected_words", "marked_refusal"  # kinds of the questions
WRONG = "marked wrong, and nobody has shown the right words"


@dataclass(frozen=True)
class Settled:
    """What the readers' last words on a question come to. `nothing`: the articles don't say."""

    last: Judgement
    golds: tuple[Place, ...]
    kind: str
    nothing: bool
    contradicted: bool


def export(folder: Path, config: Config, split: str | None = None) -> dict[str, Any]:
    """Writes the set into `folder` and returns the report. Without a question to ask, nothing is written."""
    _check_folder(folder)
    settled = [settle(words) for words in last_words(Feedback(config.index.path).judgements())]
    questions: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    with closing(open_store(config)) as store, store.snapshot():
        for one in settled:
            golds, reasons = _standing(one.golds, store)
            left_out += [{"question": one.last.question, "reason": reason} for reason in (*reasons, *_unusable(one))]
            if golds or (one.nothing and not one.last.filtered):
                questions.append(_question(one, golds, split))
        ids = [summary.id for summary in store.summaries()]
        report = _report(folder, settled, questions, left_out, len(ids))
        if questions:
            articles = (article_row(article) for article in map(store.article, ids) if article)
            _write(folder, {ARTICLES: articles, QUESTIONS: questions}, report)
    return report


def last_words(judgements: Iterable[Judgement]) -> list[list[Judgement]]:
    """For each question the last word of each reader, oldest first; what a reader took back is no word."""
    by_question: dict[tuple[str, str], dict[str, Judgement]] = {}
    for judgement in judgements:
        words = by_question.setdefault(_key(judgement), {})
        words.pop(judgement.reader, None)  # so that the new one comes last
        if judgement.verdict != "withdrawn":
            words[judgement.reader] = judgement
    return [list(words.values()) for words in by_question.values() if words]


def settle(words: Sequence[Judgement]) -> Settled:
    """The verdicts taken one after the other, so that the latest counts; the order says nothing about whether they clash."""
    golds: list[Place] = []
    rejected: list[Place] = []
    nothing: bool | None = None
    kind, clash = "", False
    for word in words:
        if word.answer is None and word.verdict != "words":
            says_nothing = word.verdict == "right"
            clash |= nothing is not None and nothing != says_nothing
            nothing = says_nothing
            if says_nothing:
                golds, kind = [], REFUSAL
        elif word.verdict == "wrong":
            clash |= any(place in golds for place in word.places)
            golds = [place for place in golds if place not in word.places]
            rejected += word.places
        else:
            clash |= nothing is True or any(place in rejected for place in word.places)
            golds += [place for place in word.places if place not in golds]
            nothing, kind = False, WORDS if word.verdict == "words" else RIGHT
    return Settled(words[-1], tuple(golds), kind, nothing is True, clash)


def _key(judgement: Judgement) -> tuple[str, str]:
    """Equal for the same question, whatever its case and white space."""
    return _folded(judgement.question), _folded(judgement.standalone_question)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _standing(golds: Iterable[Place], store: Reading) -> tuple[list[Place], list[str]]:
    """The golds whose words still stand at their place, and why the others are left out. Another edition of an article will do."""
    standing, reasons = [], []
    for gold in golds:
        article = store.article(gold.article_id)
        if article is None:
            reasons.append(f"article {gold.article_id} is no longer in the index")
        elif article.text[gold.start : gold.end] != gold.quote:
            reasons.append(f"article {gold.article_id} has changed: {gold.quote!r} no longer stands at {gold.start}")
        else:
            standing.append(gold)
    return standing, reasons


def _unusable(settled: Settled) -> Iterator[str]:
    """Why nothing can be asked, however the articles are."""
    if settled.nothing and settled.last.filtered:
        yield "asked of some articles only: over all of them there may be an answer"
    elif not settled.nothing and not settled.golds:
        yield WRONG


def _question(settled: Settled, golds: Iterable[Place], split: str | None) -> dict[str, Any]:
    """A line of questions.jsonl. The same question has the same id in every export."""
    last = settled.last
    return {
        "id": "feedback-" + hashlib.sha256("\0".join(_key(last)).encode()).hexdigest()[:12],
        "question": last.question,
        "kind": settled.kind,
        **({"split": split} if split else {}),
        "turns": [{"question": turn.question, "answer": turn.answer} for turn in last.turns],
        "gold": [{"article": gold.article_id, "start": gold.start, "end": gold.end, "text": gold.quote} for gold in golds],
    }


def _report(
    folder: Path, settled: Sequence[Settled], questions: Sequence[Mapping[str, Any]], left_out: Sequence[Mapping[str, str]], articles: int
) -> dict[str, Any]:
    kinds = [question["kind"] for question in questions]
    return {
        "folder": str(folder),
        "date": today(),
        "questions": len(questions),
        "articles": articles,
        "kinds": {kind: kinds.count(kind) for kind in (RIGHT, WORDS, REFUSAL)},
        "marked_wrong": sum(one["reason"] == WRONG for one in left_out),
        "left_out": list(left_out),
        "contradictions": [one.last.question for one in settled if one.contradicted],
    }


def _check_folder(folder: Path) -> None:
    """Nothing but an earlier export is ever written over."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file: expected a folder, one that is empty or still to be made")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / REPORT).is_file():
        raise DataError(f"{folder} has other files than an earlier export: give a folder that is empty or still to be made")


def _write(folder: Path, files: Mapping[str, Iterable[Mapping[str, Any]]], report: Mapping[str, Any]) -> None:
    """The report comes first, so that an export that was cut short can be made again in its place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / REPORT, report)
        for name, rows in files.items():
            with (folder / name).open("w", encoding="utf-8") as lines:
                lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror} (give another folder)") from None
