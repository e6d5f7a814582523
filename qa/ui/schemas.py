"""What the endpoints give, as JSON. These names are the contract: programs read them, `/docs` and the MCP server publish their schemas."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12


class TurnGiven(TypedDict):
    """An earlier question of the conversation and what was answered (empty: the articles didn't say)."""

    question: str
    answer: str


class AnswerGiven(TypedDict):
    """The words that answer, verbatim; `citations` are numbers of the citations that say so, `confidence` is 0..1."""

    text: str
    confidence: float
    citations: list[int]


class CitationGiven(TypedDict):
    """`quote` is the article's text from character `start` to `end`; `span` is the answer's own place in the article."""

    number: int
    article_id: str
    title: str
    author: str | None
    published: str | None
    source: str
    start: int
    end: int
    quote: str
    excerpt: str
    score: float
    url: str | None
    span: list[int] | None
    also_in: list[str]


class ResponseGiven(TypedDict):
    """`answer` is null when the articles don't say; the closest passages are cited all the same."""

    question: str
    standalone_question: str
    answer: AnswerGiven | None
    citations: list[CitationGiven]
    alternatives: list[AnswerGiven]
    timings_ms: dict[str, float]


class HitGiven(TypedDict):
    """A passage: the article's text from character `start` to `end`. A rank is null where that search missed it."""

    article_id: str
    title: str
    start: int
    end: int
    text: str
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    also_in: list[str]


class SummaryGiven(TypedDict):
    """An article without its text. `path` is the name alone where the page is served to others.

    `copy_of` is the id of the article that this one repeats.
    """

    id: str
    title: str
    author: str | None
    published: str | None
    source: str
    url: str | None
    path: str | None
    passages: int
    sha256: str
    copy_of: str | None


class ArticleGiven(TypedDict):
    """A whole article. `path` is the name alone where the page is served to others."""

    id: str
    title: str
    text: str
    source: str
    sha256: str
    author: str | None
    published: str | None
    url: str | None
    path: str | None
    language: str
