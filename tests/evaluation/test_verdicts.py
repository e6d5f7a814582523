"""Each outcome has one word for what a reader saw, and one for the cause where something went wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.evaluation.datasets import Gold, Question
from qa.evaluation.metrics import Found
from qa.evaluation.outcomes import Outcome
from qa.evaluation.verdicts import verdicts

WHEN = Question("q", "When?", gold=(Gold("a", 5, 9, "1969"),))
NEVER = Question("n", "Never?")
COVERS, BESIDE = Found("a", 0, 20, 0.9), Found("a", 30, 50, 0.8)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(WHEN, (COVERS,), answer="in 1969"), ("right",)),
        (Outcome(WHEN, (BESIDE,), answer="1969"), ("right", "not retrieved")),
        (Outcome(WHEN, (BESIDE, COVERS), answer="1970"), ("wrong", "retrieved but misread")),
        (Outcome(WHEN, (BESIDE,), answer="1970"), ("wrong", "not retrieved")),
        (Outcome(WHEN, (COVERS,), withheld="1969"), ("refused wrongly",)),
        (Outcome(WHEN, (COVERS,), withheld="1970"), ("refused wrongly", "retrieved but misread")),
        (Outcome(WHEN), ("refused wrongly", "not retrieved")),
        (Outcome(NEVER, (COVERS,), withheld="1969"), ("refused rightly",)),
        (Outcome(NEVER, (COVERS,), answer="1969"), ("wrong",)),
        (Outcome(WHEN, error="ValueError: no"), ("failed",)),
    ],
)
def test_what_was_seen_and_why(outcome, expected):
    assert verdicts(outcome, "answers") == expected


def test_a_reader_alone_misreads_and_misses_no_passage():
    assert verdicts(Outcome(WHEN, answer="1970"), "reader") == ("wrong", "retrieved but misread")


def test_a_search_alone_finds_the_place_or_not():
    assert verdicts(Outcome(WHEN, (BESIDE, COVERS)), "retrieval") == ("retrieved",)
    assert verdicts(Outcome(WHEN, (BESIDE,)), "retrieval") == ("not retrieved",)
    assert verdicts(Outcome(NEVER, (BESIDE,)), "retrieval") == ("nothing to find",)
    judged = replace(NEVER, documents={"a": 1})
    assert verdicts(Outcome(judged, (BESIDE,)), "retrieval") == ("retrieved",)
