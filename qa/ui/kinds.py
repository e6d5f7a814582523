"""Which of the page's events are questions and which change something: what is counted for the limits of `qa.server.guard`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from qa.server.guard import Kind, KindOf

KINDS: Mapping[str, Kind] = {
    "Events.answer": "question",
    "Comparison.show": "question",
    "Api.ask": "question",
    "Api.search": "question",
    "Events.judge": "change",
    "Library.add": "change",
    "Library.remove": "change",
    "EncoderList.use": "change",
}
CALLED = "tools/call"  # by the Model Context Protocol

_number = TypeAdapter(int)


def kinds_of(page: gr.Blocks) -> KindOf:
    """How to tell them: by the number of the event, or by the name of an endpoint or tool."""
    kinds: dict[object, Kind] = {}
    for number, event in page.fns.items():
        kind = KINDS.get(getattr(inspect.unwrap(event.fn), "__qualname__", "")) if event.fn else None
        if kind:
            kinds.update({number: kind, event.api_name: kind} if event.api_name else {number: kind})

    def kind_of(path: str, sent: object) -> Kind | None:
        named = path.rstrip("/").rpartition("/")[2]
        calls = sent if isinstance(sent, list) else [sent]
        found = [kinds.get(named) or kinds.get(_called(call)) for call in calls if isinstance(call, dict)]
        return next(filter(None, found), None)

    return kind_of


def _called(sent: Mapping[str, object]) -> object:
    """The number of an event, or the name of a tool."""
    if sent.get("method") == CALLED:
        about = sent.get("params")
        return about.get("name") if isinstance(about, dict) else None
    try:
        return _number.validate_python(sent.get("fn_index"))  # as Gradio reads it: "12" is 12
    except ValidationError:
        return None
