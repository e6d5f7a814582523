"""SQuAD 1.1 and 2.0 files -> `Dataset`. The paragraphs of a title become one article, joined by a blank line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qa.datatypes import Article
from qa.errors import DataError
from qa.evaluation.datasets import Dataset, Gold, Question, check_gold, take, take_text, text_digest

BLANK_LINE = "\n\n"


def load(file: Path, split: str | None = None) -> Dataset:
    if split:
        raise DataError(f"{file}: a SQuAD file has no splits; leave out --split {split}")
    articles: list[Article] = []
    questions: list[Question] = []
    ids: set[str] = set()
    for number, entry in enumerate(take(_read(file), "data", list, str(file))):
        place = f"{file}: data[{number}]"
        title = take_text(entry, "title", place)
        paragraphs = take(entry, "paragraphs", list, place)
        contexts = [take_text(part, "context", f"{place}.paragraphs[{row}]") for row, part in enumerate(paragraphs)]
        article = _article(_unique(title, ids), title, BLANK_LINE.join(contexts), file.name)
        articles.append(article)
        offset = 0
        for row, (part, context) in enumerate(zip(paragraphs, contexts)):
            paragraph = Gold(article.id, offset, offset + len(context), context)
            for entry in take(part, "qas", list, f"{place}.paragraphs[{row}]"):
                questions.append(_question(entry, article, paragraph, f"{place}.paragraphs[{row}]"))
            offset += len(context) + len(BLANK_LINE)
    return Dataset(file.stem, tuple(articles), tuple(questions))


def _question(entry: Any, article: Article, paragraph: Gold, place: str) -> Question:
    key = take_text(entry, "id", f"{place}.qas")
    place = f"{place} question {key!r}"
    impossible = take(entry, "is_impossible", bool, place) if "is_impossible" in entry else None
    gold = [_gold(answer, article, paragraph, place) for answer in take(entry, "answers", list, place)]
    if impossible is not None and impossible == bool(gold):
        raise DataError(f"{place}: is_impossible is {str(impossible).lower()} but it has {len(gold)} answers")
    kind = "answerable" if gold else "unanswerable"
    return Question(key, take_text(entry, "question", place), kind, gold=tuple(dict.fromkeys(gold)), paragraph=paragraph)


def _gold(answer: Any, article: Article, paragraph: Gold, place: str) -> Gold:
    """SQuAD counts from the paragraph's start; a gold counts from the article's."""
    text = take(answer, "text", str, place)
    start = take(answer, "answer_start", int, place)
    if start < 0 or start + len(text) > len(paragraph.text):
        raise DataError(f"{place}: answer {text[:40]!r} at {start} is outside its paragraph ({len(paragraph.text)} characters)")
    start += paragraph.start
    return check_gold(Gold(article.id, start, start + len(text), text), article, place)


def _article(key: str, title: str, text: str, source: str) -> Article:
    plain = title.replace("_", " ")
    return Article(key, plain, text, source, text_digest(plain, text))


def _unique(title: str, taken: set[str]) -> str:
    """The title as an id; a title that comes again is numbered: "Normans", "Normans (2)"."""
    key, count = title, 1
    while key in taken:
        count += 1
        key = f"{title} ({count})"
    taken.add(key)
    return key


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not a SQuAD file: {error}") from None
