"""Two real encoders on one index: built beside the one that answers, switched under load, compared, lost and found again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fakes import article
from tiny_models import save_model

from qa.config import Config, Embedding
from qa.datatypes import Response
from qa.encoder import Encoder, load_encoder
from qa.errors import MissingVectors, ModelError
from qa.indexer import add_vectors, index_articles, remove_articles
from qa.pipeline import Pipeline

ARTICLES = (
    article("moon", "Neil Armstrong stepped onto the Moon in July 1969. Crowds cheered in the streets.", "Moon landing"),
    article("river", "The river Rhine is long. It flows north to the sea.", "Rhine"),
    article("tower", "The tower in Paris was completed in March 1889. It was the tallest of all.", "Tower"),
    article("wall", "The wall in Berlin was opened in November 1989. Crowds cheered on both sides.", "Wall"),
)
QUESTIONS = ("Where did crowds cheer?", "What flows north?", "When was the tower completed?", "Who stepped onto the Moon?")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    texts = [f"{one.title} {one.text}" for one in ARTICLES]
    return [save_model(folder / f"model-{n}", texts, dimension=16 + 8 * n, seed=n) for n in range(3)]


@pytest.fixture
def encoders(models: list[Path]) -> list[Encoder]:
    return [load_encoder(Embedding(model=str(folder), backend="torch")) for folder in models]


@pytest.fixture
def both(config: Config, encoders: list[Encoder]) -> Config:
    """An index with the vectors of the first two. Every answer is shown, so that its scores can be seen."""
    config = config.replace("reader.threshold", 0)
    index_articles(config, ARTICLES, encoder=encoders[0])
    add_vectors(config, encoders[1])
    return config


def whole(response: Response) -> object:
    """What depends on the encoder: order, scores, the answers that the reader chose and how well it found them."""
    hits = [(hit.passage.article_id, round(hit.score, 3), round(hit.dense_score, 3), hit.dense_rank) for hit in response.hits]
    return hits, response.answer, [(citation.quote, round(citation.score, 3)) for citation in response.citations]


def test_the_switch_holds_under_load_and_each_response_is_wholly_of_one_encoder(both, encoders):
    pipeline = Pipeline(both, encoder=encoders[0])
    expected = {}
    for encoder in encoders[:2]:
        alone = Pipeline(both, encoder=encoder)
        expected[encoder.fingerprint] = {question: whole(alone.ask(question)) for question in QUESTIONS}
    first, second = expected.values()
    assert all(first[question] != second[question] for question in QUESTIONS)
    seen: list[set[str]] = [set() for _ in range(6)]
    faults: list[BaseException] = []
    done = threading.Event()

    def ask(mine: set[str]) -> None:
        try:
            while not done.is_set():
                for question in QUESTIONS:
                    response = pipeline.ask(question)
                    assert whole(response) == expected[response.encoder][question]
                    mine.add(response.encoder)
        except BaseException as fault:
            faults.append(fault)
            done.set()

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    add_vectors(both, encoders[2])  # new generations all the while
    while not all(mine == set(expected) for mine in seen) and not done.is_set():
        for encoder in encoders[:2]:
            pipeline.use(encoder)
    done.set()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_a_question_under_way_ends_with_the_encoder_it_began_with(both, encoders):
    pipeline = Pipeline(both, encoder=encoders[0])
    before = whole(pipeline.ask(QUESTIONS[0]))

    def switch(stage: str) -> None:
        pipeline.use(encoders[1])

    response = pipeline.ask(QUESTIONS[0], on_stage=switch)
    assert (response.encoder, whole(response)) == (encoders[0].fingerprint, before)
    assert pipeline.ask(QUESTIONS[0]).encoder == encoders[1].fingerprint


def test_without_all_its_vectors_an_encoder_is_not_used_and_nothing_changes(both, encoders):
    pipeline = Pipeline(both, encoder=encoders[0])
    with pytest.raises(MissingVectors, match="for 0 of its 4 passages"):
        pipeline.use(encoders[2])
    assert pipeline.ask(QUESTIONS[0]).encoder == encoders[0].fingerprint


def test_the_command_that_adds_vectors_names_a_listed_encoder(both, encoders, models):
    config = both.replace("embedding.others", [str(models[2])])
    with pytest.raises(MissingVectors, match=rf"add them: qa index --encoder {models[2]} --index "):
        Pipeline(config, encoder=encoders[0]).use(encoders[2])


def test_a_model_that_breaks_when_it_is_loaded_changes_nothing(both, encoders, models, tmp_path):
    broken = save_model(tmp_path / "broken", ["moon"])
    (broken / "model.safetensors").write_bytes(b"not weights")
    pipeline = Pipeline(both, encoder=encoders[0])
    with pytest.raises(ModelError, match="cannot be loaded"):
        pipeline.use(load_encoder(Embedding(model=str(broken), backend="torch")))
    assert pipeline.ask(QUESTIONS[0]).encoder == encoders[0].fingerprint


def test_the_configured_encoder_stands_in_while_the_one_in_use_lacks_vectors(both, encoders):
    pipeline = Pipeline(both, encoder=encoders[0])
    pipeline.use(encoders[1])
    index_articles(both, [article("mars", "Nobody stepped onto Mars.")], encoder=encoders[0])
    response = pipeline.ask("Who stepped onto Mars?")
    assert (response.encoder, pipeline.info()["fingerprint"]) == (encoders[0].fingerprint,) * 2
    assert "mars" in {hit.passage.article_id for hit in response.hits}
    add_vectors(both, encoders[1])
    assert pipeline.ask("Who stepped onto Mars?").encoder == encoders[1].fingerprint
    remove_articles(both, ["mars"])
    assert pipeline.ask("Who stepped onto Mars?").encoder == encoders[1].fingerprint


def test_two_encoders_are_compared_at_one_moment_and_the_one_in_use_stays(both, encoders):
    pipeline = Pipeline(both, encoder=encoders[0])
    left, right = pipeline.compare(QUESTIONS[0], encoders[:2], k=4)
    assert left == pipeline.search(QUESTIONS[0], k=4)
    assert {hit.passage for hit in left} == {hit.passage for hit in right}
    assert [hit.score for hit in left] != [hit.score for hit in right]
    pipeline.use(encoders[1])
    assert right == pipeline.search(QUESTIONS[0], k=4)
    with pytest.raises(MissingVectors):
        pipeline.compare(QUESTIONS[0], encoders)
