from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from fake_pipeline import FakePipeline

from qa.datatypes import Answer, Filters, Response
from qa.ui.asked import Asked, loosened, to_ask
from qa.ui.conversation import Conversation
from qa.ui.honesty import is_guess, nearness, searched
from qa.ui.views import exchange

UNANSWERED = Response("Who?", "Who then?", None, withheld=Answer("Nobody", 0.2, ()), threshold=0.35, searched=(3, 12))


@pytest.mark.parametrize(
    ("counts", "filters", "words"),
    [
        ((3, 12), Filters(), "Searched all 3 articles (12 passages)."),
        ((1, 1), Filters(source="a.example"), "Searched 1 article (1 passage) from a.example."),
        ((2, 4), Filters(author="Ann", since=date(2020, 3, 5)), "Searched 2 articles (4 passages) by Ann, since 5 March 2020."),
        ((0, 0), Filters(author="Ann"), "No article is by Ann."),
        ((0, 0), Filters(), "There is no article in the index."),
    ],
)
def test_what_was_searched_in_words(counts: tuple[int, int], filters: Filters, words: str) -> None:
    assert searched(replace(UNANSWERED, searched=counts, filters=filters)) == words


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.3, "The best guess fell just short"), (0.2, "The best guess was well short"), (0.1, "The best guess was far from")],
)
def test_nearness_is_a_share_of_the_threshold(confidence: float, words: str) -> None:
    assert nearness(replace(UNANSWERED, withheld=Answer("Nobody", confidence, ()))).startswith(words)


def test_the_withheld_words_are_never_in_the_page() -> None:
    assert "Nobody" not in exchange(0, UNANSWERED, {})


def test_an_answer_is_a_guess_only_below_the_threshold() -> None:
    assert is_guess(replace(UNANSWERED, answer=Answer("x", 0.34, ())))
    assert not is_guess(replace(UNANSWERED, answer=Answer("x", 0.35, ())))
    assert not is_guess(UNANSWERED)


def test_loosening_asks_the_same_without_filters_or_without_a_threshold() -> None:
    response = replace(UNANSWERED, filters=Filters(source="a.example"))
    assert loosened(response, "everywhere") == Asked("Who then?")
    assert loosened(response, "guess") == Asked("Who then?", filters=Filters(source="a.example"), threshold=0.0)
    pressed = {"loosen": "guess", "exchange": "0", "question": "Who then?"}
    assert to_ask("Who then?", pressed, Conversation("c", (response,)), Filters(author="Ann")) == loosened(response, "guess")


def test_a_sentence_is_quoted_once_however_many_answers_it_has() -> None:
    response = FakePipeline().ask("Apollo 11 crew spent weeks in quarantine")
    first, *others = response.citations
    here = replace(first, number=9, span=(first.start, first.start + 3))
    again = [replace(others[0], number=10), replace(others[0], number=11, span=(others[0].start, others[0].start + 3))]
    answers = tuple(Answer("x", 0.4, (c.number,)) for c in (here, *again))
    shown = exchange(0, replace(response, citations=(first, here, *again), alternatives=answers), {})
    assert "1 other answer<" in shown
    assert shown.count("<li>") == 1
