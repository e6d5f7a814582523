"""What the page asks: a question that was typed, an example, or an earlier question again with less asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qa.datatypes import Filters, Response, Turn
from qa.ui.conversation import Conversation

LONGEST_QUESTION = 20_000  # characters that the page and the endpoints take


@dataclass(frozen=True)
class Asked:
    """A question as the pipeline takes it. `threshold` is for this question alone; None: the usual one."""

    question: str
    turns: tuple[Turn, ...] = ()
    filters: Filters = Filters()
    threshold: float | None = None


def to_ask(question: str, pressed: Mapping[str, Any], past: Conversation, filters: Filters) -> Asked:
    """`pressed` is what the button carried that asked (see qa/ui/views.py); empty when the question was typed."""
    if "loosen" in pressed:
        return loosened(past.exchanges[int(pressed["exchange"])], str(pressed["loosen"]))
    return Asked(question, () if pressed.get("alone") else past.turns, filters)


def loosened(response: Response, way: str) -> Asked:
    """The same question again: in all articles, or with its best guess shown however unsure."""
    if way == "everywhere":
        return Asked(response.standalone_question)
    return Asked(response.standalone_question, filters=response.filters, threshold=0.0)
