from __future__ import annotations

import pytest

from qa.questions import lacks_quantity, wants_sentence


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


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many people died?", "twenty-three"),
        ("How many people died?", "none of them"),
        ("How old is the town?", "900 years"),
        ("In which year did it close?", "1889"),
        ("Which century was it built in?", "the twelfth"),
        ("What percentage of voters stayed at home?", "a third"),
        ("How much did the bridge cost?", "$35 million"),
        ("How much prize money did she win?", "£1,000"),
        ("What was the price of a ticket?", "50 cents"),
        ("How much does a ticket cost?", "20 roubles"),
        ("How much did it cost?", "1.2bn"),
        ("How hot was it?", "40C"),
        ("How long did it take?", "2h"),
        ("How much does the bell weigh?", "9t"),
        ("How deep is the lake?", "1,642 metres"),
        ("How far did she get?", "the final"),  # a length only now and then
        ("How long did it last?", "three weeks"),
        ("How long is the bridge?", "2.7km"),
        ("How hot was it?", "40°"),
        ("How wide was the margin?", "12 points"),
        ("How heavy were the losses?", "300 men"),
        ("What did the mistake cost him?", "his job"),
        ("What is the price index called?", "the CPI"),
        ("How high is the unemployment rate?", "12 %"),
        ("What is the temperature sensor called?", "a thermistor"),
        ("How cold was it?", "−40"),
        ("Who built it?", "Eiffel"),
        ("What did they pay attention to?", "the weather"),
    ],
)
def test_a_quantity_that_was_asked_for_is_found(question, answer):
    assert not lacks_quantity(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many people died?", "the captain"),
        ("In what year did it close?", "after the war"),
        ("What percentage of voters stayed at home?", "the young"),
        ("How much does a dose cost?", "94.1 per cent"),
        ("How much prize money did he win?", "2:00:35, which"),
        ("What does a ship have to pay?", "12 per cent of trade"),
        ("How heavy is the rooster?", "42,000 square metres"),
        ("How tall is the tower?", "18,038 pieces"),
        ("How long did it last?", "the people"),
        ("What is the temperature on Pluto?", "3,500 metres"),
    ],
)
def test_an_answer_of_another_kind_is_told(question, answer):
    assert lacks_quantity(question, answer)
