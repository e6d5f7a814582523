"""The values that modules hand to one another.

All are frozen; a stage takes some and returns new ones. Offsets are characters of `Article.text`,
half-open, so `quote == article.text[start:end]` always holds. Nothing here reads, computes or prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Article:
    """One article: clean body text and where it came from.

    `id` is made from the source (path, URL or a given id), never from the content, so that it survives edits.
    `source` is what a reader would call the origin: the site's host name, else the file's name.
    `sha256` is the hex digest of everything else that a citation could show.
    """

    id: str
    title: str
    text: str
    source: str
    sha256: str
    author: str | None = None
    published: date | None = None
    url: str | None = None
    path: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or a row of one (`articles.jsonl:17`), that was not indexed, and the reason in one line."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A window of whole sentences: `text == article.text[start:end]`. `number` is its row in the store (0: not stored)."""

    article_id: str
    start: int
    end: int
    text: str
    title: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may answer. Empty fields filter nothing; `since` and `until` are inclusive."""

    source: str | None = None
    author: str | None = None
    since: date | None = None
    until: date | None = None

    def __bool__(self) -> bool:
        return any((self.source, self.author, self.since, self.until))


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, and why. `score` is in [0, 1]; ranks start at 1 and are None where that search missed it.

    `also_in` names the articles that are copies of this one (wire copies), which are not hits of their own.
    """

    passage: Passage
    score: float
    dense_score: float = 0.0
    lexical_score: float = 0.0
    dense_rank: int | None = None
    lexical_rank: int | None = None
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of an article that may answer the question: `text == article.text[start:end]`, inside `hit.passage`.

    `score` is on the reader's own scale, higher is better; the best span of a list is first.
    """

    hit: Hit
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote, the place where it stands, and enough around it to judge it.

    `quote` is `article.text[start:end]`, one or more whole sentences; `excerpt` is `article.text[excerpt_start:excerpt_end]`
    and contains it. `span` is the answer's own place inside the quote, or None for a passage that is merely close.
    """

    number: int
    article_id: str
    title: str
    source: str
    start: int
    end: int
    quote: str
    excerpt: str
    excerpt_start: int
    score: float
    author: str | None = None
    published: date | None = None
    url: str | None = None
    span: tuple[int, int] | None = None
    also_in: tuple[str, ...] = ()
    hit: Hit | None = None

    @property
    def excerpt_end(self) -> int:
        return self.excerpt_start + len(self.excerpt)


@dataclass(frozen=True, slots=True)
class Answer:
    """The words that answer, verbatim. `confidence` is the calibrated chance that they are right, 0..1.

    `citations` are numbers of `Response.citations`: every article that says the same.
    """

    text: str
    confidence: float
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation and the text of its answer (empty: the articles didn't say)."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """What a question gets.

    `answer` is None when the articles don't say; `withheld` is then the best guess, not shown. `filters` said which articles might answer.
    `encoder` is the fingerprint of the one that searched. `threshold` is the confidence from which on answers are shown; an answer
    below it was asked for. `searched` is how many (articles, passages) might have answered, counted when they don't.
    """

    question: str
    standalone_question: str
    answer: Answer | None
    citations: tuple[Citation, ...] = ()
    alternatives: tuple[Answer, ...] = ()
    hits: tuple[Hit, ...] = ()
    withheld: Answer | None = None
    filters: Filters = Filters()
    encoder: str = ""
    threshold: float = 0.0
    searched: tuple[int, int] | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """A row of the article list: everything but the text. `copy_of` is the id of the article that this one repeats."""

    id: str
    title: str
    author: str | None
    published: date | None
    source: str
    url: str | None
    path: str | None
    passages: int
    sha256: str
    copy_of: str | None = None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did. `passages` is how many the index holds, `encoded` how many texts went through the encoder."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    removed: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    duplicates: tuple[Refusal, ...] = ()
    passages: int = 0
    encoded: int = 0
    seconds: float = 0.0
