"""A pipeline without models, for the tests of the page: it answers from a few articles by shared words, with exact quotes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from fakes import FakeEncoder

from qa.config import Config
from qa.datatypes import Answer, Article, ArticleSummary, Citation, Filters, Hit, Passage, Refusal, Response, Turn
from qa.errors import QAError, StoreError
from qa.sentences import sentence_spans

MOON = Article(
    id="moon",
    title="Eagle lands on the Moon",
    text="""Apollo 11 was launched from Florida on 16 July 1969. Four days later the lunar module Eagle settled on the Sea of
Tranquility with less than a minute of fuel to spare.

Neil Armstrong stepped onto the surface first. "That's one small step for man, one giant leap for mankind,"
he said, as some 600 million people watched. Buzz Aldrin joined him twenty minutes later.

The two men collected 21.5 kilograms of lunar material. They stayed outside for two hours and thirty-one
minutes. Michael Collins circled above them, alone in the command module Columbia.

Columbia splashed down in the Pacific Ocean on 24 July 1969. The crew spent three weeks in quarantine.""",
    source="almanac.example",
    sha256="0" * 64,
    author="Ada Whitfield",
    published=date(1969, 7, 25),
    url="https://almanac.example/moon-landing",
)
QUARANTINE = Article(
    id="quarantine.md",
    title="Three weeks behind glass",
    text="""The crew of Apollo 11 spent three weeks in quarantine. Nobody knew whether the Moon harboured germs.

They lived in a converted trailer with a kitchen and a window. President Nixon greeted them through the glass.""",
    source="quarantine.md",
    sha256="1" * 64,
    published=date(1970, 1, 12),
)
TOWER = Article(
    id="tower.txt",
    title="The iron lady of Paris",
    text="""The Eiffel Tower was completed in March 1889. It was the tallest structure in the world for forty-one years.

Painters repaint it every seven years, with sixty tonnes of paint.""",
    source="tower.txt",
    sha256="2" * 64,
    author="Émile Łaski",
)
ARTICLES = (MOON, QUARANTINE, TOWER)
SMALL_WORDS = {
    "a",
    "an",
    "are",
    "did",
    "how",
    "in",
    "is",
    "it",
    "long",
    "much",
    "of",
    "on",
    "the",
    "they",
    "was",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
}


class FakePipeline:
    """The interface of `qa.pipeline.Pipeline`. `problem` is raised by everything; `seconds` is how long reading takes."""

    def __init__(self, articles: Sequence[Article] = ARTICLES, *, problem: QAError | None = None, seconds: float = 0.0) -> None:
        self.config = Config()
        self.encoder = FakeEncoder()
        self.by_id = {article.id: article for article in articles}
        self.refused: list[Refusal] = []
        self.problem = problem
        self.seconds = seconds
        self.loaded = threading.Event()
        self.loaded.set()

    @property
    def ready(self) -> bool:
        return self.loaded.is_set() and self.problem is None

    def warm_up(self) -> None:
        self._check()
        self.loaded.wait()

    def info(self) -> dict[str, object]:
        self._check()
        encoder, moment = "all-MiniLM-L6-v2", "2026-11-22T08:00:00"
        encoders = [{"name": encoder, "fingerprint": self.encoder.fingerprint, "passages": 12}]
        counts = {"articles": len(self.by_id), "passages": 12, "encoders": encoders}
        return {**counts, "encoder": encoder, "fingerprint": self.encoder.fingerprint, "indexed_at": moment}

    def article(self, article_id: str) -> Article:
        self._check()
        if article_id not in self.by_id:
            raise StoreError(f"no article {article_id} in the index (see: qa list)")
        return self.by_id[article_id]

    def articles(self) -> list[ArticleSummary]:
        self._check()
        return [ArticleSummary(a.id, a.title, a.author, a.published, a.source, a.url, a.path, 4, a.sha256) for a in self.by_id.values()]

    def refusals(self) -> list[Refusal]:
        self._check()
        return self.refused

    def search(self, question: str, filters: Filters = Filters(), k: int = 10) -> tuple[Hit, ...]:
        return tuple(c.hit for c in self.ask(question, (), filters).citations if c.hit)[:k]

    def ask(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),
        on_stage: Callable[[str], None] | None = None,
        threshold: float | None = None,
    ) -> Response:
        self._check()
        report = on_stage or (lambda stage: None)
        self.loaded.wait()
        report("searching")
        standalone = self._standalone(question, turns)
        report("reading")
        for _ in range(round(self.seconds / 0.05)):
            time.sleep(0.05)
            report("reading")
        ranked = self._ranked(standalone, filters)
        citations = tuple(self._cite(number, *place) for number, place in enumerate(ranked[:4], 1))
        timings = {"encode": 1.0, "retrieve": 2.0, "read": 3.0, "total": 6.0}
        if not citations or citations[0].score < (0.5 if threshold is None else threshold):
            withheld = Answer(_span_text(citations[0]), citations[0].score, ()) if citations else None
            allowed = sum(filters.source in (None, a.source) and filters.author in (None, a.author) for a in self.by_id.values())
            unmarked = tuple(replace(c, span=None) for c in citations)
            return Response(
                question, standalone, None, unmarked, withheld=withheld, filters=filters, threshold=0.5,
                searched=(allowed, 4 * allowed), timings_ms=timings,
            )  # fmt: skip
        same = tuple(c.number for c in citations if c.number == 1 or _words(c.quote) >= _words(citations[0].quote))
        answer = Answer(_span_text(citations[0]), citations[0].score, same)
        rest = tuple(Answer(_span_text(c), c.score / 2, (c.number,)) for c in citations if c.number not in same)
        return Response(question, standalone, answer, citations, rest, filters=filters, threshold=0.5, timings_ms=timings)

    def _check(self) -> None:
        if self.problem:
            raise self.problem

    def _standalone(self, question: str, turns: Sequence[Turn]) -> str:
        """'they' is taken up from the last question's capitalised words."""
        if turns and re.search(r"\b(they|it|he)\b", question):
            name = re.search(r"[A-Z]\w+ [A-Z0-9]\w*", turns[-1].question + " " + turns[-1].answer)
            return re.sub(r"\b(they|it|he)\b", name.group() if name else "it", question, count=1)
        return question

    def _ranked(self, question: str, filters: Filters) -> list[tuple[Article, int, int, float]]:
        wanted = _words(question)
        places = [
            (article, start, end, len(wanted & (_words(article.text[start:end]) | _words(article.title))) / (len(wanted) or 1))
            for article in self.by_id.values()
            if filters.source in (None, article.source) and filters.author in (None, article.author)
            for start, end in sentence_spans(article.text, "en")
        ]
        return sorted((place for place in places if place[3] > 0), key=lambda place: -place[3])

    def _cite(self, number: int, article: Article, start: int, end: int, score: float) -> Citation:
        excerpt_start = article.text.rfind("\n\n", 0, start) + 2 if "\n\n" in article.text[:start] else 0
        stop = article.text.find("\n\n", end)
        excerpt = article.text[excerpt_start : stop if stop >= 0 else None]
        year = re.search(r"\d+ [JM]\w+ \d{4}|March \d{4}|\w+ weeks|21.5 \w+", article.text[start:end])
        span = (start + year.start(), start + year.end()) if year else (start, end)
        passage = Passage(article.id, excerpt_start, excerpt_start + len(excerpt), excerpt, article.title, number)
        return Citation(
            number=number,
            article_id=article.id,
            title=article.title,
            source=article.source,
            start=start,
            end=end,
            quote=article.text[start:end],
            excerpt=excerpt,
            excerpt_start=excerpt_start,
            score=score * 0.97,
            author=article.author,
            published=article.published,
            url=article.url,
            span=span,
            also_in=("Evening Post",) if article.id == "moon" else (),
            hit=Hit(passage, score, 0.71, 9.4, number, number + 1 if number != 2 else None),
        )


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - SMALL_WORDS


def _span_text(citation: Citation) -> str:
    start, end = citation.span or (citation.start, citation.end)
    return citation.quote[start - citation.start : end - citation.start]
