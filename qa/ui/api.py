"""What programs may ask: `ask`, `search`, `articles` and `article`, in the shapes that the command line prints with `--json`.

Gradio serves them over HTTP, `qa.ui.mcp` to language models, and `qa.ui.docs` describes them: all from the names, types and
docstrings here, so those are part of the contract. All of them only read, and whoever reached the page may call them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.context import LocalContext

from qa.config import Config
from qa.datatypes import Article, ArticleSummary, Filters, Hit, Response, Turn
from qa.errors import QAError
from qa.pipeline import Pipeline
from qa.render import response_json
from qa.server.addresses import shared
from qa.server.record import Record
from qa.ui.asked import LONGEST_QUESTION
from qa.ui.line import Line
from qa.ui.schemas import ArticleGiven, HitGiven, ResponseGiven, SummaryGiven, TurnGiven
from qa.ui.visitor import current_visitor, told, visitor_of

MOST_HITS = 100
MOST_TURNS = 200
PROGRAM = "a program"  # the name in the line of who has no session, as MCP clients

Endpoint = Callable[..., Any]


class Api:
    """The endpoints. Their problems are QAErrors of one line. Questions wait their turn in the `line`."""

    def __init__(self, config: Config, pipeline: Pipeline, line: Line, record: Record) -> None:
        self.config = config
        self.pipeline = pipeline
        self.line = line
        self.record = record

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        return (self.ask, self.search, self.articles, self.article)

    def ask(
        self,
        question: str,
        turns: list[TurnGiven] | None = None,
        source: str = "",
        author: str = "",
        since: str = "",
        until: str = "",
        threshold: float | None = None,
    ) -> ResponseGiven:
        """Answers a question in the articles' own words, with citations; `answer` is null when the articles don't say.

        Args:
            question: the question, in plain words
            turns: earlier questions of the conversation with their answers, [{"question": ..., "answer": ...}], oldest first
            source: only articles from this source
            author: only articles by this author
            since: only articles published on this day or later, YYYY-MM-DD
            until: only articles published on this day or earlier, YYYY-MM-DD
            threshold: least confidence of an answer, 0 to 1; without it, what the server is set to
        """
        _check(question)
        past = _turns(turns or ())
        filters = filters_from(source, author, since, until)
        with self._turn(question):
            response = self.pipeline.ask(question, past, filters, threshold=threshold)
            self._answered(question, response)
        return cast(ResponseGiven, response_json(response))

    def search(
        self, question: str, limit: int = 10, source: str = "", author: str = "", since: str = "", until: str = ""
    ) -> list[HitGiven]:
        """The passages that are closest to a question, best first, with the parts of their score.

        Args:
            question: the question, in plain words
            limit: how many passages at most, 1 to 100
            source: only articles from this source
            author: only articles by this author
            since: only articles published on this day or later, YYYY-MM-DD
            until: only articles published on this day or earlier, YYYY-MM-DD
        """
        _check(question)
        filters = filters_from(source, author, since, until)
        with self._turn(question):
            hits = self.pipeline.search(question, filters, min(max(limit, 1), MOST_HITS))
            self.record.asked(current_visitor(), question, "searched")
        return [_hit(hit) for hit in hits]

    def articles(self) -> list[SummaryGiven]:
        """All articles of the index, without their texts."""
        return [cast(SummaryGiven, self._given(summary)) for summary in self.pipeline.articles()]

    def article(self, id: str) -> ArticleGiven:
        """One article with its text.

        Args:
            id: the article's id, from `articles` or a citation
        """
        return cast(ArticleGiven, self._given(self.pipeline.article(id)))

    def _given(self, found: Article | ArticleSummary) -> dict[str, Any]:
        """Its fields. Where the page is served to others, only the name of its file."""
        fields = _plain(found)
        return {**fields, "path": found.path and Path(found.path).name} if shared(self.config) else fields

    @contextmanager
    def _turn(self, question: str) -> Iterator[None]:
        request = LocalContext.request.get(None)
        try:
            with self.line.turn(user_of(request) if request else current_visitor().name or PROGRAM):
                yield
        except Exception:
            self.record.asked(current_visitor(), question, "failed")
            raise

    def _answered(self, question: str, response: Response) -> None:
        self.record.asked(current_visitor(), question, outcome(response), response)


def add_endpoints(api: Api) -> None:
    """Call inside `gr.Blocks()`."""
    for endpoint in api.endpoints:
        gr.api(_told(endpoint, api.config), api_name=endpoint.__name__)


def user_of(request: gr.Request) -> str:
    """Who waits in the line: a user, or else a tab of a browser, or a program's client."""
    visitor = visitor_of(request)
    return visitor.name or f"{visitor.address} {request.session_hash}"


def outcome(response: Response) -> str:
    return "answered" if response.answer else "not said"


def _told(endpoint: Endpoint, config: Config) -> Endpoint:
    """The user's problems reach the caller as one line; a bug stays a bug."""

    @wraps(endpoint)
    def one_line(*arguments: Any) -> Any:
        try:
            return endpoint(*arguments)
        except QAError as error:
            raise gr.Error(told(error, config), print_exception=False) from None

    return one_line


def _check(question: str) -> None:
    if not isinstance(question, str):
        raise QAError("the question must be text")
    if len(question) > LONGEST_QUESTION:
        raise QAError(f"the question is too long: {len(question):,} characters, at most {LONGEST_QUESTION:,} are taken")


def _turns(turns: Sequence[TurnGiven]) -> list[Turn]:
    if len(turns) > MOST_TURNS:
        raise QAError(f"there are too many turns: {len(turns):,}, at most {MOST_TURNS} are taken")
    past = [Turn(str(turn.get("question", "")), str(turn.get("answer", ""))) for turn in turns]
    if any(len(turn.question) > LONGEST_QUESTION or len(turn.answer) > LONGEST_QUESTION for turn in past):
        raise QAError(f"a turn is too long: at most {LONGEST_QUESTION:,} characters are taken of its question and of its answer")
    return past


def filters_from(source: str | None = "", author: str | None = "", since: str | None = "", until: str | None = "") -> Filters:
    """Filters from the texts that a form or a program gives; empty ones filter nothing."""
    return Filters(source or None, author or None, _day("since", since), _day("until", until))


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text and text.strip() else None
    except ValueError:
        raise QAError(f"{name} = {text!r} is not a date: expected YYYY-MM-DD, such as 2024-03-05") from None


def _plain(value: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON has it: dates as YYYY-MM-DD."""
    return {name: part.isoformat() if isinstance(part, date) else part for name, part in asdict(value).items()}


def _hit(hit: Hit) -> HitGiven:
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
