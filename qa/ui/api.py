"""The page's endpoints for programs: `ask`, `search`, `articles` and `article`, in the shapes that the command line prints with `--json`.

Gradio documents them at `/?view=api` from the names, types and docstrings here, so those are part of the contract. All of them only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

import gradio as gr

from qa.datatypes import Filters, Hit, Turn
from qa.errors import QAError
from qa.pipeline import Pipeline
from qa.render import response_json

MOST_HITS = 100


def add_endpoints(pipeline: Pipeline) -> None:
    """Call inside `gr.Blocks()`."""

    def ask(
        question: str, turns: list[dict[str, str]] | None = None, source: str = "", author: str = "", since: str = "", until: str = ""
    ) -> dict[str, Any]:
        """Answers a question in the articles' own words, with citations; `answer` is null when the articles don't say.

        Args:
            question: the question, in plain words
            turns: earlier questions of the conversation with their answers, [{"question": ..., "answer": ...}], oldest first
            source: only articles from this source
            author: only articles by this author
            since: only articles published on this day or later, YYYY-MM-DD
            until: only articles published on this day or earlier, YYYY-MM-DD
        """
        with _told():
            past = [Turn(str(turn.get("question", "")), str(turn.get("answer", ""))) for turn in turns or ()]
            return response_json(pipeline.ask(question, past, filters_from(source, author, since, until)))

    def search(
        question: str, limit: int = 10, source: str = "", author: str = "", since: str = "", until: str = ""
    ) -> list[dict[str, Any]]:
        """The passages that are closest to a question, best first, with the parts of their score.

        Args:
            question: the question, in plain words
            limit: how many passages at most
            source: only articles from this source
            author: only articles by this author
            since: only articles published on this day or later, YYYY-MM-DD
            until: only articles published on this day or earlier, YYYY-MM-DD
        """
        with _told():
            hits = pipeline.search(question, filters_from(source, author, since, until), min(max(limit, 1), MOST_HITS))
            return [_hit_json(hit) for hit in hits]

    def articles() -> list[dict[str, Any]]:
        """All articles of the index, without their texts."""
        with _told():
            return [_plain(summary) for summary in pipeline.articles()]

    def article(id: str) -> dict[str, Any]:
        """One article with its text.

        Args:
            id: the article's id, from `articles` or a citation
        """
        with _told():
            return _plain(pipeline.article(id))

    for endpoint in (ask, search, articles, article):
        gr.api(endpoint, api_name=endpoint.__name__)


def filters_from(source: str | None = "", author: str | None = "", since: str | None = "", until: str | None = "") -> Filters:
    """Filters from the texts that a form or a program gives; empty ones filter nothing."""
    return Filters(source or None, author or None, _day("since", since), _day("until", until))


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text and text.strip() else None
    except ValueError:
        raise QAError(f"{name} = {text!r} is not a date: expected YYYY-MM-DD, such as 2024-03-05") from None


@contextmanager
def _told() -> Iterator[None]:
    """The user's problems reach the caller as one line; a bug stays a bug."""
    try:
        yield
    except QAError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _plain(value: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON has it: dates as YYYY-MM-DD."""
    return {name: part.isoformat() if isinstance(part, date) else part for name, part in asdict(value).items()}


def _hit_json(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "article_id": passage.article_id,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": round(hit.score, 6),
        "dense_rank": hit.dense_rank,
        "lexical_rank": hit.lexical_rank,
        "also_in": list(hit.also_in),
    }
