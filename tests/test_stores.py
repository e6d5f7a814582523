"""What every store promises, on each of them: what goes in comes out, whole or not at all."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pytest
from fakes import article
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from milvus_server import STORES

from qa.config import Config
from qa.datatypes import Article, ArticleSummary, Filters, Passage, Refusal
from qa.errors import StoreError
from qa.indexer import remove_articles
from qa.passages import embedding_text
from qa.storage import Entry, Moment, Reading, Writing
from qa.store import text_key
from qa.stores import open_store, open_writer, publish, searcher

Fill = Callable[..., Config]


@pytest.fixture(params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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
some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def entry(art: Article, *spans: tuple[int, int], family: str = "family", file: str | None = None) -> Entry:
    passages = tuple(Passage(art.id, start, end, art.text[start:end], art.title) for start, end in spans)
    vectors = np.eye(4, dtype=np.float16)[: len(spans)]
    return Entry(
        art,
        file,
        passages,
        tuple(text_key(embedding_text(p.title, p.text)) for p in passages),
        vectors,
        "splitting",
        family,
        b"signature",
        (1, 2),
    )


def put(store: Writing, *entries: Entry) -> None:
    with store.transaction():
        store.add_encoder("fa4e", "fake", 4)
        for each in entries:
            store.put(each, "fa4e")
    publish(store, "fa4e")


@pytest.fixture
def store(config: Config) -> Iterator[Writing]:
    config.index.path.mkdir(exist_ok=True)
    writer = open_writer(config, lambda: "fa4e", "splitting")
    yield writer
    writer.close()


def now(store: Reading) -> Moment:
    found = searcher(store, "fa4e").now()
    assert found is not None
    return found


def with_words(store: Reading, *words: str, filters: Filters = Filters()) -> list[str]:
    """Ids of the articles that have one of the words."""
    return ids(store, now(store).with_words(words, 9, filters))


def ids(store: Reading, found: list[tuple[int, float]]) -> list[str]:
    passages = store.passages([number for number, _ in found])
    return [passages[number].article_id for number, _ in found if number in passages]


def all_passages(store: Reading) -> list[Passage]:
    found = now(store).nearest(np.ones(4, np.float32) / 2, 99, Filters())
    return sorted(store.passages([number for number, _ in found]).values(), key=lambda passage: (passage.article_id, passage.start))


@some
@given(art=articles)
def test_an_article_is_loaded_as_it_was_saved(store, config, art):
    put(store, entry(art, (0, len(art.text))))
    assert store.article(art.id) == art
    reader = open_store(config)
    assert reader.article(art.id) == art
    reader.close()


@some
@given(art=articles, data=st.data())
def test_a_passage_is_the_slice_that_was_saved(store, art, data):
    start = data.draw(st.integers(0, len(art.text) - 1))
    end = data.draw(st.integers(start + 1, len(art.text)))
    put(store, entry(art, (start, end)))
    (passage,) = [p for p in all_passages(store) if p.article_id == art.id]
    assert (passage.text, passage.start, passage.end, passage.title) == (art.text[start:end], start, end, art.title)


@pytest.mark.parametrize("letter", ["a", "é", "鯨", "😀"])
def test_a_text_of_any_length_comes_back(store, letter):
    long = article("long", letter * 70_000, letter * 50_000)
    put(store, entry(long, (0, 69_000), (69_000, 70_000)))
    assert store.article("long") == long
    assert [(p.text, p.title) for p in all_passages(store)] == [(long.text[:69_000], long.title), (long.text[69_000:], long.title)]


def test_a_missing_article_is_none(store):
    assert store.article("nobody") is None
    assert store.origin("nobody") is None


def test_summaries_are_in_the_order_of_indexing_and_name_what_they_copy(store):
    one = article("one", "Text one.", "One", author="A", published=date(2024, 5, 6), url="https://x.org/1", path="/a/one.md")
    put(store, entry(one, (0, 4), (5, 9), family="f"), entry(article("two", "Text two."), (0, 9), family="f"))
    assert store.summaries() == [
        ArticleSummary("one", "One", "A", date(2024, 5, 6), "one", "https://x.org/1", "/a/one.md", 2, one.sha256, None),
        ArticleSummary("two", "", None, None, "two", None, None, 1, article("two", "Text two.").sha256, "one"),
    ]
    assert store.families(["one", "two", "three"]) == {"one": ("one", "two"), "two": ("one", "two")}


def test_a_transaction_that_fails_is_nothing(store):
    put(store, entry(article("a", "One."), (0, 4)))
    before = store.identity
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put(entry(article("b", "Two."), (0, 4)), "fa4e")
        raise ZeroDivisionError
    assert (store.identity, store.article("b")) == (before, None)
    assert with_words(store, "two") == []


def test_each_transaction_is_a_later_generation_of_the_same_store(store):
    seen = [store.identity]
    for text in ("One.", "Two."):
        put(store, entry(article("a", text), (0, 4)))
        seen.append(store.identity)
    assert len({name for name, _ in seen}) == 1
    assert seen[0][1] < seen[1][1] < seen[2][1]


def test_what_was_put_in_a_transaction_is_known_in_it(store):
    put(store, entry(article("old", "Old."), (0, 4), file="f"))
    with store.transaction():
        store.put(entry(article("new", "New."), (0, 4), file="f", family="other"), "fa4e")
        assert store.articles_of_file("f").keys() == {"old", "new"}
        assert [(name, family) for name, family, _ in store.signatures([2])] == [("old", "family"), ("new", "other")]
        assert store.article("new") is not None
        store.remove("old")
        assert store.articles_of_file("f").keys() == {"new"}
        assert [name for name, _, _ in store.signatures([2])] == ["new"]
    assert [summary.id for summary in store.summaries()] == ["new"]


def test_an_article_stays_the_same_within_a_snapshot(store, config):
    put(store, entry(article("a", "Old words."), (0, 10)))
    reader = open_store(config)
    with reader.snapshot():
        (old,) = all_passages(reader)
        put(store, entry(article("a", "New words, and more of them."), (0, 28)), entry(article("b", "More."), (0, 5)))
        found = reader.article("a")
        assert found is not None
        assert found.text[old.start : old.end] == old.text == "Old words."
    with reader.snapshot():
        assert [passage.text for passage in all_passages(reader)] == ["New words, and more of them.", "More."]
    reader.close()


def test_an_edited_article_keeps_its_place_and_loses_its_old_words(store):
    put(store, entry(article("a", "Old words."), (0, 3), (4, 10)), entry(article("b", "B."), (0, 2)))
    put(store, entry(article("a", "Old stone."), (0, 3), (4, 10)))
    assert [summary.id for summary in store.summaries()] == ["a", "b"]
    assert set(store.known_vectors("fa4e", map(text_key, ("Old", "words.", "stone.")))) == {text_key("Old"), text_key("stone.")}
    assert with_words(store, "words") == []
    assert with_words(store, "stone") == ["a"]
    assert store.passage_count() == 3


def test_removal_takes_everything_along(store):
    put(store, entry(article("a", "Gone soon."), (0, 10)), entry(article("b", "Stays here."), (0, 11)))
    with store.transaction():
        store.remove("a")
        store.remove("nobody")
    publish(store, "fa4e")
    assert [summary.id for summary in store.summaries()] == ["b"]
    assert (with_words(store, "gone"), with_words(store, "stays")) == ([], ["b"])
    assert store.count(Filters()) == (1, 1)
    assert store.known_vectors("fa4e", [text_key("Gone soon.")]) == {}
    assert [name for name, _, _ in store.signatures([1])] == ["b"]


def test_vectors_come_back_as_float16(store):
    put(store, entry(article("a", "One two."), (0, 3), (4, 8)))
    found = store.known_vectors("fa4e", [text_key("two."), text_key("three")])
    assert {key: (row.dtype, row.tolist()) for key, row in found.items()} == {text_key("two."): (np.float16, [0, 1, 0, 0])}
    assert store.known_vectors("0the", [text_key("two.")]) == {}


def test_the_nearest_come_first_with_their_cosines(store):
    put(store, entry(article("a", "One two three."), (0, 3), (4, 7), (8, 14)))
    question = np.array([0.6, 0.8, 0, 0], np.float32)
    found = now(store).nearest(question, 2, Filters())
    assert [score for _, score in found] == pytest.approx([0.8, 0.6])
    texts = store.passages([number for number, _ in found])
    assert [texts[number].text for number, _ in found] == ["two", "One"]
    numbers = [number for number, _ in found]
    assert now(store).cosines(question, [*numbers, 99]) == {numbers[0]: pytest.approx(0.8), numbers[1]: pytest.approx(0.6)}
    assert now(store).cosines(question, []) == {}


def test_passages_without_vectors_of_an_encoder_are_counted(store):
    put(store, entry(article("a", "One two. Three."), (0, 3), (4, 8), (9, 15)))
    assert [store.missing(name) for name in ("fa4e", "0the")] == [0, 3]
    assert searcher(store, "0the").now() is None


def test_words_are_stemmed_and_freed_of_accents(store):
    put(store, entry(article("a", "The astronauts landed."), (0, 22)), entry(article("b", "Café."), (0, 5)))
    assert with_words(store, "landing") == ["a"]
    assert with_words(store, "cafe") == ["b"]


def test_words_of_the_title_count(store):
    put(store, entry(article("a", "Nothing of it.", "Pelicans"), (0, 14)), entry(article("b", "More."), (0, 5)))
    assert with_words(store, "pelican") == ["a"]


def test_filters_let_through_source_author_and_dates(store):
    put(
        store,
        entry(article("a", "Same."), (0, 5)),
        entry(article("b", "Same.", source="BBC.co.uk", author="Émile Zola", published=date(2020, 1, 1)), (0, 5)),
        entry(article("c", "Same.", source='c"nn\\.com', author="Ann 100%_Lee", published=date(2021, 1, 1)), (0, 5)),
    )

    def allowed(**filters: object) -> list[str]:
        chosen = Filters(**filters)
        by_words = sorted(with_words(store, "same", filters=chosen))
        assert by_words == sorted(ids(store, now(store).nearest(np.ones(4, np.float32), 9, chosen)))
        return by_words

    assert allowed() == ["a", "b", "c"]
    assert allowed(source="bbc.co.uk") == ["b"]
    assert allowed(source="bbc") == []
    assert allowed(source='C"NN\\.com') == ["c"]
    assert allowed(author="émile ZOLA") == ["b"]
    assert allowed(author="ÉMILE") == ["b"]
    assert allowed(author="100%_l") == ["c"]
    assert allowed(author="_") == ["c"]
    assert allowed(since=date(2020, 1, 1)) == ["b", "c"]
    assert allowed(until=date(2020, 1, 1)) == ["b"]
    assert allowed(since=date(2020, 1, 2), until=date(2020, 12, 31)) == []
    assert allowed(author="' OR 1=1 --") == []
    assert allowed(source="\ud800") == []
    assert store.count(Filters(until=date(2020, 1, 1))) == (1, 1)
    assert store.count(Filters()) == (3, 3)


def test_files_folders_and_refusals_are_kept(store):
    with store.transaction():
        store.put_file("/a", "1")
        store.put_file("/b", "2")
        store.put_folder("/z")
        store.put_folder("/y")
    with store.transaction():
        store.put_file("/a", "3")
        store.forget_file("/b")
        store.forget_folder("/z")
    assert (store.file_hashes(), store.folders()) == ({"/a": "3"}, ["/y"])
    store.put_refusals([Refusal("/c", "no"), Refusal("/a", "never")])
    before = store.identity
    store.put_refusals([Refusal("/d:1", 'say "no"')])
    assert store.refusals() == [Refusal("/d:1", 'say "no"')]
    assert store.identity == before


def test_info_counts(filled: Fill):
    config = filled(article("a", "Some words here."), article("b", "Other words there."))
    info = open_store(config).info()
    assert (info["articles"], info["passages"]) == (2, 2)
    assert info["encoders"] == [{"name": "fake", "fingerprint": "fa4e", "dimension": 64, "passages": 2}]
    assert str(info["indexed_at"]).endswith("+00:00")


def test_a_missing_index_is_refused_with_the_command_that_makes_one(config):
    with pytest.raises(StoreError, match=r"^no index .* \(make one: qa index PATH….*\)$"):
        open_store(config)


def test_an_index_that_was_replaced_is_no_longer_the_one_that_was_opened(filled: Fill):
    config = filled(article("a", "Some words here."))
    reader = open_store(config)
    assert reader.is_current
    clear(config)
    assert not reader.is_current
    filled(article("b", "Other words."))
    assert not reader.is_current


def clear(config: Config) -> None:
    """Takes the index away."""
    import shutil

    shutil.rmtree(config.index.path)
    if config.index.store == "milvus":
        from qa.milvus.engine import Engine

        engine = Engine(config.index, strong=True)
        for name in engine.collections():
            engine.drop(name)
        engine.close()


def test_removed_through_the_indexer_all_or_none(filled: Fill):
    config = filled(article("a", "One thing."), article("b", "Two things."))
    with pytest.raises(StoreError, match=r"^no article x, y in .* \(see: qa list\)$"):
        remove_articles(config, ["a", "x", "y"])
    assert [summary.id for summary in open_store(config).summaries()] == ["a", "b"]
    assert remove_articles(config, ["a"]) == ["a"]
    assert [summary.id for summary in open_store(config).summaries()] == ["b"]
