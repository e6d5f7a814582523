"""Where articles are cut. The fake tokenizer calls every word and every punctuation mark a token."""

from __future__ import annotations

import re

import pytest
from fakes import FakeEncoder, article
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.datatypes import Passage
from qa.passages import LONG_TOKEN, SPECIAL_TOKENS, Splitter, TokenCounter, embedding_text

tokens = FakeEncoder().token_offsets


def split(text: str, size: int = 16, overlap: int = 0, max_tokens: int = 64, title: str = "") -> list[Passage]:
    return Splitter(tokens, size, overlap, max_tokens).split(article("a", text, title))


def texts(passages: list[Passage]) -> list[str]:
    return [passage.text for passage in passages]


def sentence(word: str, count: int) -> str:
    """`count` tokens, the full stop among them."""
    return " ".join([word.capitalize()] + [word] * (count - 2)) + "."


def test_a_short_article_is_one_passage_with_its_title():
    assert split("  One two. Three four.\n", title="Numbers") == [Passage("a", 2, 22, "One two. Three four.", "Numbers")]


def test_whole_paragraphs_stay_together_while_they_fit():
    a, b, c = sentence("aa", 8), sentence("bb", 8), sentence("cc", 8)
    assert texts(split(f"{a}\n\n{b}\n\n{c}")) == [f"{a}\n\n{b}", c]


def test_a_paragraph_that_does_not_fit_beside_the_last_one_begins_a_passage_although_a_sentence_of_it_would():
    a, b = sentence("aa", 10), f"{sentence('bb', 5)} {sentence('cc', 5)}"
    assert texts(split(f"{a}\n\n{b}")) == [a, b]


def test_a_long_paragraph_is_cut_between_sentences_and_repeats_the_last_ones():
    a, b, c, d = (sentence(word, 6) for word in ("aa", "bb", "cc", "dd"))
    paragraph = f"{a} {b} {c} {d}"
    assert texts(split(paragraph, size=18, overlap=6)) == [f"{a} {b} {c}", f"{c} {d}"]
    assert texts(split(paragraph, size=18, overlap=5)) == [f"{a} {b} {c}", d]


def test_offsets_are_exact():
    a, b = sentence("aa", 10), sentence("bb", 10)
    assert [(p.start, p.end) for p in split(f"{a}\n\n\n{b}  ")] == [(0, len(a)), (len(a) + 3, len(a) + 3 + len(b))]


def test_a_sentence_longer_than_a_passage_is_cut_between_words():
    assert texts(split(" ".join(f"w{n}" for n in range(20)), size=8)) == [
        "w0 w1 w2 w3 w4 w5 w6 w7",
        "w8 w9 w10 w11 w12 w13 w14 w15",
        "w16 w17 w18 w19",
    ]


def test_a_sentence_is_cut_before_a_word_rather_than_before_its_full_stop():
    assert texts(split("a b c d e f g h. Next one.", size=8)) == ["a b c d e f g", "h. Next one."]


def test_a_word_longer_than_a_passage_is_cut_between_tokens():
    word = "x" * (LONG_TOKEN * 10)
    assert [(p.start, p.end) for p in split(word, size=8)] == [(0, LONG_TOKEN * 8), (LONG_TOKEN * 8, LONG_TOKEN * 10)]


def test_a_character_of_more_tokens_than_a_passage_does_not_stop_the_cutting():
    many = Splitter(lambda text: [(at, at + 1) for at in range(len(text)) for _ in range(30)], 8, 0, 64)
    assert texts(many.split(article("a", "ﷺﷺﷺ"))) == ["ﷺ", "ﷺ", "ﷺ"]


def test_tokens_that_begin_with_their_space_cut_as_others_do():
    byte_level = Splitter(lambda text: [match.span() for match in re.finditer(r"\s?\w+", text)], 8, 0, 64)
    assert texts(byte_level.split(article("a", " ".join("abcdefghij")))) == ["a b c d e f g h", "i j"]


def test_a_text_without_sentences_is_cut_at_its_size():
    assert [len(tokens(p.text)) for p in split("word " * 100, size=16)] == [16] * 6 + [4]


def test_a_blank_text_has_no_passages():
    assert split(" \n\n\t ") == []


def test_the_title_takes_its_share_of_what_the_encoder_reads():
    text = "word " * 60
    assert len(tokens(split(text, size=64, max_tokens=64)[0].text)) == 64 - SPECIAL_TOKENS
    assert len(tokens(split(text, size=64, max_tokens=64, title="one two three four five")[0].text)) == 64 - SPECIAL_TOKENS - 5


def test_a_title_longer_than_the_encoder_reads_leaves_passages_of_eight_tokens():
    assert len(tokens(split("word " * 60, title="a " * 500)[0].text)) == 8


def test_the_title_is_encoded_with_the_passage_up_to_two_hundred_characters():
    assert embedding_text("Title", "text") == "Title\ntext"
    assert embedding_text("", "text") == "text"
    assert embedding_text("t" * 300, "text") == "t" * 200 + "\ntext"


def test_tokens_are_counted_between_two_places():
    counter = TokenCounter("one two three", [(0, 3), (4, 7), (8, 13)])
    assert [counter.count(0, 13), counter.count(0, 7), counter.count(4, 7), counter.count(3, 4)] == [3, 2, 1, 0]


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(
        st.one_of(st.sampled_from(["A word. ", "Dr. Who? ", "\n\n", "\n", "Yes! ", "x" * 100, "日本語。", "😀 "]), st.text(max_size=12))
    ).map("".join),
    size=st.integers(8, 40),
    overlap=st.integers(0, 40),
    title=st.text(max_size=20),
)
def test_every_passage_is_a_slice_of_the_size_and_together_they_cover_the_text(text, size, overlap, title):
    passages = split(text, size, overlap, title=title)
    limit = max(8, min(size, 64 - SPECIAL_TOKENS - len(tokens(title))))
    counter = TokenCounter(text, tokens(text))
    covered = set()
    for passage in passages:
        assert passage.text == text[passage.start : passage.end] == passage.text.strip() != ""
        assert counter.count(passage.start, passage.end) <= limit
        covered |= set(range(passage.start, passage.end))
    assert all(at in covered for at, character in enumerate(text) if not character.isspace())
    assert [(p.start, p.end) for p in passages] == sorted({(p.start, p.end) for p in passages})


@pytest.mark.parametrize("language", ["en", "de", "ja", "xx", ""])
def test_any_language_is_cut(language):
    text = "日本語の文。 Ein Satz. Dr. Kagan sat."
    (passage,) = Splitter(tokens, 40, 0, 64).split(article("a", text, language=language))
    assert passage.text == text
