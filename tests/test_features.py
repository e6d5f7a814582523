"""What is known of an answer: where it stands, what is asked, and what else was read."""

from __future__ import annotations

import pytest

from qa.answers import Group
from qa.datatypes import Hit, Passage, Span
from qa.features import MOST_WORDS, features

TEXT = "It rained. The tower opened in 1889. It did not fall."


def hit(article_id: str = "a", start: int = 100) -> Hit:
    return Hit(Passage(article_id, start, start + len(TEXT), TEXT, title="Paris"), 1.0)


def group(text: str) -> Group:
    start = 100 + TEXT.index(text)
    return Group((Span(hit(), start, start + len(text), text, 2.0),), 1.0, likeness=0.4)


def test_features_of_an_answer():
    read = [hit(), hit("b"), hit("a", 900), hit("c")]
    assert features("When did the tower in Paris open?", read, group("1889")) == {
        "reader": 2.0,
        "sentence": 0.4,
        "words": 3.0,
        "denied": 0.0,
        "unmeasured": 0.0,
        "crowd": 0.5,
    }


@pytest.mark.parametrize(
    ("question", "answer", "denied"),
    [
        ("When did the tower not open?", "1889", 1.0),
        ("Why didn’t it open?", "1889", 1.0),
        ("What did not fall?", "It did not fall", 0.0),
        ("What is a knot?", "1889", 0.0),
    ],
)
def test_a_denial_that_the_evidence_does_not_share_is_told(question, answer, denied):
    assert features(question, [hit()], group(answer))["denied"] == denied


@pytest.mark.parametrize(
    ("question", "unmeasured"),
    [
        ("How many lifeboats were there?", 0.0),
        ("How many wooden lifeboats were there?", 0.0),
        ("And how many boats?", 1.0),
        ("How many passengers were saved?", 1.0),  # not in the same sentence
        ("How many?", 0.0),
        ("How many of them were there?", 0.0),
        ("When were there lifeboats?", 0.0),
    ],
)
def test_a_number_of_something_else_is_told(question, unmeasured):
    text = "There were twenty lifeboats. The passengers slept."
    passage = Passage("a", 7, 7 + len(text), text)
    twenty = Group((Span(Hit(passage, 1.0), 18, 24, "twenty", 2.0),), 1.0)
    assert features(question, [], twenty)["unmeasured"] == unmeasured


@pytest.mark.parametrize(
    ("question", "answer", "unmeasured"),
    [
        ("How heavy is the bell?", "9.5", 0.0),  # the unit follows
        ("How heavy is the bell?", "1889", 1.0),
        ("In which year was it cast?", "1889", 0.0),
        ("What was the price of a rope?", "20", 0.0),  # the currency stands before it
        ("What does one have to pay for a bell?", "9.5", 1.0),
    ],
)
def test_an_answer_that_is_no_such_quantity_is_told(question, answer, unmeasured):
    text = "A bell of 9.5 tonnes was hung. It was cast in 1889 by others. Its rope cost $20 then."
    passage, start = Passage("a", 7, 7 + len(text), text), 7 + text.index(answer)
    found = Group((Span(Hit(passage, 1.0), start, start + len(answer), answer, 2.0),), 1.0)
    assert features(question, [], found)["unmeasured"] == unmeasured


def test_the_crowd_around_the_only_passage_that_was_read_is_not_known():
    assert "crowd" not in features("When did it open?", [hit()], group("1889"))


def test_the_words_of_a_long_question_count_no_further():
    long = " ".join(f"word{number}" for number in range(50))
    assert features(long, [hit()], group("1889"))["words"] == MOST_WORDS
