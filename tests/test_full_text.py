"""Words in a large index: the commonest are not looked up, and count all the same."""

from __future__ import annotations

import pytest
from fakes import article

from qa import full_text
from qa.full_text import search_words, telling
from qa.store import Store

WORDS = ["year", "treaty", "utrecht"]


@pytest.fixture
def store(filled) -> Store:
    """Forty passages about years, of which some name a treaty, and two the one of Utrecht."""
    years = [article(f"year{number}", f"Another year went by, number {number}, of which nobody knows a lot.") for number in range(28)]
    treaties = [article(f"treaty{number}", f"A treaty of little worth was signed, number {number} of all.") for number in range(10)]
    plain = article("plain", "The treaty of Utrecht was signed after long talks in the house of the mayor there.", "Utrecht")
    dated = article("dated", "The treaty of Utrecht was signed in a cold year, after many years of talks there.", "Utrecht")
    return Store.open(filled(plain, dated, *years, *treaties).index.path)


def found(store: Store, words: list[str], k: int = 9) -> list[tuple[int, float]]:
    return search_words(store, words, k, None, store.passages_with, store.passage_count())


def test_the_commonest_words_are_left_out_where_too_many_passages_would_be_scored(monkeypatch):
    monkeypatch.setattr(full_text, "MOST_PASSAGES", 100)
    counts = {"year": 90, "treaty": 30, "utrecht": 2, "nowhere": 0, "signed": 60}
    assert telling(["year", "treaty", "nowhere", "signed", "utrecht"], counts.__getitem__) == ["treaty", "signed", "utrecht"]
    monkeypatch.setattr(full_text, "MOST_PASSAGES", 1)
    assert telling(["year", "treaty"], counts.__getitem__) == ["treaty"]  # the rarest is always there
    assert telling(["nowhere"], counts.__getitem__) == []


def test_a_word_is_counted_by_its_stem(store):
    assert [store.passages_with(word) for word in ("years", "treaties", "month")] == [29, 12, 0]


def test_what_common_words_add_is_what_sqlite_would_have_added(store, monkeypatch):
    whole = found(store, WORDS, 40)
    monkeypatch.setattr(full_text, "MOST_PASSAGES", 15)
    assert telling(WORDS, store.passages_with) == ["treaty", "utrecht"]
    shortened = found(store, WORDS, 40)
    assert [number for number, _ in shortened[:2]] == [number for number, _ in whole[:2]]
    assert dict(shortened) == pytest.approx({number: score for number, score in whole if number in dict(shortened)}, rel=0.02)
    assert len(shortened) == 12 and len(whole) == 40


def test_a_small_index_is_asked_for_all_words_at_once(store):
    match = full_text.match_expression(WORDS)
    assert found(store, WORDS) == store.search_text(match, full_text.TITLE_WEIGHT, 9)


def test_among_allowed_passages_the_best_k_are_found_however_many_others_are_better(store):
    allowed = [number for number, _ in found(store, WORDS, 40)][-3:]
    flags = bytes(number in allowed for number in range(41))
    assert {number for number, _ in search_words(store, WORDS, 2, flags, store.passages_with, 40)} < set(allowed)
    assert search_words(store, WORDS, 2, bytes(41), store.passages_with, 40) == []
