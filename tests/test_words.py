from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from qa.words import content_words, coverage, stem


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


def test_threads_do_not_mix_up_their_words():
    starts, ends = ("nation", "gener", "relat", "operat", "hope", "walk"), ("s", "ing", "alization", "fully")
    words = [start + end for start in starts for end in ends]
    expected = [stem.__wrapped__(word) for word in words]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: [stem.__wrapped__(word) for word in words], range(200)))
    finally:
        sys.setswitchinterval(interval)
    assert all(one == expected for one in found)
