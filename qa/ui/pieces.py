"""What the page and its tabs build with: pieces of HTML with events, and the settings of events that answer at once."""

from __future__ import annotations

from typing import Any

import gradio as gr

from qa.ui.theme import SCRIPT

# Light events: no place in the queue of questions, no progress shown, not part of the API for programs.
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def html_piece(name: str, *events: str, value: str = "") -> gr.HTML:
    """A piece of HTML whose buttons (`data-event`) can raise `events`; see static/page.js."""
    quoted = ", ".join(f"'{event}'" for event in events)
    wire = f"qa.wire(element, trigger, watch, [{quoted}])"
    return gr.HTML(value, elem_id=name, head=SCRIPT, js_on_load=wire, apply_default_css=False)
