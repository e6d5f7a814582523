"""Dense and full-text search fused, in exact values: the fake encoder counts words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from fakes import FakeEncoder, article
from milvus_server import STORES

from qa import retriever as retrieving
from qa.config import Config
from qa.datatypes import Filters, Hit
from qa.errors import MissingVectors
from qa.full_text import MOST_TERMS, match_expression
from qa.indexer import index_articles, remove_articles
from qa.retriever import Retriever, fuse, in_turn
from qa.stores import open_store
from qa.words import content_words

Fill = Callable[..., Config]


@pytest.fixture(params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


SEA = article("sea", "Whales live in the deep sea.", "Sea", source="ocean.org", author="Ann Lee", published=date(2020, 5, 1))
SKY = article("sky", "Larks sing in the wide sky.", "Sky", source="air.org", author="Bob Ray", published=date(2022, 5, 1))
SUN = article("sun", "The sun shines on whales and larks alike.", "Sun", source="air.org")


@pytest.fixture
def retriever(filled: Fill) -> Retriever:
    config = filled(SEA, SKY, SUN)
    return Retriever(config, open_store(config), FakeEncoder())


def ids(hits: list[Hit]) -> list[str]:
    return [hit.passage.article_id for hit in hits]


def test_scores_are_scaled_and_combined():
    dense, lexical = {1: 0.9, 2: 0.5, 3: 0.1}, {2: 8.0, 3: 4.0}
    assert fuse(dense, lexical, 0.5) == {2: 0.75, 1: 0.5, 3: 0.0}
    assert fuse(dense, lexical, 1.0) == {1: 1.0, 2: 0.5, 3: 0.0}
    assert fuse(dense, lexical, 0.0) == {2: 1.0, 1: 0.0, 3: 0.0}


def test_fused_scores_come_best_first_and_equal_ones_in_order_of_number():
    assert list(fuse({7: 0.2, 5: 0.2, 6: 0.4}, {}, 0.5).items()) == [(6, 0.5), (5, 0.0), (7, 0.0)]
    assert fuse({5: 0.3}, {5: 2.0}, 0.5) == {5: 1.0}
    assert fuse({}, {}, 0.5) == {}


def places(hits: list[Hit]) -> list[tuple[object, ...]]:
    """All of the hits but the numbers that their passages got while indexing."""
    return [(hit.passage.article_id, hit.passage.start, *(getattr(hit, name) for name in COMPARED)) for hit in hits]


COMPARED = ("score", "dense_score", "lexical_score", "dense_rank", "lexical_rank", "also_in")


@pytest.mark.parametrize("candidates", [3, 5, 100])
def test_hits_and_scores_do_not_depend_on_the_order_of_indexing(config, candidates):
    words = "abcd efgh ijkl mnop abdc".split() * 2
    alike = [article(f"{n:02}", f"The whale {word} swam.\n\nA lark {word} sang.") for n, word in enumerate(words)]
    config = config.replace("retrieval.candidates", candidates).replace("passages.size", 16)
    found = []
    for order, articles in (("there", alike), ("back", alike[::-1])):
        here = config.replace("index.path", config.index.path / order)
        index_articles(here, articles, encoder=FakeEncoder())
        with open_store(here) as store:
            hits = Retriever(here, store, FakeEncoder()).search("Which whale swam, and which lark?", 9)
        found.append(places(hits))
    assert len(found[0]) >= 3
    assert found[0] == found[1]


def test_a_question_becomes_its_content_words_each_quoted():
    assert expression('Who built "the" wall?') == '"built" OR "wall"'
    assert expression("AND OR NOT NEAR") == '"NEAR"'
    assert expression("?!") == ""
    assert expression(" ".join(f"w{n}" for n in range(999))).count(" OR ") == 63


def expression(question: str) -> str:
    return match_expression(content_words(question)[:MOST_TERMS])


def test_a_hit_says_what_it_was_fused_from(retriever):
    first, *others = retriever.search("Where do whales live?", 3)
    assert (first.passage.article_id, first.passage.text, first.passage.title) == ("sea", SEA.text, "Sea")
    assert (first.score, first.dense_rank, first.lexical_rank) == (1.0, 1, 1)
    asked, passage = FakeEncoder().encode_questions(["Where do whales live?", "Sea\n" + SEA.text])
    assert first.dense_score == pytest.approx(float(asked @ passage), abs=1e-3)
    assert [(hit.passage.article_id, hit.lexical_rank) for hit in others] == [("sun", 2), ("sky", None)]
    assert others[1].lexical_score == 0.0


def test_k_limits_and_may_be_larger_than_the_corpus(retriever):
    assert len(retriever.search("whales", 2)) == 2
    assert len(retriever.search("whales", 999)) == 3
    assert retriever.search("whales", 0) == []


def test_a_passage_that_only_the_full_text_found_has_its_true_cosine(filled):
    config = filled(SEA, SKY, SUN).replace("retrieval.candidates", 1)
    retriever = Retriever(config, open_store(config), FakeEncoder())
    question = "shines alike, in the wide in the wide in the wide"
    found = {hit.passage.article_id: hit for hit in retriever.search(question, 3)}
    assert found["sky"].dense_rank == 1 and found["sun"].dense_rank is None
    assert found["sun"].lexical_rank == 1
    assert 0 < found["sun"].dense_score < found["sky"].dense_score


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"sea", "sky", "sun"}),
        (Filters(source="AIR.org"), {"sky", "sun"}),
        (Filters(author="lee"), {"sea"}),
        (Filters(since=date(2020, 5, 1)), {"sea", "sky"}),
        (Filters(until=date(2020, 5, 1)), {"sea"}),
        (Filters(source="air.org", since=date(2021, 1, 1)), {"sky"}),
        (Filters(source="nowhere"), set()),
        (Filters(author="\ud800"), set()),
    ],
)
def test_filters_hold_for_both_searches(retriever, filters, expected):
    assert set(ids(retriever.search("whales and larks in the deep sky", 9, filters))) == expected


def test_overlapping_windows_of_an_article_are_one_hit(filled, config):
    text = " ".join(f"The whale number {n} swam." for n in range(7))
    small = config.replace("passages.size", 24).replace("passages.overlap", 12)
    index_articles(small, [article("a", text)], encoder=FakeEncoder())
    with open_store(config) as store:
        assert store.passage_count() == 3  # 0 to 99, 50 to 149, 100 to 174
        hits = Retriever(small, store, FakeEncoder()).search("Which whale swam with number 6?", 9)
    assert [(hit.passage.start, hit.passage.end) for hit in hits] == [(100, 174), (0, 99)]


WIRE = " ".join(f"The minister said on day {n} that the bridge number {n} would open in spring." for n in range(12))


def test_wire_copies_are_one_hit_that_names_the_others(filled):
    config = filled(article("first", WIRE, "Bridge"), article("second", WIRE, "Bridge"), article("third", WIRE, "Bridge"), SEA)
    with open_store(config) as store:
        hits = Retriever(config, store, FakeEncoder()).search("Which bridge would open on day 3?", 9)
    wire = [hit for hit in hits if hit.passage.article_id != "sea"]
    assert {hit.passage.article_id for hit in wire} == {"first"}
    assert {hit.also_in for hit in wire} == {("second", "third")}
    assert [hit.also_in for hit in hits if hit.passage.article_id == "sea"] == [()]


def test_what_only_one_copy_says_is_found_there(filled):
    more = WIRE + "\n\nThe mayor of the harbour town, a former sailor, spoke against all of it in a long letter."
    config = filled(article("first", WIRE, "Bridge"), article("second", more, "Bridge"))
    with open_store(config) as store:
        assert store.families(["first"]) == {"first": ("first", "second")}
        hit = Retriever(config, store, FakeEncoder()).search("Which mayor, a former sailor, spoke against it?", 9)[0]
    assert hit.passage.article_id == "second"
    assert "former sailor" in hit.passage.text
    assert hit.also_in == ()


def test_a_copy_is_found_when_the_filters_leave_out_the_other(filled):
    config = filled(article("first", WIRE, source="one.org"), article("second", WIRE, source="two.org"))
    with open_store(config) as store:
        hits = Retriever(config, store, FakeEncoder()).search("bridge", 9, Filters(source="two.org"))
    assert set(ids(hits)) == {"second"}


HOSTILE = [
    'say "whales" and "',
    "'; DROP TABLE articles; --",
    "whales AND larks OR NOT sea NEAR(sky, 3)",
    "title: whales * ^ ( ) { } [ ] : - + ~ \\ /",
    "whale*",
    "-whales",
    "🐋 whales 😀👩‍👩‍👧",
    "who are you",
    "x" * 10_000,
    "whales " * 1500,
    "a_b __ _",
    "whales\0larks",
    "\ud800whales\udfff",
    "鯨はどこに住んでいますか",
    "‮whales‬ \u200b",
    "%s {0} $1 <b>whales</b>",
]


@pytest.mark.parametrize("question", HOSTILE)
def test_hostile_questions_are_questions(retriever, question):
    hits = retriever.search(question, 9)
    assert len(hits) == 3
    if "whales" in question and "larks" not in question:
        assert "whales" in hits[0].passage.text.casefold()


@pytest.mark.parametrize("question", ["", " \n\t "])
def test_a_blank_question_finds_nothing(retriever, question):
    assert retriever.search(question, 9) == []


def test_words_match_in_other_cases_accents_and_scripts(filled):
    config = filled(article("de", "Die Straße nach Gräfelfing."), article("tr", "İstanbul büyük bir şehir."), article("el", "Ο ΟΔΟΣ."))
    with open_store(config) as store:
        retriever = Retriever(config, store, FakeEncoder())
        for question, expected in [("Straße", "de"), ("GRAFELFING", "de"), ("İstanbul", "tr"), ("οδος", "el")]:
            ranked = {hit.passage.article_id: hit.lexical_rank for hit in retriever.search(question, 9)}
            assert ranked[expected] == 1, question


def test_an_empty_index_finds_nothing(config):
    index_articles(config, [], encoder=FakeEncoder())
    with open_store(config) as store:
        assert Retriever(config, store, FakeEncoder()).search("whales", 9) == []


def test_what_is_indexed_or_removed_meanwhile_is_seen(retriever, config):
    assert ids(retriever.search("whales", 1)) == ["sea"]
    remove_articles(config, ["sea"])
    index_articles(config, [article("new", "Whales, whales, whales.")], encoder=FakeEncoder())
    assert ids(retriever.search("whales", 9))[0] == "new"
    assert "sea" not in ids(retriever.search("whales", 9))


def test_missing_vectors_are_refused_with_the_command_that_adds_them(filled):
    config = filled(SEA, SKY)
    index_articles(config, [SUN], encoder=FakeEncoder())
    with open_store(config) as store:
        with pytest.raises(MissingVectors) as caught:
            Retriever(config, store, FakeEncoder("0the")).search("whales", 1)
        assert str(caught.value) == (
            f"the index in {store.where} has vectors of fake for 0 of its 3 passages (add them: qa index --index {config.index.path})"
        )


def test_hits_are_fetched_some_at_a_time_and_equal_ones_together(monkeypatch):
    monkeypatch.setattr(retrieving, "AT_A_TIME", 2)
    assert list(in_turn({5: 0.9, 3: 0.8, 8: 0.8, 1: 0.8, 2: 0.7})) == [[5, 3, 8, 1], [2]]
    assert list(in_turn({})) == []


def test_no_more_hits_are_fetched_than_needed(retriever, monkeypatch):
    monkeypatch.setattr(retrieving, "AT_A_TIME", 1)
    fetched = []
    passages = retriever._store.passages
    monkeypatch.setattr(retriever._store, "passages", lambda numbers: fetched.append(list(numbers)) or passages(fetched[-1]))
    assert len(retriever.search("Where do whales live?", 1)) == 1
    assert [len(some) for some in fetched if some] == [1]
    assert len(retriever.search("Where do whales live?", 9)) == 3
