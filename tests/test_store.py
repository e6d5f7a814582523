"""The SQLite file, beyond what every store promises (tests/test_stores.py).

What goes in comes out, whole or not at all.
"""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, article
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.config import Config
from qa.database import FILE, VERSION
from qa.datatypes import Article, Passage
from qa.errors import IndexBusy, StoreError
from qa.indexer import index_articles
from qa.store import Store, text_key
from qa.store_writer import Entry, StoreWriter

Fill = Callable[..., Config]

plain = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
maybe = st.none() | plain
articles = st.builds(
    Article,
    id=plain,
    title=plain,
    text=plain,
    source=plain,
    sha256=st.text(string.hexdigits, min_size=1, max_size=8),
    author=maybe,
    published=st.none() | st.dates(),
    url=maybe,
    path=maybe,
    language=st.sampled_from(["en", "de", "ja"]),
)


def entry(art: Article, *spans: tuple[int, int], family: str = "family") -> Entry:
    passages = tuple(Passage(art.id, start, end, art.text[start:end], art.title) for start, end in spans)
    vectors = np.eye(4, dtype=np.float16)[: len(spans)]
    return Entry(art, None, passages, tuple(text_key(p.text) for p in passages), vectors, "splitting", family, b"signature", (1, 2))


def put(store: StoreWriter, *entries: Entry) -> None:
    with store.transaction():
        store.add_encoder("fa4e", "fake", 4)
        for each in entries:
            store.put(each, "fa4e")


@pytest.fixture
def store(tmp_path: Path) -> StoreWriter:
    return StoreWriter.open(tmp_path / "index")


def check_full_text(store: Store) -> None:
    """FTS5's own check that its index says what the passages say."""
    db = sqlite3.connect(store.folder / FILE)
    db.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
    db.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(art=articles)
def test_an_article_is_loaded_as_it_was_saved(store, art):
    put(store, entry(art, (0, len(art.text))))
    assert store.article(art.id) == art
    assert Store.open(store.folder).article(art.id) == art
    check_full_text(store)


def test_each_transaction_is_a_generation_and_a_failed_one_is_nothing(store):
    assert store.identity[1] == 0
    put(store, entry(article("a", "One."), (0, 4)))
    assert store.identity[1] == 1
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put(entry(article("b", "Two."), (0, 4)), "fa4e")
        raise ZeroDivisionError
    assert (store.identity[1], store.article("b")) == (1, None)
    check_full_text(store)


def test_every_store_has_an_id_of_its_own(tmp_path):
    assert StoreWriter.open(tmp_path / "a").identity[0] != StoreWriter.open(tmp_path / "b").identity[0]
    assert StoreWriter.open(tmp_path / "a").identity == StoreWriter.open(tmp_path / "a").identity


def test_a_snapshot_stays_at_its_moment_whatever_is_written(store):
    put(store, entry(article("a", "Old words."), (0, 10)))
    reader = Store.open(store.folder)
    with reader.snapshot():
        put(store, entry(article("a", "New words."), (0, 10)), entry(article("b", "More."), (0, 5)))
        assert reader.article("a").text == "Old words."
        assert reader.article("b") is None
        assert reader.search_text('"new"', 1.0) == []
        assert reader.identity[1] == 1
        with reader.snapshot():  # one inside the other is the same moment
            assert reader.identity[1] == 1
    assert reader.article("a").text == "New words."
    assert reader.identity[1] == 2


def test_an_edited_article_keeps_its_place_and_loses_the_vectors_of_old_words(store):
    put(store, entry(article("a", "Old words."), (0, 3), (4, 10)), entry(article("b", "B."), (0, 2)))
    put(store, entry(article("a", "Old stone."), (0, 3), (4, 10)))
    assert [summary.id for summary in store.summaries()] == ["a", "b"]
    assert set(store.known_vectors("fa4e", map(text_key, ("Old", "words.", "stone.")))) == {text_key("Old"), text_key("stone.")}
    assert store.search_text('"words"', 1.0) == []
    check_full_text(store)


def test_removal_takes_passages_full_text_vectors_and_bands_along(store):
    put(store, entry(article("a", "Gone soon."), (0, 10)), entry(article("b", "Stays here."), (0, 11)))
    with store.transaction():
        store.remove("a")
        store.remove("nobody")
    db = sqlite3.connect(store.folder / FILE)
    counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("articles", "passages", "vectors", "bands")}
    assert counts == {"articles": 1, "passages": 1, "vectors": 1, "bands": 2}
    assert store.search_text('"gone"', 1.0) == []
    check_full_text(store)


def test_vectors_come_back_as_float16_in_the_order_asked_for(store):
    put(store, entry(article("a", "One two."), (0, 3), (4, 8)))
    first, second = store.passage_numbers().tolist()
    rows = store.vectors("fa4e", np.array([second, first]))
    assert rows.dtype == np.float16
    assert rows.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    with pytest.raises(KeyError):
        store.vectors("0the", np.array([first]))


def test_passages_without_vectors_are_found_page_by_page(store):
    put(store, entry(article("a", "One two. Three."), (0, 3), (4, 8), (9, 15)))
    assert [store.missing(name) for name in ("fa4e", "0the")] == [0, 3]
    page = store.without_vectors("0the", 2)
    assert [passage.text for _, passage, _ in page] == ["One", "two."]
    assert [passage.text for _, passage, _ in store.without_vectors("0the", 2, page[-1][1].number)] == ["Three."]


def test_info_counts(filled: Fill):
    config = filled(article("a", "Some words here."), article("b", "Other words there."))
    info = Store.open(config.index.path).info()
    assert (info["articles"], info["passages"], info["path"]) == (2, 2, str(config.index.path))
    assert info["encoders"] == [{"name": "fake", "fingerprint": "fa4e", "dimension": 64, "passages": 2}]
    assert info["bytes"] == sum(file.stat().st_size for file in config.index.path.iterdir())
    assert str(info["indexed_at"]).endswith("+00:00")


def test_info_survives_a_temporary_file_that_goes_while_it_looks(filled: Fill, monkeypatch):
    config = filled(article("a", "Some words here."))
    store = Store.open(config.index.path)
    listed = [*config.index.path.iterdir(), config.index.path / "vectors-fa4e.faiss.1.tmp"]
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(listed))
    assert store.info()["articles"] == 1


# What is not an index


def test_a_missing_index_is_refused_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(StoreError, match=r"^no index in .*/none \(make one: qa index PATH… --index .*/none\)$"):
        Store.open(tmp_path / "none")


@pytest.mark.parametrize("start", ["", "PRAGMA journal_mode = WAL"])
def test_a_file_whose_writer_died_before_its_first_transaction_is_a_missing_index(tmp_path, start):
    sqlite3.connect(tmp_path / FILE).execute(start)
    (tmp_path / FILE).touch()
    with pytest.raises(StoreError, match="no index in"):
        Store.open(tmp_path)
    StoreWriter.open(tmp_path).close()
    assert Store.open(tmp_path).summaries() == []


def test_an_index_of_a_newer_version_is_refused_and_left_alone(filled: Fill, encoder: FakeEncoder):
    config = filled(article("a", "Some words here."))
    db = sqlite3.connect(config.index.path / FILE)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = list(db.iterdump())
    for use in (lambda: Store.open(config.index.path), lambda: index_articles(config, [article("b", "B.")], encoder=encoder)):
        with pytest.raises(StoreError, match=rf"made by a newer version of qa: format {VERSION + 1}, this one reads {VERSION}"):
            use()
    assert list(db.iterdump()) == before


@pytest.mark.parametrize("version", [0, VERSION, VERSION + 5])
def test_somebody_elses_database_is_refused_and_left_alone(tmp_path, version):
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript(f"CREATE TABLE recipes (name); PRAGMA user_version = {version}")
    db.close()
    before = (tmp_path / FILE).read_bytes()
    for kind in (Store, StoreWriter):
        with pytest.raises(StoreError, match="is not an index of qa"):
            kind.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def one_line(error: StoreError) -> bool:
    return "\n" not in str(error) and "(" in str(error)


def test_garbage_in_place_of_the_database_is_told_in_one_line(tmp_path):
    (tmp_path / FILE).write_bytes(b"This is no database at all. " * 400)
    for kind in (Store, StoreWriter):
        with pytest.raises(StoreError, match=r"is damaged: file is not a database \(mend it: qa repair --index "):
            kind.open(tmp_path)


def test_a_truncated_database_is_told_in_one_line(filled: Fill, encoder: FakeEncoder):
    config = filled(*(article(f"a{n}", f"Some words number {n}. " * 40) for n in range(30)))
    path = config.index.path / FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError) as caught:
        index_articles(config, [article("b", "B says something new.")], encoder=encoder)
    assert one_line(caught.value)
    assert "damaged" in str(caught.value)


def test_a_database_that_another_program_keeps_locked_is_busy(store, monkeypatch):
    monkeypatch.setattr("qa.database.BUSY_SECONDS", 0.05)
    put(store, entry(article("a", "One."), (0, 4)))
    other = sqlite3.connect(store.folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(IndexBusy, match="is locked by another process"):
        index_articles(Config().replace("index.path", store.folder), [article("b", "Two.")], encoder=FakeEncoder())
    other.rollback()
