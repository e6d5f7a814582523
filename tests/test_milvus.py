"""What is Milvus's alone: a server that goes away, does not know us or holds something else, and models that are swapped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, article
from milvus_server import MilvusServer

from qa.cli import app
from qa.config import Config
from qa.datatypes import Hit, Passage
from qa.errors import ConfigError, IndexBusy, MissingVectors, StoreError
from qa.indexer import add_vectors, index_articles, remove_articles
from qa.milvus.engine import Engine
from qa.milvus.schema import Names
from qa.milvus.store import MilvusStore
from qa.milvus.terms import terms
from qa.milvus.writer import MilvusWriter
from qa.pipeline import Pipeline
from qa.storage import Entry
from qa.store import text_key
from qa.stores import open_store

SEA = article("sea", "Whales live in the deep sea.", "Sea")
SKY = article("sky", "Larks sing in the wide sky.", "Sky")


@pytest.fixture
def store_kind() -> str:
    return "milvus"


@pytest.fixture
def own_server(tmp_path: Path, milvus: MilvusServer) -> Iterator[MilvusServer]:
    """One that a test may stop."""
    server = MilvusServer(tmp_path / "server")
    yield server
    server.stop(save=False)


def engine(config: Config) -> Engine:
    return Engine(config.index, strong=True)


def collections(config: Config) -> list[str]:
    return sorted(name for name in engine(config).collections() if "_passages_" in name)


def found(config: Config, question: str = "whales", encoder: FakeEncoder | None = None) -> list[str]:
    hits = Pipeline(config, encoder=encoder or FakeEncoder()).search(question)
    return [hit.passage.article_id for hit in hits]


def rows(config: Config) -> dict[str, int]:
    """How many there are of everything but the state and notes."""
    names, reader = Names.of(config.index.path.name), engine(config)
    counts = {"articles": reader.count(names.articles), "texts": reader.count(names.texts)}
    return counts | {name: reader.count(name) for name in collections(config)}


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    assert "\n" not in str(error.value)
    assert "(" in str(error.value)  # a remedy
    return str(error.value)


# A server that goes away


def test_a_server_that_is_not_there_is_one_line(config):
    away = config.replace("index.uri", "http://127.0.0.1:1")
    for use in (lambda: index_articles(away, [SEA], encoder=FakeEncoder()), lambda: open_store(away)):
        with pytest.raises(StoreError) as error:
            use()
        assert one_line(error).startswith("the Milvus server at http://127.0.0.1:1 cannot be reached; what was committed is kept (")


def test_a_question_while_the_server_is_away_is_one_line_and_the_next_is_answered(own_server, config, tmp_path):
    config = own_server.use(config)
    index_articles(config, [SEA, SKY], encoder=FakeEncoder())
    pipeline = Pipeline(config, encoder=FakeEncoder())
    assert pipeline.search("whales")
    own_server.stop()
    with pytest.raises(StoreError, match="cannot be reached") as error:
        pipeline.search("whales")
    one_line(error)
    again = MilvusServer(own_server.folder, own_server.port)
    assert [hit.passage.article_id for hit in once_reached(lambda: pipeline.search("whales"))] == ["sea", "sky"]
    again.stop(save=False)


def once_reached(ask: Callable[[], tuple[Hit, ...]]) -> tuple[Hit, ...]:
    """gRPC tries an address that refused it again after a second."""
    end = time.monotonic() + 60
    while True:
        try:
            return ask()
        except StoreError:
            if time.monotonic() > end:
                raise


STEPS = ("put", "delete", "make", "point")


@pytest.mark.parametrize("broken", range(12))
def test_wherever_indexing_breaks_off_nothing_is_lost_and_the_next_run_goes_on(config, monkeypatch, broken):
    old = [article("changed", "Old words of the changed one."), article("gone", "This one goes."), SEA]
    new = [article("changed", "New words of it, and more of them."), article("added", "One more."), SEA]
    index_articles(config, old, encoder=FakeEncoder())
    left = broken

    def breaking(name):
        whole = getattr(Engine, name)

        def step(self, *args, **kwargs):
            nonlocal left
            if not left:
                raise StoreError("the line is cut")
            left -= 1
            return whole(self, *args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        for name in STEPS:
            patch.setattr(Engine, name, breaking(name))
        try:
            index_articles(config, new, encoder=FakeEncoder())
            remove_articles(config, ["gone"])
        except StoreError as error:
            assert str(error) == "the line is cut"
    with open_store(config) as store:
        for summary in store.summaries():
            whole = store.article(summary.id)
            assert whole in (*old, *new)
        for question in ("words", "one"):
            for hit in Pipeline(config, encoder=FakeEncoder()).search(question):
                assert hit.passage.text in store.article(hit.passage.article_id).text
    index_articles(config, new, encoder=FakeEncoder())
    if any(summary.id == "gone" for summary in open_store(config).summaries()):
        remove_articles(config, ["gone"])
    index_articles(config, [], encoder=FakeEncoder())  # clears what the others left
    with open_store(config) as store:
        assert {summary.id: store.article(summary.id) for summary in store.summaries()} == {each.id: each for each in new}
    assert set(rows(config).values()) == {3}
    assert found(config, "more") != []


def test_somebody_who_writes_elsewhere_is_left_to_it(filled, tmp_path, monkeypatch):
    config = filled(SEA)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = config.replace("index.path", tmp_path / "elsewhere" / config.index.path.name)
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="the line is cut"):
        patch.setattr(MilvusWriter, "_send_passages", lambda *_: (_ for _ in ()).throw(StoreError("the line is cut")))
        index_articles(elsewhere, [SKY], encoder=FakeEncoder())
    with pytest.raises(IndexBusy, match="elsewhere/index is writing the index index at"):
        index_articles(config, [SKY], encoder=FakeEncoder())
    monkeypatch.setattr("qa.milvus.writer.LEASE", 0)
    index_articles(config, [SKY], encoder=FakeEncoder())
    assert sorted(found(config)) == ["sea", "sky"]


# One that does not know us, or holds something else


def test_wrong_credentials_are_one_line(config, monkeypatch):
    import grpc

    class Refused(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.UNAUTHENTICATED

        def details(self):
            return "auth check failure, please check api key is correct"

    def refuse(*args, **kwargs):
        raise Refused

    monkeypatch.setattr("pymilvus.MilvusClient.query", refuse)
    with pytest.raises(StoreError, match="does not accept index.token: auth check failure") as error:
        open_store(config.replace("index.token", "root:secret"))
    assert one_line(error).endswith("(set QA_INDEX__TOKEN=user:password)")
    assert "root:secret" not in one_line(error)


def test_the_token_is_shown_nowhere(config, monkeypatch, capsys):
    config = config.replace("index.token", "root:secret")
    assert "secret" not in repr(config) + config.model_dump_json() + str(config.index.model_dump())
    monkeypatch.setenv("QA_INDEX__TOKEN", "root:secret")
    for command in (["config"], ["config", "--json"]):
        app(command, standalone_mode=False)
        assert "secret" not in capsys.readouterr().out


def test_a_database_that_is_not_there_is_one_line(config):
    with pytest.raises(StoreError, match=r"has no database nowhere \(make it there, or set index.database\)$"):
        open_store(config.replace("index.database", "nowhere"))


def test_an_index_of_a_newer_version_is_refused_and_left_alone(filled, monkeypatch):
    config = filled(SEA)
    with MilvusWriter.start(config.index, None, "") as writer:
        writer._keep_state(replace(writer.state, format=2))
        before = rows(config)
    for use in (lambda: open_store(config), lambda: index_articles(config, [SKY], encoder=FakeEncoder())):
        with pytest.raises(StoreError, match="made by a newer version of qa: format 2, this one reads 1") as error:
            use()
        one_line(error)
    assert rows(config) == before


def test_a_collection_with_another_dimension_is_one_line(filled):
    config = filled(SEA)
    with pytest.raises(StoreError, match="has vectors of 64 dimensions, the encoder makes 32"):
        found(config, encoder=FakeEncoder(boxes=32))
    with pytest.raises(StoreError, match="has vectors of 64 dimensions, the encoder makes 32") as error:
        index_articles(config, [SKY], encoder=FakeEncoder(boxes=32))
    one_line(error)
    assert found(config) == ["sea"]


def test_an_index_whose_making_broke_off_is_no_index_and_is_made(config, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(MilvusWriter, "_keep_state", lambda *_: (_ for _ in ()).throw(StoreError("the line is cut")))
        with pytest.raises(StoreError, match="the line is cut"):
            index_articles(config, [SEA], encoder=FakeEncoder())
    with pytest.raises(StoreError, match="no index in"):
        open_store(config)
    index_articles(config, [SEA], encoder=FakeEncoder())
    assert found(config) == ["sea"]


def test_a_collection_that_somebody_dropped_is_one_line(filled):
    config = filled(SEA)
    engine(config).drop(Names.of(config.index.path.name).texts)
    with pytest.raises(StoreError, match="lacks a collection of the index") as error:
        Pipeline(config, encoder=FakeEncoder()).article("sea")
    one_line(error)


def test_without_the_package_the_extra_is_named(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(ConfigError, match=r'needs the package pymilvus \(pip install "qa\[milvus\]"\)$'):
        open_store(config)


def test_what_looks_at_files_says_so(config, monkeypatch, capsys):
    monkeypatch.setenv("QA_INDEX__STORE", "milvus")
    for command in (["info", "--check"], ["repair"]):
        with pytest.raises(ConfigError, match="is for the files of index.store"):
            app(command, standalone_mode=False)


# Models


def test_a_model_is_swapped_at_once_and_the_old_one_answers_until_then(filled, monkeypatch):
    config = filled(SEA, SKY)
    monkeypatch.setattr("qa.batches.BATCH", 1)

    class Watched(FakeEncoder):
        max_tokens = 32  # so that its passages are cut otherwise

        def encode_passages(self, texts):
            assert found(config)[0] == "sea"  # with the old one, all along
            with pytest.raises(MissingVectors):
                found(config, encoder=FakeEncoder("two"))
            return super().encode_passages(texts)

    index_articles(config, [], encoder=Watched("two"))
    assert found(config)[0] == found(config, encoder=FakeEncoder("two"))[0] == "sea"
    assert len(collections(config)) == 2


def test_another_way_of_cutting_takes_over_in_one_step_and_the_old_one_goes(filled):
    config = filled(SEA, SKY)
    (before,) = collections(config)
    smaller = config.replace("passages.size", 20)
    index_articles(smaller, [], encoder=FakeEncoder())
    assert engine(config).collection_of(Names.of(config.index.path.name).alias("fa4e")) != before
    assert found(smaller)[0] == "sea"
    index_articles(smaller, [], encoder=FakeEncoder())
    assert before not in collections(config)
    assert len(collections(config)) == 1


def test_another_encoder_shares_the_passages(filled):
    config = filled(SEA, SKY)
    assert add_vectors(config, FakeEncoder("two", boxes=32)).encoded == 2
    assert found(config, encoder=FakeEncoder("two", boxes=32))[0] == "sea"
    index_articles(config, [article("new", "Whales, whales.")], encoder=FakeEncoder())
    with pytest.raises(MissingVectors, match="for 2 of its 3 passages"):
        found(config, encoder=FakeEncoder("two", boxes=32))
    assert add_vectors(config, FakeEncoder("two", boxes=32)).encoded == 1
    assert found(config, encoder=FakeEncoder("two", boxes=32))[0] == "new"


def test_an_article_that_is_written_again_as_it_was_keeps_what_others_made_of_it(filled):
    config = filled(SEA)
    add_vectors(config, FakeEncoder("two", boxes=32))
    (before,) = (cut for cut in map(Names.of("index").cut, collections(config)) if cut and cut.fingerprint == "fa4e")
    text = SEA.text
    again = Entry(
        SEA, "/another.txt", (Passage("sea", 0, len(text), text, "Sea"),), (text_key(text),), np.ones((1, 64), np.float16) / 8,
        before.splitting, "family", b"", (1,),
    )  # fmt: skip
    with MilvusWriter.start(config.index, lambda: "fa4e", before.splitting) as writer, writer.transaction():
        writer.put(again, "fa4e")
    assert found(config, encoder=FakeEncoder("two", boxes=32)) == ["sea"]
    assert set(rows(config).values()) == {1}


def test_a_page_sees_what_another_process_changes(filled, config):
    filled(SEA)
    pipeline = Pipeline(config, encoder=FakeEncoder())
    before = pipeline.info()["generation"]
    filled(SKY)
    assert pipeline.info()["generation"] != before
    assert {hit.passage.article_id for hit in pipeline.search("larks")} == {"sea", "sky"}


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cafés' WHALES, swimming", "the cafe whale swim"),
        ("a_b 3,000 U.S.", "a b 3 000 u s"),
        ("İstanbul οδος Straße 鯨は", "istanbul οδοσ strass 鯨は"),
        ("?!", ""),
    ],
)
def test_words_are_what_the_full_text_of_a_file_makes_of_them(text, expected):
    assert terms(text) == expected


def test_two_indexes_of_one_database_are_apart(filled, config):
    filled(SEA)
    other = config.replace("index.path", config.index.path.with_name("other"))
    index_articles(other, [SKY], encoder=FakeEncoder())
    assert (found(config), found(other)) == (["sea"], ["sky"])
    assert MilvusStore.open(other.index).where.startswith("other at http://127.0.0.1:")
