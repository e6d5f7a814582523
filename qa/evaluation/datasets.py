"""Evaluation sets: articles, questions about them, and where each answer stands.

    own folder   articles/ + questions.jsonl          answers are spans; the form is described in eval/README.md
    SQuAD file   1.1 or 2.0, JSON                     answers are spans; paragraphs of a title become one article
    BEIR folder  corpus.jsonl, queries.jsonl, qrels/  answers are whole documents

A fault stops loading with the file, the line or id, and the reason (`DataError`). Nothing is asked or scored here.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from qa.datatypes import Article, Turn
from qa.errors import DataError


@dataclass(frozen=True, slots=True)
class Gold:
    """A right answer: `text == article.text[start:end]`."""

    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is known about its answer.

    `gold` holds alternatives, any one of which is right. `documents` grades whole articles instead (BEIR). Both empty: the
    articles don't say. `paragraph` is where a reader alone would have to look (SQuAD: also for unanswerable questions).
    """

    id: str
    question: str
    kind: str = ""
    split: str = ""
    turns: tuple[Turn, ...] = ()
    gold: tuple[Gold, ...] = ()
    documents: Mapping[str, int] = field(default_factory=dict)
    paragraph: Gold | None = None

    @property
    def answerable(self) -> bool:
        return bool(self.gold or self.documents)


@dataclass(frozen=True)
class Dataset:
    """Articles and questions. Ids are unique and every gold stands at its offset, or loading would have stopped."""

    name: str
    articles: tuple[Article, ...]
    questions: tuple[Question, ...]

    @cached_property
    def corpus_sha256(self) -> str:
        """Digest of everything that is indexed, whatever its order."""
        return text_digest(*sorted(text_digest(article.id, article.title, article.text) for article in self.articles))

    @cached_property
    def questions_sha256(self) -> str:
        """Digest of the questions and of what is right, in their order."""
        return text_digest(*map(repr, self.questions))

    @property
    def by_document(self) -> bool:
        """True when whole documents are judged and there are no answers to score (BEIR)."""
        return any(question.documents for question in self.questions)

    def sample(self, size: int | None, seed: int = 0) -> Dataset:
        """`size` questions drawn by `seed`, in their old order; all of them when there are no more, or with None."""
        if size is None:
            return self
        chosen = sorted(random.Random(seed).sample(range(len(self.questions)), min(size, len(self.questions))))
        return replace(self, questions=tuple(self.questions[number] for number in chosen))


def read_json_lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a JSONL file after its place, `questions.jsonl:17`. Blank lines are passed over."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{file}:{number}", _parse_object(line, f"{file}:{number}")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}") from None


def take(entry: Any, key: str, kind: type, place: str) -> Any:
    """`entry[key]`, which must be there and of this type."""
    if not isinstance(entry, dict):
        raise DataError(f"{place}: expected an object, found {short(entry)}")
    if key not in entry:
        raise DataError(f"{place}: {key!r} is missing")
    value = entry[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DataError(f"{place}: {key!r} is {short(value)}, expected {_PLAIN[kind]}")
    if isinstance(value, str) and not _is_whole(value):
        raise DataError(f"{place}: {key!r} has half of a surrogate pair, which is no character")
    return value


def take_text(entry: Any, key: str, place: str) -> str:
    """As `take`, for a text that must not be blank."""
    text: str = take(entry, key, str, place)
    if not text.strip():
        raise DataError(f"{place}: {key!r} is empty")
    return text


def check_gold(gold: Gold, article: Article, place: str) -> Gold:
    """The same gold, once it is certain that it stands where it says."""
    if not 0 <= gold.start < gold.end:
        raise DataError(f"{place}: answer {short(gold.text)} has start {gold.start} and end {gold.end}")
    if gold.end > len(article.text):
        length = len(article.text)
        raise DataError(f"{place}: answer {short(gold.text)} ends at {gold.end}, beyond the end of {article.id!r} ({length} characters)")
    found = article.text[gold.start : gold.end]
    if found != gold.text:
        first = article.text.find(gold.text)
        where = f"it stands at {first}" if first >= 0 else "it stands nowhere in it"
        told = f"answer {short(gold.text)} does not stand at {gold.start} of {article.id!r}; {short(found)} does ({where})"
        raise DataError(f"{place}: {told}")
    return gold


def text_digest(*parts: str | None) -> str:
    """SHA-256 of several fields, for `Article.sha256`."""
    return hashlib.sha256("\0".join(part or "" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()


_PLAIN: dict[type, str] = {str: "text", int: "a whole number", list: "a list", dict: "an object", bool: "true or false"}


def _parse_object(line: str, place: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not valid JSON: {error}") from None
    if not isinstance(entry, dict):
        raise DataError(f"{place}: expected an object, found {short(entry)}")
    return entry


def _is_whole(text: str) -> bool:
    """Whether all of the text are characters: JSON can escape halves, which no file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def short(value: object) -> str:
    """A value quoted on one line: 'Where is …' -> at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]
