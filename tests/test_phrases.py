from __future__ import annotations

import pytest

from qa.phrases import find_phrases, has_name, says_little


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ("When did the printing press reach Italy?", ["the printing press", "Italy"]),
        ("Who was the first American on the Moon?", ["the first American", "the Moon"]),
        ("When did NASA land on the Moon?", ["NASA", "the Moon"]),
        ("When was the Apollo program ended?", ["the Apollo program"]),
        ("Who signed the 1919 Treaty of Versailles?", ["the 1919 Treaty of Versailles"]),
        ("Where did Larry Page and Sergey Brin meet?", ["Larry Page and Sergey Brin"]),
        ("What was J. K. Rowling's first book?", ["J. K. Rowling", "first book"]),
        ("Was it on Monday 20 July 1969?", []),
        ("", []),
        ("これは何ですか", ["これは何ですか"]),
    ],
)
def test_phrases_of_a_question(question: str, phrases: list[str]) -> None:
    assert [phrase.text for phrase in find_phrases(question)] == phrases


def test_phrase_knows_its_place_and_what_it_is() -> None:
    question = "How many troops were sent to the Gulf?"
    troops, gulf = find_phrases(question)
    assert (troops.text, troops.asked, troops.plural, troops.named) == ("troops", True, True, False)
    assert (gulf.before, gulf.determined, gulf.named) == ("to", True, True)
    assert question[gulf.start : gulf.end] == gulf.text == "the Gulf"


def test_question_word_with_a_capital_is_no_name() -> None:
    assert not has_name("When was that? (How big was it?)")
    assert has_name("Who wrote It?")


def test_light_words_say_little() -> None:
    assert says_little("How many people died?")
    assert says_little("Which was the latest?")
    assert not says_little("How many troops died?")
    assert says_little("")
