from __future__ import annotations

import pytest

from qa.words import content_words, coverage


def test_content_words_are_said_once_in_order_as_written():
    assert content_words("Who built the Wall? The wall, WHO?") == ["built", "Wall"]


def test_when_no_word_says_anything_all_do():
    assert content_words("Who are you?") == ["Who", "are", "you"]


@pytest.mark.parametrize("text", ["", "?!", "\ud800", "😀"])
def test_without_words_there_are_none(text):
    assert content_words(text) == []


def test_coverage_is_the_share_of_the_questions_stemmed_words():
    assert coverage("Who landed on the moon in 1969?", "The moon landing") == pytest.approx(2 / 3)
    assert coverage("Who are you?", "you are who you are") == 0.0
