from __future__ import annotations

import pytest

from qa.questions import wants_sentence


@pytest.mark.parametrize(
    "question",
    [
        "Why did the ship sink?",
        "why?",
        "How come nobody noticed?",
        "What is the reason for the delay?",
        "What’s the reason for the delay?",
        "Did Tim Berners-Lee patent the World Wide Web?",
        "Isn't a bleached coral dead?",
        "And was it ever found?",
        "So, has anyone died there?",
    ],
)
def test_reasons_and_yes_or_no_are_answered_by_sentences(question):
    assert wants_sentence(question)


@pytest.mark.parametrize(
    "question",
    [
        "When did the ship sink?",
        "Who was Marie Tharp?",
        "How did they find it?",
        "Is Pluto or Eris the larger body?",
        "In which year was it built?",
        "What does Will say?",
        "",
    ],
)
def test_facts_are_answered_by_words(question):
    assert not wants_sentence(question)
