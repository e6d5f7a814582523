"""BEIR folders -> `Dataset`: documents are articles, and questions are answered by whole documents, with grades."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from qa.datatypes import Article
from qa.errors import DataError
from qa.evaluation.datasets import Dataset, Question, read_json_lines, short, take, text_digest


def load(folder: Path, split: str) -> Dataset:
    """Only questions that `qrels/<split>.tsv` judges are asked, as everywhere with these sets."""
    articles = _corpus(folder / "corpus.jsonl")
    queries = _queries(folder / "queries.jsonl")
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for place, query, document, grade in _judgements(folder / "qrels", split):
        if query not in queries:
            raise DataError(f"{place}: query {short(query)} is not in queries.jsonl")
        if document not in articles:
            raise DataError(f"{place}: document {short(document)} is not in corpus.jsonl")
        if document in grades[query]:
            raise DataError(f"{place}: query {short(query)} and document {short(document)} are judged twice")
        grades[query][document] = grade
    questions = (Question(key, queries[key], split=split, documents=judged) for key, judged in grades.items())
    indexed = tuple(article for article in articles.values() if article.text.strip())
    return Dataset(folder.resolve().name, indexed, tuple(questions))


def _corpus(file: Path) -> dict[str, Article]:
    """Documents by id. One that has a title only is its title; one that has nothing cannot be found but may be judged."""
    articles: dict[str, Article] = {}
    for place, entry in read_json_lines(file):
        key = _id(entry, place)
        if key in articles:
            raise DataError(f"{place}: document id {key!r} is there twice; ids must be unique")
        title = take(entry, "title", str, place) if entry.get("title") else ""
        text = take(entry, "text", str, place) or title
        articles[key] = Article(key, title, text, file.parent.resolve().name, text_digest(title, text))
    if not articles:
        raise DataError(f"{file}: the corpus is empty: there is no document to ask about")
    return articles


def _queries(file: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for place, entry in read_json_lines(file):
        key = _id(entry, place)
        if key in queries:
            raise DataError(f"{place}: query id {key!r} is there twice; ids must be unique")
        queries[key] = take(entry, "text", str, place)
    return queries


def _judgements(folder: Path, split: str) -> Iterator[tuple[str, str, str, int]]:
    """Rows of a qrels file after their place: query id, document id, grade. The header may be missing."""
    file = folder / f"{split}.tsv"
    if not file.is_file():
        splits = ", ".join(sorted(found.stem for found in folder.glob("*.tsv"))) or "none"
        raise DataError(f"{file}: not found; splits there: {splits} (choose one with --split)")
    for number, line in enumerate(_lines(file), 1):
        place, row = f"{file}:{number}", line.split("\t")
        if not line.strip() or (number == 1 and row[:2] == ["query-id", "corpus-id"]):
            continue
        if len(row) != 3:
            raise DataError(f"{place}: {len(row)} columns, expected query-id, corpus-id and score between tabs")
        try:
            yield place, row[0], row[1], int(row[2])
        except ValueError:
            raise DataError(f"{place}: score {row[2][:40]!r} is not a whole number") from None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}") from None


def _id(entry: dict[str, object], place: str) -> str:
    key = entry.get("_id")
    if not isinstance(key, (str, int)) or isinstance(key, bool) or key == "":
        raise DataError(f"{place}: '_id' is missing or not text")
    text: str = take({"_id": str(key)}, "_id", str, place)
    return text
