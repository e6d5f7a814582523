from __future__ import annotations

import pytest
from fakes import article

from qa import copies

WORDS = "the quick brown fox jumps over the lazy dog and then runs far away into the deep dark forest where no one follows it".split()
STORY = " ".join(WORDS)


def test_equal_words_have_equal_signatures_whatever_the_case_and_punctuation():
    assert copies.signature("One two, three four five six.") == copies.signature("one TWO three -- four five six")


def test_a_signature_is_128_numbers_of_four_bytes():
    assert len(copies.signature(STORY)) == 512
    assert len(copies.bands(copies.signature(STORY))) == 32


@pytest.mark.parametrize("text", ["", "!?", "one", "one two"])
def test_short_texts_have_signatures_too(text):
    assert copies.similarity(copies.signature(text), copies.signature(text)) == 1.0


def test_similarity_estimates_jaccard():
    one, other = (" ".join(f"w{n}" for n in range(start, start + 1000)) for start in (0, 200))
    assert copies.similarity(copies.signature(one), copies.signature(other)) == pytest.approx(796 / 1196, abs=0.1)
    assert copies.similarity(copies.signature(one), copies.signature(STORY)) < 0.05


def test_bands_differ_by_their_place():
    assert len(set(copies.bands(b"\0" * 512))) == 32


def test_the_family_is_that_of_the_most_similar_article_if_that_is_a_copy():
    own, near, far = (copies.signature(text) for text in (STORY, STORY + " today", "something else altogether is written here"))
    new = article("new", STORY)
    assert copies.family_of(new, own, []) == new.sha256
    assert copies.family_of(new, own, [("far", "other", far)]) == new.sha256
    assert copies.family_of(new, own, [("far", "other", far), ("near", "family", near)]) == "family"
