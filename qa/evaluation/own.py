"""Our own form: a folder with articles and `questions.jsonl` -> `Dataset`. The form is described in eval/README.md.

Articles are files below `articles/`, read as `qa index` reads them, or rows of `articles.jsonl`, taken word for word. An article
goes by its path below `articles/`, or by the id of its row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from qa.articles import find_files, read_file
from qa.datatypes import Article, Turn
from qa.errors import DataError
from qa.evaluation.datasets import Dataset, Gold, Question, check_gold, read_json_lines, take, take_text, text_digest

ARTICLES, QUESTIONS = "articles.jsonl", "questions.jsonl"
OPTIONAL = ("title", "source", "author", "published", "url", "language")  # fields of a row, besides id and text


def load(folder: Path, split: str | None = None) -> Dataset:
    rows = folder / ARTICLES
    articles, refused = (_rows(rows), {}) if rows.is_file() else read_articles(folder / "articles")
    questions = [_question(entry, articles, refused, place) for place, entry in read_json_lines(folder / QUESTIONS)]
    if split:
        splits = sorted({question.split for question in questions if question.split})
        if split not in splits:
            there = ", ".join(splits) or "none (leave out --split)"
            raise DataError(f"{folder}: no question is of the split {split!r}; splits there: {there}")
        questions = [question for question in questions if question.split == split]
    return Dataset(folder.resolve().name, tuple(articles.values()), tuple(questions))


def read_articles(folder: Path) -> tuple[dict[str, Article], dict[str, str]]:
    """Articles by the name that questions call them, and name -> reason for what could not be read."""
    if not folder.is_dir():
        raise DataError(f"{folder}: not found; the articles of an evaluation set stand there")
    articles: dict[str, Article] = {}
    refused: dict[str, str] = {}
    for path in find_files(folder):
        name = path.relative_to(folder).as_posix()
        for item in read_file(path, path.read_bytes()):
            if not isinstance(item, Article):
                refused[name] = item.reason
                continue
            key = item.id if ".jsonl" in path.suffixes else name
            if key in articles:
                raise DataError(f"{path}: article {key!r} is there twice; ids must be unique")
            articles[key] = replace(item, id=key)
    return articles, refused


def _rows(file: Path) -> dict[str, Article]:
    """Articles as they are, not read as a file would be, so that offsets into them hold."""
    articles: dict[str, Article] = {}
    for place, entry in read_json_lines(file):
        key = take_text(entry, "id", place)
        if key in articles:
            raise DataError(f"{place}: article {key!r} is there twice; ids must be unique")
        articles[key] = _row(key, entry, f"{place} article {key!r}")
    return articles


def _row(key: str, entry: dict[str, Any], place: str) -> Article:
    told = {name: take(entry, name, str, place) for name in OPTIONAL if entry.get(name) is not None}
    text = take_text(entry, "text", place)
    try:
        published = date.fromisoformat(told.pop("published")) if "published" in told else None
    except ValueError:
        raise DataError(f"{place}: 'published' is {entry['published']!r}, expected YYYY-MM-DD") from None
    digest = text_digest(key, text, *(str(entry.get(name)) for name in OPTIONAL))
    return Article(**{"title": "", "source": key, **told, "id": key, "text": text, "published": published, "sha256": digest})


def article_row(article: Article) -> dict[str, Any]:
    """The row from which `load` makes the same article again; where its file stands on this machine is left out."""
    told = {"id": article.id, "text": article.text, **{name: getattr(article, name) for name in OPTIONAL}}
    return {name: str(value) for name, value in told.items() if value is not None}


def _question(entry: dict[str, Any], articles: dict[str, Article], refused: dict[str, str], place: str) -> Question:
    key = take_text(entry, "id", place)
    place = f"{place} question {key!r}"
    return Question(
        key,
        take_text(entry, "question", place),
        take(entry, "kind", str, place) if "kind" in entry else "",
        take(entry, "split", str, place) if "split" in entry else "",
        tuple(_turn(turn, place) for turn in (take(entry, "turns", list, place) if "turns" in entry else ())),
        tuple(_gold(gold, articles, refused, place) for gold in take(entry, "gold", list, place)),
    )


def _turn(turn: Any, place: str) -> Turn:
    return Turn(take_text(turn, "question", f"{place} turns"), take(turn, "answer", str, f"{place} turns"))


def _gold(entry: Any, articles: dict[str, Article], refused: dict[str, str], place: str) -> Gold:
    name = take(entry, "article", str, f"{place} gold")
    if name not in articles:
        why = f"could not be read: {refused[name]}" if name in refused else "is not among the set's articles"
        raise DataError(f"{place}: article {name!r} {why}")
    gold = Gold(name, take(entry, "start", int, place), take(entry, "end", int, place), take(entry, "text", str, place))
    return check_gold(gold, articles[name], place)
