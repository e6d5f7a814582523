"""What became of a question in a word or two: what a reader saw, and where it went wrong. Counts of these are no metrics."""

from __future__ import annotations

from qa.evaluation.compare import relevant_rank
from qa.evaluation.metrics import is_right
from qa.evaluation.outcomes import Mode, Outcome

# In the order in which they are listed. The first five are what a reader saw, one of them for each question; the others are about
# what was searched and read, whether or not it was shown. A run that reads nothing has only the last three.
RIGHT, REFUSED_RIGHTLY, WRONG, REFUSED_WRONGLY, FAILED = "right", "refused rightly", "wrong", "refused wrongly", "failed"
MISREAD, NOT_RETRIEVED = "retrieved but misread", "not retrieved"
RETRIEVED, NOTHING_TO_FIND = "retrieved", "nothing to find"
SEEN = (RIGHT, REFUSED_RIGHTLY, WRONG, REFUSED_WRONGLY, FAILED, RETRIEVED, NOTHING_TO_FIND)
CAUSES = (MISREAD, NOT_RETRIEVED)


def verdicts(outcome: Outcome, mode: Mode) -> tuple[str, ...]:
    """What was seen, then the cause if there is one: ("wrong", "not retrieved")."""
    if outcome.error is not None:
        return (FAILED,)
    if mode == "retrieval":
        return (_searched(outcome),)
    cause = _cause(outcome, mode)
    return (_seen(outcome), cause) if cause else (_seen(outcome),)


def _seen(outcome: Outcome) -> str:
    if outcome.answer is None:
        return REFUSED_WRONGLY if outcome.question.answerable else REFUSED_RIGHTLY
    return RIGHT if _answers(outcome, outcome.answer) else WRONG


def _cause(outcome: Outcome, mode: Mode) -> str | None:
    """Nothing was searched where the gold paragraph was given to the reader."""
    if not outcome.question.answerable:
        return None
    if mode != "reader" and relevant_rank(outcome) is None:
        return NOT_RETRIEVED
    return None if _answers(outcome, outcome.best) else MISREAD


def _searched(outcome: Outcome) -> str:
    if not outcome.question.answerable:
        return NOTHING_TO_FIND
    return NOT_RETRIEVED if relevant_rank(outcome) is None else RETRIEVED


def _answers(outcome: Outcome, text: str) -> bool:
    return is_right(text, [gold.text for gold in outcome.question.gold])
