"""The order of things, and when the articles don't say."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import date

import pytest
from fakes import FakeEncoder, article

from qa.calibration import Calibration
from qa.config import Config
from qa.datatypes import Filters, Hit, Response, Span, Turn
from qa.errors import MissingVectors, StoreError
from qa.indexer import index_articles, remove_articles
from qa.pipeline import LONGEST_QUESTION, Pipeline, clean_question

Fill = Callable[..., Config]

MOON = article(
    "moon", "It was late. Neil Armstrong stepped onto the Moon in 1969. Crowds cheered.", "Moon landing", published=date(1969, 7, 21)
)
NASA = article("nasa", "Of twelve men on the Moon, the first was Neil Armstrong. He came back.", "NASA", author="Ann Lee")
RIVER = article("river", "The river Rhine is long. It flows north to the sea.", "Rhine")


class NameReader:
    """Answers with every "Neil Armstrong" or "Rhine" that it sees, or the names it was told; its score is 2, or what it was told."""

    name = "names"
    weight = 1.0
    reranks = False

    def __init__(self, score: float = 2.0, names: tuple[str, ...] = ("Neil Armstrong", "Rhine")) -> None:
        self.score, self.names = score, names

    def read(self, question: str, hits: list[Hit]) -> list[Span]:
        places = [(hit, name, hit.passage.text.find(name)) for hit in hits for name in self.names]
        return [
            Span(hit, hit.passage.start + at, hit.passage.start + at + len(name), name, self.score) for hit, name, at in places if at >= 0
        ]


@pytest.fixture
def pipeline(filled: Fill) -> Pipeline:
    return Pipeline(filled(MOON, NASA, RIVER), encoder=FakeEncoder(), reader=NameReader())


def check(response: Response, pipeline: Pipeline) -> None:
    """What must hold for any response."""
    assert [citation.number for citation in response.citations] == list(range(1, len(response.citations) + 1))
    for citation in response.citations:
        text = pipeline.article(citation.article_id).text
        assert citation.quote == text[citation.start : citation.end]
        assert citation.quote in citation.excerpt == text[citation.excerpt_start : citation.excerpt_end]
    for answer in filter(None, (response.answer, *response.alternatives)):
        assert answer.citations
        assert all(answer.text in response.citations[number - 1].quote for number in answer.citations)


def test_articles_that_agree_are_one_answer_with_several_citations(pipeline):
    response = pipeline.ask("Who was the first man on the Moon?")
    check(response, pipeline)
    assert response.answer is not None
    assert (response.answer.text, response.answer.citations) == ("Neil Armstrong", (1, 2))
    assert {citation.article_id for citation in response.citations[:2]} == {"moon", "nasa"}
    assert [(other.text, other.citations) for other in response.alternatives] == [("Rhine", (3,))]
    assert response.withheld is None
    assert [hit.passage.article_id for hit in response.hits][-1] == "river"
    assert set(response.timings_ms) == {"encode", "retrieve", "read", "total"}


def test_below_the_threshold_the_articles_do_not_say_and_the_closest_passages_are_cited(filled):
    config = filled(MOON, NASA, RIVER).replace("reader.threshold", 0.9)
    pipeline = Pipeline(config, encoder=FakeEncoder(), reader=NameReader(score=0.0))
    response = pipeline.ask("Who was the first man on the Moon?")
    check(response, pipeline)
    assert response.answer is None and response.alternatives == ()
    assert [(citation.article_id, citation.span) for citation in response.citations] == [
        (hit.passage.article_id, None) for hit in response.hits[:3]
    ]
    assert response.withheld is not None
    assert (response.withheld.text, response.withheld.confidence, response.withheld.citations) == ("Neil Armstrong", 0.5, ())


def test_a_question_may_ask_for_less_confidence_and_its_answer_is_known_to_be_below_the_threshold(filled):
    config = filled(MOON, NASA, RIVER).replace("reader.threshold", 0.9)
    pipeline = Pipeline(config, encoder=FakeEncoder(), reader=NameReader(0.0))
    response = pipeline.ask("Who stepped onto the Moon?", threshold=0.0)
    assert response.answer is not None
    assert (response.answer.text, response.answer.confidence, response.threshold) == ("Neil Armstrong", 0.5, 0.9)
    check(response, pipeline)


def test_when_the_articles_do_not_say_it_is_told_how_many_were_searched(filled):
    config = filled(MOON, NASA, RIVER).replace("reader.threshold", 0.9)
    pipeline = Pipeline(config, encoder=FakeEncoder(), reader=NameReader(0.0))
    assert pipeline.ask("Who?").searched == (3, 3)
    assert pipeline.ask("Who?", filters=Filters(author="ann")).searched == (1, 1)
    assert pipeline.ask("Who?", threshold=0.0).searched is None


def test_the_threshold_is_reached_by_equality_and_the_calibrations_unless_set(filled, monkeypatch):
    config = filled(MOON)
    assert Pipeline(config.replace("reader.threshold", 0.5), encoder=FakeEncoder(), reader=NameReader(0.0)).ask("Who?").answer
    monkeypatch.setattr(Calibration, "load", classmethod(lambda cls, *_: Calibration(0.0, {"reader": 1.0}, threshold=0.6)))
    assert Pipeline(config, encoder=FakeEncoder(), reader=NameReader(0.0)).ask("Who?").answer is None


def test_so_many_alternatives_as_are_asked_for(filled):
    config = filled(MOON, RIVER).replace("reader.alternatives", 0)
    assert Pipeline(config, encoder=FakeEncoder(), reader=NameReader()).ask("Who or what?").alternatives == ()


def test_an_alternative_behind_a_weak_one_is_listed(filled, monkeypatch):
    class Surest(Calibration):
        def confidence(self, known):
            return next(left)

    left = iter([0.8, 0.1, 0.5])
    monkeypatch.setattr(Calibration, "load", classmethod(lambda cls, *_: Surest(0.0, {}, threshold=0.6)))
    text = "Armstrong walked. The Rhine is long. The Danube is longer."
    pipeline = Pipeline(filled(article("all", text)), encoder=FakeEncoder(), reader=NameReader(names=("Armstrong", "Rhine", "Danube")))
    response = pipeline.ask("Who or what?")
    assert response.answer is not None
    listed = [(answer.text, answer.confidence) for answer in (response.answer, *response.alternatives)]
    assert listed == [("Armstrong", 0.8), ("Danube", 0.5)]
    check(response, pipeline)


class CountingReader(NameReader):
    """Counts the passages that it was given; "Rhine" is all that it knows, so it scores what it was told and reorders."""

    weight = 0.05
    reranks = True

    def __init__(self, score: float) -> None:
        super().__init__(score)
        self.read_so_far = 0

    def read(self, question: str, hits: list[Hit]) -> list[Span]:
        self.read_so_far += len(hits)
        return super().read(question, hits)


@pytest.mark.parametrize(("score", "read"), [(100.0, 2), (-100.0, 8)])
def test_no_more_passages_are_read_than_the_answer_needs(filled, score, read):
    articles = [article(f"river{n}", f"The river Rhine is long, says book {n}. It flows north to the sea.", f"Book {n}") for n in range(9)]
    reader = CountingReader(score)
    response = Pipeline(filled(*articles), encoder=FakeEncoder(), reader=reader).ask("Which river is long?", threshold=0.0)
    assert reader.read_so_far == read
    assert len(response.hits) == 9
    assert response.answer.text == "Rhine"


def test_stages_are_told_in_order(pipeline):
    stages: list[str] = []
    pipeline.ask("Who was on the Moon?", on_stage=stages.append)
    assert stages == ["searching", "reading"]


class Stop(OSError):
    """As InterruptedError, an OSError."""


@pytest.mark.parametrize("stage", ["searching", "reading"])
def test_an_exception_of_on_stage_stops_the_question_and_comes_out_as_it_is(pipeline, stage):
    def stop(name: str) -> None:
        if name == stage:
            raise Stop(name)

    with pytest.raises(Stop, match=stage):
        pipeline.ask("Who was on the Moon?", on_stage=stop)
    assert pipeline.ask("Who was on the Moon?").answer is not None


def test_follow_up_questions_are_made_standalone(pipeline):
    response = pipeline.ask("When did he step onto the Moon?", [Turn("Who stepped onto the Moon?", "Neil Armstrong")])
    assert response.question == "When did he step onto the Moon?"
    assert "Neil Armstrong" in response.standalone_question


def test_filters_reach_the_search(pipeline):
    response = pipeline.ask("Who was on the Moon?", filters=Filters(author="lee"))
    assert {hit.passage.article_id for hit in response.hits} == {"nasa"}
    assert pipeline.search("Moon", Filters(since=date(1960, 1, 1)), 9)[0].passage.article_id == "moon"
    assert pipeline.ask("Who?", filters=Filters(source="nowhere")).citations == ()


@pytest.mark.parametrize("question", ["", "  \n", "\0\x07", "\u200b"])
def test_an_empty_question_has_no_answer(pipeline, question):
    response = pipeline.ask(question)
    assert (response.question, response.answer, response.citations, response.hits) == (question, None, (), ())


@pytest.mark.parametrize(
    "question", ["\ud800 moon", "moon " * 5000, '"Moon" AND (NEAR', "?" * 100, "🌕🌕", "who is it", "<script>alert(1)</script> moon"]
)
def test_hostile_questions_are_answered_or_not_and_break_nothing(pipeline, question):
    check(pipeline.ask(question), pipeline)


def test_questions_are_cleaned():
    assert clean_question("  Who\tis\nit\0?\u200b ") == "Who is it ?"
    assert clean_question("a\ud800b") == "a?b"
    assert len(clean_question("x" * 99_999)) == LONGEST_QUESTION


def test_many_questions_are_searched_together(pipeline):
    assert pipeline.search_many([]) == []
    both = pipeline.search_many(["Moon", "the long river Rhine", ""], 1)
    assert [[hit.passage.article_id for hit in hits] for hits in both] == [[both[0][0].passage.article_id], ["river"], []]
    assert both[1] == pipeline.search("the long river Rhine", k=1)


def test_an_article_that_is_not_there_is_one_line(pipeline):
    assert pipeline.article("moon") == MOON
    with pytest.raises(StoreError, match=r"^no article mars in .* \(see: qa list\)$"):
        pipeline.article("mars")


def test_info_says_what_answers(pipeline):
    info = pipeline.info()
    assert (info["articles"], info["passages"], info["encoder"], info["fingerprint"]) == (3, 3, "fake", "fa4e")
    assert [summary.id for summary in pipeline.articles()] == ["moon", "nasa", "river"]
    remove_articles(pipeline.config, ["moon"])
    assert pipeline.info()["articles"] == 2


def test_nothing_is_loaded_before_it_is_needed(config, monkeypatch):
    def fail(*_: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr("qa.pipeline.load_encoder", fail)
    pipeline = Pipeline(config)
    assert pipeline.ready is False


def test_warming_up_loads_and_says_so(pipeline):
    pipeline.warm_up()
    assert pipeline.ready


def test_a_missing_index_is_refused_and_found_once_it_is_there(config, filled):
    pipeline = Pipeline(config, encoder=FakeEncoder(), reader=NameReader())
    for use in (pipeline.warm_up, lambda: pipeline.ask("Who?"), pipeline.info, pipeline.articles, lambda: pipeline.search("Who?")):
        with pytest.raises(StoreError, match=r"^no index in .* \(make one: qa index"):
            use()
    assert not pipeline.ready
    filled(MOON)
    assert pipeline.ask("Who was on the Moon?").answer is not None


def test_missing_vectors_are_refused_until_they_are_added(filled):
    config = filled(MOON)
    pipeline = Pipeline(config, encoder=FakeEncoder("0the"), reader=NameReader())
    with pytest.raises(MissingVectors, match=rf"add them: qa index --index {config.index.path}\)$"):
        pipeline.ask("Who was on the Moon?")
    index_articles(config, [], encoder=FakeEncoder("0the"))
    assert pipeline.ask("Who was on the Moon?").answer is not None


def test_indexing_and_removing_while_open_is_picked_up(pipeline, config):
    assert {hit.passage.article_id for hit in pipeline.search("Moon")} == {"moon", "nasa", "river"}
    index_articles(config, [article("mars", "Neil Armstrong never saw Mars.")], encoder=FakeEncoder())
    remove_articles(config, ["nasa"])
    assert {hit.passage.article_id for hit in pipeline.search("Moon")} == {"moon", "mars", "river"}


def test_an_index_that_is_replaced_under_an_open_pipeline_is_opened_anew(pipeline, config, tmp_path):
    pipeline.ask("Who was on the Moon?")
    other = config.replace("index.path", tmp_path / "other")
    index_articles(other, [article("venus", "Neil Armstrong never saw Venus.")], encoder=FakeEncoder())
    shutil.rmtree(config.index.path)
    with pytest.raises(StoreError, match="no index in"):
        pipeline.ask("Who was on the Moon?")
    (tmp_path / "other").rename(config.index.path)
    assert [hit.passage.article_id for hit in pipeline.ask("Who was on the Moon?").hits] == ["venus"]


def test_eight_threads_ask_while_a_writer_indexes(pipeline, config):
    faults: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                response = pipeline.ask("Who was the first man on the Moon?")
                assert response.answer is not None and response.answer.text == "Neil Armstrong"
                assert [citation.number for citation in response.citations] == list(range(1, len(response.citations) + 1))
                for citation in response.citations:
                    assert citation.quote and citation.quote in citation.excerpt
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for n in range(10):
        index_articles(config, [article("more", f"Version {n}. Neil Armstrong was first on the Moon.")], encoder=FakeEncoder())
        if n % 3 == 2:
            remove_articles(config, ["more"])
    done.set()
    for thread in threads:
        thread.join(30)
    assert faults == []
