"""Where one is in the evaluation tab. Every button there carries the place that it leads to, so that the server keeps no state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from qa.render import escape

NAMES = ("view", "run", "against", "kind", "verdict", "question", "page")


@dataclass(frozen=True, slots=True)
class Place:
    """`view` is "runs", "run", "comparison", "questions" or "question"; `against` is the run that `run` is compared with.

    `kind` and `verdict` narrow the questions, "" is any; `page` counts from 0.
    """

    view: str = "runs"
    run: str = ""
    against: str = ""
    kind: str = ""
    verdict: str = ""
    question: str = ""
    page: int = 0

    def to(self, **changes: Any) -> Place:
        return replace(self, **changes)


def place_from(value: object) -> Place:
    """A place as the browser sends it; what cannot be understood is left at its default."""
    sent = value if isinstance(value, dict) else {}
    words = {name: str(sent[name]) for name in NAMES[:-1] if name in sent}
    page = str(sent.get("page", ""))
    return Place(**words, page=int(page) if page.isdecimal() and len(page) < 8 else 0)


def button(place: Place, label: str, *, css: str = "plain", key: str = "", focus: str = "", pressed: bool | None = None) -> str:
    """A button to a place; `label` is markup. `key` names the button itself, `focus` what has the focus afterwards."""
    data = {"event": "select", **asdict(place), "key": key, "focus": focus}
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items() if value)
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return f'<button class="{css}"{attributes}{state}>{label}</button>'
