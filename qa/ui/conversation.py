"""A conversation as the browser keeps it, and the check of its quotes against the stored articles.

The server keeps nothing between events: the page sends its conversation along as JSON, so a restarted server or a replaced index
costs nobody their history. What comes back from a browser is validated, and no quote is shown before `faults` has found it in its article.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from qa.datatypes import Answer, Article, Citation, Response, Turn
from qa.errors import DataError, StoreError

MAX_EXCHANGES = 200


@dataclass(frozen=True)
class Conversation:
    """The exchanges so far, oldest first. `id` is what the browser files it under."""

    id: str = ""
    exchanges: tuple[Response, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(Turn(e.standalone_question, e.answer.text if e.answer else "") for e in self.exchanges)

    def add(self, response: Response) -> Conversation:
        kept = (*self.exchanges, response)[-MAX_EXCHANGES:]
        return Conversation(self.id or uuid.uuid4().hex, kept)


_conversation = TypeAdapter(Conversation)


def to_browser(conversation: Conversation) -> dict[str, Any]:
    """JSON for the browser. Passage texts stay behind: quotes and offsets are enough to show everything again."""
    light = replace(conversation, exchanges=tuple(_without_passages(e) for e in conversation.exchanges))
    return dict(_conversation.dump_python(light, mode="json"))


def from_browser(data: object) -> Conversation:
    """The conversation in `data`; None is an empty one."""
    if data is None:
        return Conversation()
    try:
        conversation = _conversation.validate_python(data)
    except ValidationError:
        raise DataError("the conversation that the browser kept is damaged or of another version: start a new one") from None
    if len(conversation.exchanges) > MAX_EXCHANGES:
        raise DataError(f"the conversation has more than {MAX_EXCHANGES} questions: start a new one")
    return conversation


def _without_passages(response: Response) -> Response:
    citations = tuple(replace(c, hit=c.hit and replace(c.hit, passage=replace(c.hit.passage, text=""))) for c in response.citations)
    return replace(response, citations=citations, hits=())


def faults(response: Response, article_of: Callable[[str], Article]) -> dict[int, str]:
    """Citation number -> why it must not be shown. Empty when every quote stands in its article where it is said to."""
    found = {citation.number: _fault(citation, article_of) for citation in response.citations}
    return {number: fault for number, fault in found.items() if fault}


def _fault(citation: Citation, article_of: Callable[[str], Article]) -> str | None:
    try:
        text = article_of(citation.article_id).text
    except StoreError:
        return "The article is no longer in the index."
    start, end = citation.span or (citation.start, citation.end)
    in_place = (
        0 <= citation.start <= start < end <= citation.end <= len(text)
        and text[citation.start : citation.end] == citation.quote
        and text[citation.excerpt_start : citation.excerpt_end] == citation.excerpt
    )
    return None if in_place else "The quote no longer stands in the stored article at this place. Ask the question again."


def answers(response: Response) -> Iterator[Answer]:
    """The answer and then the alternatives."""
    if response.answer:
        yield response.answer
    yield from response.alternatives


def citation_of(response: Response, number: int) -> Citation | None:
    return next((citation for citation in response.citations if citation.number == number), None)
