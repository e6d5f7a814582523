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
from numpy.typing import NDArray

from qa.answers import Group, cite_group, cite_hits, grouped, reranked, settled
from qa.calibration import Calibration
from qa.chat import standalone_question
from qa.config import Config
from qa.database import store_errors
from qa.datatypes import Answer, Article, ArticleSummary, Citation, Filters, Hit, Refusal, Response, Span, Turn
from qa.encoder import Encoder, load_encoder
from qa.errors import UnknownArticle
from qa.evidence import LEADING, compared, weighed
from qa.features import Features, features
from qa.reader import Reader, SentenceReader, load_reader
from qa.reranker import Reranker, load_reranker
from qa.retriever import Retriever
from qa.storage import Reading
from qa.stores import open_store

LONGEST_QUESTION = 10_000  # characters; what is longer is cut off
LISTED = 10  # hits of a response, read or not
READ_AT_ONCE = 2  # passages; the others only while one of them could still be better
CLOSEST = 3  # passages cited when the articles don't say

OnStage = Callable[[str], None]


class Pipeline:
    """Questions to one index. Safe to use from several threads; the index is opened and the models are loaded on first use."""

    def __init__(self, config: Config, *, encoder: Encoder | None = None, reader: Reader | None = None) -> None:
        self.config = config
        self._encoder, self._reader = encoder, reader
        self._chosen: Encoder | None = None
        self._store: Reading | None = None
        self._retrievers: dict[tuple[Reading, str], Retriever] = {}
        self._reranker: Reranker | None = None
        self._calibration: Calibration | None = None
        self._counted: tuple[tuple[str, int], dict[str, object]] | None = None
        self._loading = threading.RLock()
        self._warm = False

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return self._warm

    @property
    def encoder(self) -> Encoder:
        """The configured one."""
        with self._loading:
            if self._encoder is None:
                self._encoder = load_encoder(self.config.embedding)
            return self._encoder

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
        with self._snapshot() as store:
            retriever = self._answering(store)
            (on_stage or _silent)("searching")
            with clock.stage("encode"):
                vector = retriever.encoder.encode_questions([standalone])[0]
            with clock.stage("retrieve"):
                hits = retriever.search(standalone, max(LISTED, self.config.retrieval.passages), filters, vector)
            (on_stage or _silent)("reading")
            with clock.stage("read"):
                hits, groups = self._read(standalone, hits, vector, retriever.encoder)
                groups = groups[: 1 + self.config.reader.alternatives]
                known = [features(standalone, hits[: self.config.retrieval.passages], group) for group in groups]
            response = self._respond(question, standalone, hits, list(zip(groups, known, strict=True)), store, clock, threshold)
            searched = None if response.answer else store.count(filters)
            return replace(response, filters=filters, searched=searched, encoder=retriever.encoder.fingerprint)

    def search(self, question: str, filters: Filters = Filters(), k: int = 10) -> tuple[Hit, ...]:
        """The passages that are closest to a question, best first."""
        return self.search_many([question], k, filters)[0]

    def search_many(self, questions: Sequence[str], k: int = 10, filters: Filters = Filters()) -> list[tuple[Hit, ...]]:
        """`search` for many questions, encoded together."""
        cleaned = [clean_question(question) for question in questions]
        with self._snapshot() as store:
            retriever = self._answering(store)
            rows = retriever.encoder.encode_questions(cleaned) if cleaned else np.empty((0, 0), np.float32)
            return [tuple(retriever.search(text, k, filters, row)) for text, row in zip(cleaned, rows, strict=True)]

    def compare(self, question: str, encoders: Sequence[Encoder], k: int = 10, filters: Filters = Filters()) -> list[tuple[Hit, ...]]:
        """What each encoder finds for one question, at one moment. MissingVectors when one of them has not encoded every passage."""
        cleaned = clean_question(question)
        with self._snapshot() as store:
            return [tuple(self._retriever(store, encoder).search(cleaned, k, filters)) for encoder in encoders]

    def use(self, encoder: Encoder) -> None:
        """Answers with this encoder from now on. Questions under way end with the one that they began with.

        All that it needs is loaded first: when that fails, nothing has changed. While it lacks vectors, because articles were added
        since, the configured one stands in.
        """
        self.compare("warm up", [encoder])
        self._chosen = encoder

    def read(self, question: str, hits: Sequence[Hit]) -> list[Group]:
        """The reader's answers in these hits as `ask` ranks them, best first, those that say the same together."""
        return self._read(question, hits, self.encoder.encode_questions([question])[0], self.encoder)[1]

    def _read(self, question: str, hits: Sequence[Hit], vector: NDArray[np.float32], encoder: Encoder) -> tuple[list[Hit], list[Group]]:
        """Reads the first passages, as many as it takes; a model that has read them knows better than retrieval which come first.

        `vector` is the encoded question, (dim,).
        """
        reader = self._the_reader(encoder)
        first, rest = list(hits[: self.config.retrieval.passages]), list(hits[self.config.retrieval.passages :])
        step = READ_AT_ONCE if reader.reranks else max(1, len(first))
        spans: list[Span] = []
        for at in range(0, len(first), step):
            if at and settled(spans, first[at], reader.weight):
                break
            spans += reader.read(question, first[at : at + step])
        groups = self._ranked(question, spans, reader, vector, encoder)
        order = reranked(first, spans, groups, reader.weight) if reader.reranks else first
        return order + rest, groups

    def _ranked(self, question: str, spans: Sequence[Span], reader: Reader, vector: NDArray[np.float32], encoder: Encoder) -> list[Group]:
        """By retrieval, reader and evidence; the `sentence` reader has looked at the evidence itself."""
        groups = grouped(spans, reader.weight)
        count = max(LEADING if reader.reranks else 1, 1 + self.config.reader.alternatives)
        groups = compared(groups[:count], vector, encoder) + groups[count:]
        return weighed(question, groups) if reader.reranks else groups

    def article(self, article_id: str) -> Article:
        """UnknownArticle when it is not there (any more)."""
        with self._snapshot() as store:
            article = store.article(article_id)
        if article is None:
            raise UnknownArticle(f"no article {article_id} in {self.config.index.path} (see: qa list)")
        return article

    def articles(self) -> list[ArticleSummary]:
        with self._snapshot() as store:
            return store.summaries()

    def refusals(self) -> list[Refusal]:
        """What indexing could not read, and why."""
        with self._snapshot() as store:
            return store.refusals()

    def info(self) -> dict[str, object]:
        """Counts and sizes of the index, and which models answer."""
        with self._snapshot() as store:
            encoder = self._answering(store).encoder
            if self._counted is None or self._counted[0] != store.identity:  # counting takes long, and the page asks all the time
                self._counted = store.identity, store.info()
            return {**self._counted[1], "encoder": encoder.name, "fingerprint": encoder.fingerprint, "reader": self.config.reader.model}

    def _respond(
        self,
        question: str,
        standalone: str,
        hits: Sequence[Hit],
        groups: Sequence[tuple[Group, Features]],
        store: Reading,
        clock: _Clock,
        least: float | None,
    ) -> Response:
        citations: list[Citation] = []
        answers: list[Answer] = []
        calibration = self._the_calibration()
        threshold = self.config.reader.threshold if self.config.reader.threshold is not None else calibration.threshold
        for group, known in groups:
            confidence = calibration.confidence(known)
            if answers and confidence < threshold / 2:
                continue  # one behind it may be surer: their order is not that of confidence
            cited = cite_group(group, len(citations) + 1, store.article)
            citations += cited
            answers.append(Answer(group.text, confidence, tuple(citation.number for citation in cited)))
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
    def _snapshot(self) -> Iterator[Reading]:
        """The index at one moment. A folder that was replaced since the last question is opened anew."""
        folder = self.config.index.path
        with self._loading:
            if self._store is None or not self._store.is_current:
                self._store = open_store(self.config)
                self._retrievers = {}
            store = self._store
        with store_errors(folder), store.snapshot():
            yield store

    def _answering(self, store: Reading) -> Retriever:
        """That of the encoder which `use` chose, if it has encoded every passage, else that of the configured one. Inside a snapshot."""
        chosen = self._chosen
        if chosen is not None and (retriever := self._retriever(store, chosen)).covers():
            return retriever
        return self._retriever(store, self.encoder)

    def _retriever(self, store: Reading, encoder: Encoder) -> Retriever:
        with self._loading:
            key = store, encoder.fingerprint
            if key not in self._retrievers:
                self._retrievers[key] = Retriever(self.config, store, encoder, self._the_reranker())
            return self._retrievers[key]

    def _the_reader(self, encoder: Encoder) -> Reader:
        """The sentence reader measures with the encoder that searched, and costs nothing to make; a model is loaded once."""
        with self._loading:
            if self._reader is not None:
                return self._reader
            reader = load_reader(self.config.reader, encoder)
            if not isinstance(reader, SentenceReader):
                self._reader = reader
            return reader

    def _the_reranker(self) -> Reranker | None:
        with self._loading:
            if self._reranker is None:
                self._reranker = load_reranker(self.config.retrieval)
            return self._reranker

    def _the_calibration(self) -> Calibration:
        with self._loading:
            if self._calibration is None:
                self._calibration = Calibration.load(self._the_reader(self.encoder).name, self.config.reader.calibration)
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
