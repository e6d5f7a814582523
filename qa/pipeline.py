"""The one place that knows the order: message -> standalone question -> hits -> spans -> answers.

It also decides when the articles don't say: when nothing was found, or the best answer's confidence is below the threshold.
A question reads one snapshot of the index, so that its citations belong together whatever is indexed meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from qa.answers import Group, cite_group, cite_hits, features, grouped, reranked
from qa.calibration import Calibration
from qa.chat import standalone_question
from qa.config import Config
from qa.database import store_errors
from qa.datatypes import Answer, Article, ArticleSummary, Citation, Filters, Hit, Refusal, Response, Turn
from qa.encoder import Encoder, load_encoder
from qa.errors import StoreError
from qa.reader import Reader, load_reader
from qa.reranker import Reranker, load_reranker
from qa.retriever import Retriever
from qa.store import Store

LONGEST_QUESTION = 10_000  # characters; what is longer is cut off
LISTED = 10  # hits of a response, read or not
CLOSEST = 3  # passages cited when the articles don't say

OnStage = Callable[[str], None]


class Pipeline:
    """Questions to one index. Safe to use from several threads; the index is opened and the models are loaded on first use."""

    def __init__(self, config: Config, *, encoder: Encoder | None = None, reader: Reader | None = None) -> None:
        self.config = config
        self._encoder, self._reader = encoder, reader
        self._store: Store | None = None
        self._retriever: Retriever | None = None
        self._reranker: Reranker | None = None
        self._calibration: Calibration | None = None
        self._counted: tuple[tuple[str, int], dict[str, object]] | None = None
        self._loading = threading.RLock()
        self._warm = False

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return self._warm

    def warm_up(self) -> None:
        """Opens the index and loads the models now. Raises what a question would."""
        self.ask("warm up")
        self._warm = True

    def ask(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        filters: Filters = Filters(),
        on_stage: OnStage | None = None,
        threshold: float | None = None,
    ) -> Response:
        """The answer, or None with the closest passages.

        `on_stage` hears "searching", then "reading"; an exception that it raises stops the question. `threshold` is the least
        confidence for this question alone; the response names the usual one, so that an answer below it can be told.
        """
        clock = _Clock()
        asked = clean_question(question)
        standalone = standalone_question(asked, turns)
        if not standalone:
            return Response(question, standalone, None, filters=filters, timings_ms=clock.timings())
        with self._snapshot() as (store, retriever):
            (on_stage or _silent)("searching")
            with clock.stage("encode"):
                vector = self._the_encoder().encode_questions([standalone])[0]
            with clock.stage("retrieve"):
                hits = retriever.search(standalone, max(LISTED, self.config.retrieval.passages), filters, vector)
            (on_stage or _silent)("reading")
            with clock.stage("read"):
                hits, groups = self._read(standalone, hits)
            response = self._respond(question, standalone, hits, groups, store, clock, threshold)
            searched = None if response.answer else store.count(filters)
            return replace(response, filters=filters, searched=searched)

    def search(self, question: str, filters: Filters = Filters(), k: int = 10) -> tuple[Hit, ...]:
        """The passages that are closest to a question, best first."""
        return self.search_many([question], k, filters)[0]

    def search_many(self, questions: Sequence[str], k: int = 10, filters: Filters = Filters()) -> list[tuple[Hit, ...]]:
        """`search` for many questions, encoded together."""
        cleaned = [clean_question(question) for question in questions]
        with self._snapshot() as (_, retriever):
            rows = self._the_encoder().encode_questions(cleaned) if cleaned else np.empty((0, 0), np.float32)
            return [tuple(retriever.search(text, k, filters, row)) for text, row in zip(cleaned, rows, strict=True)]

    def read(self, question: str, hits: Sequence[Hit]) -> list[Group]:
        """The reader's answers in these hits, best first, those that say the same together."""
        reader = self._the_reader()
        return grouped(reader.read(question, hits), reader.weight)

    def _read(self, question: str, hits: Sequence[Hit]) -> tuple[list[Hit], list[Group]]:
        """Reads the first passages; a model that has read them knows better than retrieval which come first."""
        reader = self._the_reader()
        first, rest = list(hits[: self.config.retrieval.passages]), list(hits[self.config.retrieval.passages :])
        spans = reader.read(question, first)
        order = reranked(first, spans, reader.weight) if reader.reranks else first
        return order + rest, grouped(spans, reader.weight)

    def article(self, article_id: str) -> Article:
        """StoreError when it is not there (any more)."""
        with self._snapshot() as (store, _):
            article = store.article(article_id)
        if article is None:
            raise StoreError(f"no article {article_id} in {self.config.index.path} (see: qa list)")
        return article

    def articles(self) -> list[ArticleSummary]:
        with self._snapshot() as (store, _):
            return store.summaries()

    def refusals(self) -> list[Refusal]:
        """What indexing could not read, and why."""
        with self._snapshot() as (store, _):
            return store.refusals()

    def info(self) -> dict[str, object]:
        """Counts and sizes of the index, and which models answer."""
        with self._snapshot() as (store, _):
            encoder = self._the_encoder()
            if self._counted is None or self._counted[0] != store.identity:  # counting takes long, and the page asks all the time
                self._counted = store.identity, store.info()
            return {**self._counted[1], "encoder": encoder.name, "fingerprint": encoder.fingerprint, "reader": self.config.reader.model}

    def _respond(
        self,
        question: str,
        standalone: str,
        hits: Sequence[Hit],
        groups: Sequence[Group],
        store: Store,
        clock: _Clock,
        least: float | None,
    ) -> Response:
        citations: list[Citation] = []
        answers: list[Answer] = []
        calibration = self._the_calibration()
        threshold = self.config.reader.threshold if self.config.reader.threshold is not None else calibration.threshold
        for number in range(min(len(groups), 1 + self.config.reader.alternatives)):
            confidence = calibration.confidence(features(groups[number]))
            if number and confidence < threshold / 2:
                break
            cited = cite_group(groups[number], len(citations) + 1, store.article)
            citations += cited
            answers.append(Answer(groups[number].text, confidence, tuple(citation.number for citation in cited)))
        shown = bool(answers) and answers[0].confidence >= (threshold if least is None else least)
        if not shown:
            citations = cite_hits(standalone, hits[:CLOSEST], 1, store.article)
            answers = [replace(answer, citations=()) for answer in answers]  # their numbers stood for other citations
        return Response(
            question=question,
            standalone_question=standalone,
            answer=answers[0] if shown else None,
            citations=tuple(citations),
            alternatives=tuple(answers[1:]) if shown else (),
            hits=tuple(hits),
            withheld=answers[0] if answers and not shown else None,
            threshold=threshold,
            timings_ms=clock.timings(),
        )

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[Store, Retriever]]:
        """The index at one moment. A folder that was replaced since the last question is opened anew."""
        folder = self.config.index.path
        with self._loading:
            if self._store is None or not self._store.is_current:
                opened = Store.open(folder)
                self._retriever = Retriever(self.config, opened, self._the_encoder(), self._the_reranker())
                self._store = opened  # last: a model that is missing is told at every question, not only at the first
            store, retriever = self._store, self._retriever
        assert retriever is not None
        with store_errors(folder), store.snapshot():
            yield store, retriever

    def _the_encoder(self) -> Encoder:
        with self._loading:
            if self._encoder is None:
                self._encoder = load_encoder(self.config.embedding)
            return self._encoder

    def _the_reader(self) -> Reader:
        with self._loading:
            if self._reader is None:
                self._reader = load_reader(self.config.reader, self._the_encoder())
            return self._reader

    def _the_reranker(self) -> Reranker | None:
        with self._loading:
            if self._reranker is None:
                self._reranker = load_reranker(self.config.retrieval)
            return self._reranker

    def _the_calibration(self) -> Calibration:
        with self._loading:
            if self._calibration is None:
                self._calibration = Calibration.load(self._the_reader().name, self.config.reader.calibration)
            return self._calibration


def clean_question(question: str) -> str:
    """Without outer white space, control characters and half characters, and no longer than anybody types."""
    text = question[:LONGEST_QUESTION].encode("utf-8", "replace").decode()
    return "".join(character if character.isprintable() else " " for character in text).strip()


class _Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._spent: dict[str, float] = {"encode": 0.0, "retrieve": 0.0, "read": 0.0}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._spent[name] += (time.perf_counter() - started) * 1000

    def timings(self) -> dict[str, float]:
        spent = {**self._spent, "total": (time.perf_counter() - self._started) * 1000}
        return {name: round(milliseconds, 3) for name, milliseconds in spent.items()}


def _silent(stage: str) -> None:
    pass
