"""Marking answers on the page: right, wrong, or which words of an article answer. What is marked is kept by `qa.feedback`.

The event behind the buttons of `qa.ui.feedback_views`. It trusts nothing that the browser sends: it asks again whether marking is
allowed, and whether the words stand where they are said to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qa.config import Config
from qa.datatypes import Article, Response, Turn
from qa.errors import DataError, QAError
from qa.feedback import Feedback, Judgement, Place, Verdict, settings_fingerprint
from qa.pipeline import clean_question
from qa.reading.decoding import clean_characters
from qa.server.visitors import Visitor
from qa.ui.conversation import Conversation, citation_of, faults, from_browser
from qa.ui.visitor import told

LONGEST_WORDS = 1_000  # characters of an article that somebody may select as an answer
LONGEST_TEXT = 100_000  # characters of a question with the turns before it
REMEMBERED = 20  # turns
THANKS: Mapping[Verdict, str] = {
    "right": "Thanks, kept as right.",
    "wrong": "Thanks, kept as wrong.",
    "words": "Thanks, kept.",
    "withdrawn": "Taken back.",
}


@dataclass(frozen=True)
class Pressed:
    """What a button sends. With the verdict "words", also where they stand: characters of the article's text, half-open."""

    exchange: int
    verdict: Verdict
    reader: str = ""
    article: str = ""
    start: int = 0
    end: int = 0
    quote: str = ""


_pressed = TypeAdapter(Pressed)


def allowed(config: Config, visitor: Visitor) -> bool:
    """Asked again by the event: a hidden button is no protection."""
    return config.ui.feedback and visitor.may_change


def judge(config: Config, visitor: Visitor, article_of: Callable[[str], Article], kept: object, sent: object) -> dict[str, Any]:
    """Keeps what was pressed. Returns what the browser is to show: the verdict with thanks, or the problem."""
    try:
        pressed = _pressed.validate_python(sent)
    except ValidationError:
        return {"problem": "that was not understood: load the page again"}
    try:
        _check(config, visitor)
        _keep(config, article_of, from_browser(kept), pressed)
    except QAError as error:
        return {"exchange": pressed.exchange, "problem": told(error, config)}
    return {"exchange": pressed.exchange, "verdict": pressed.verdict, "thanks": THANKS[pressed.verdict]}


def _check(config: Config, visitor: Visitor) -> None:
    if not config.ui.feedback:
        raise DataError("answers cannot be marked here: set ui.feedback = true")
    if not visitor.may_change:
        raise DataError("answers are marked by editors, and you are a reader")


def _keep(config: Config, article_of: Callable[[str], Article], conversation: Conversation, pressed: Pressed) -> None:
    if not 0 <= pressed.exchange < len(conversation.exchanges):
        raise DataError("this question is no longer in the conversation: ask it again")
    response = conversation.exchanges[pressed.exchange]
    best = response.answer or response.withheld
    judgement = Judgement(
        verdict=pressed.verdict,
        question=clean_characters(clean_question(response.question)),
        standalone_question=clean_characters(clean_question(response.standalone_question)),
        turns=_turns(conversation, pressed.exchange),
        answer=clean_characters(response.answer.text) if response.answer else None,
        confidence=best.confidence if best else None,
        places=_selected(article_of, pressed) if pressed.verdict == "words" else _cited(article_of, response),
        filtered=bool(response.filters),
        reader=clean_characters(pressed.reader)[:64],
        settings=settings_fingerprint(config),
    )
    turns = "".join(turn.question + turn.answer for turn in judgement.turns)
    if len(judgement.question + judgement.standalone_question + turns) > LONGEST_TEXT:
        raise DataError("the question and those before it are too long to be kept")
    Feedback(config.index.path).add(judgement)


def _turns(conversation: Conversation, index: int) -> tuple[Turn, ...]:
    """The turns that the question needs; none where it was understood as it was asked."""
    response = conversation.exchanges[index]
    if response.standalone_question == clean_question(response.question):
        return ()
    past = conversation.turns[:index][-REMEMBERED:]
    return tuple(Turn(clean_characters(turn.question), clean_characters(turn.answer)) for turn in past)


def _selected(article_of: Callable[[str], Article], pressed: Pressed) -> tuple[Place, ...]:
    article = article_of(pressed.article)
    if not 0 <= pressed.start < pressed.end <= len(article.text) or article.text[pressed.start : pressed.end] != pressed.quote:
        raise DataError("these words do not stand there in the stored article: open it again, and select them within one paragraph")
    if pressed.end - pressed.start > LONGEST_WORDS:
        raise DataError(f"that is much for an answer: select {LONGEST_WORDS:,} characters at most")
    return (Place(article.id, pressed.start, pressed.end, pressed.quote, article.sha256),)


def _cited(article_of: Callable[[str], Article], response: Response) -> tuple[Place, ...]:
    """Where the shown answer stands, in each article that says the same; the quotes are checked once more."""
    if response.answer is None:
        return ()
    broken = faults(response, article_of)
    places = []
    for number in response.answer.citations:
        citation = citation_of(response, number)
        if citation is None or number in broken:
            raise DataError(broken.get(number, "the answer has no citation: ask the question again"))
        article = article_of(citation.article_id)
        start, end = citation.span or (citation.start, citation.end)
        places.append(Place(article.id, start, end, article.text[start:end], article.sha256))
    return tuple(places)
