"""What the views of the evaluation tab share: figures with their intervals, settings, verdicts, pages of a list.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from qa.evaluation.outcomes import Mode, Outcome
from qa.evaluation.report import number
from qa.evaluation.verdicts import FAILED, MISREAD, NOT_RETRIEVED, REFUSED_RIGHTLY, REFUSED_WRONGLY, RETRIEVED, RIGHT, WRONG, verdicts
from qa.render import date_text, escape
from qa.ui.places import Place, button

PER_PAGE = 25
MODES = {"answers": "searched and read", "retrieval": "searched only", "reader": "gold paragraphs read"}
_GOOD = {RIGHT, REFUSED_RIGHTLY, RETRIEVED}
_BAD = {WRONG, FAILED}
_POOR = {REFUSED_WRONGLY, MISREAD, NOT_RETRIEVED}

Interval = Sequence[float] | None


def moment(result: Mapping[str, Any]) -> str:
    """'22 November 2026, 11:54'."""
    day = datetime.fromisoformat(str(result["date"]))
    return f"{date_text(day.date())}, {day:%H:%M}"


def settings(values: Mapping[str, object], none: str = "default settings") -> str:
    """Settings and their values; `none` says what it means that there are none."""
    chips = "".join(f"<code>{escape(name)} = {escape('unset' if value is None else value)}</code>" for name, value in values.items())
    return f'<p class="settings">{chips or none}</p>'


def interval(found: Interval) -> str:
    """(0.621, 0.702) -> '0.621–0.702'."""
    return f"{number(found[0])}–{number(found[1])}" if found else ""


def signed(value: float) -> str:
    """-0.0113 -> '−0.011'."""
    return f"{value:+.3f}".replace("-", "−")


def band(value: float, found: Interval, zero: bool = False) -> str:
    """A value and its interval drawn on a scale from 0 to 1. `zero` marks the middle, for differences."""
    low, high = found or (value, value)
    style = f"--at:{_share(value):.4f};--low:{_share(low):.4f};--high:{_share(high):.4f}"
    return f'<i class="band{" zero" if zero else ""}" style="{style}" aria-hidden="true"></i>'


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def tone(verdict: str) -> str:
    """The CSS class of a verdict: how good it is."""
    return "good" if verdict in _GOOD else "bad" if verdict in _BAD else "poor" if verdict in _POOR else "even"


def tag(verdict: str) -> str:
    return f'<span class="tag {tone(verdict)}">{escape(verdict)}</span>'


def tags(outcome: Outcome, mode: Mode) -> str:
    return "".join(map(tag, verdicts(outcome, mode)))


def letter(name: str) -> str:
    """A or B, for two runs that are compared; its colour is that of the run in the plots."""
    return f'<span class="letter {name.lower()}">{name}</span>'


def short(text: str, length: int = 90) -> str:
    """A text on one line, cut at a word: 'The quick brown …'."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0] + " …"


def table(caption: str, head: Sequence[str], rows: str) -> str:
    """A table that scrolls by itself where the window is narrow. `head` and `rows` are markup."""
    cells = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in head)
    return f"""<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>
<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"""


def plots(drawn: Sequence[str]) -> str:
    return f'<div class="plots">{"".join(f"<figure>{chart}</figure>" for chart in drawn)}</div>'


def page_of(found: Sequence[Any], place: Place) -> Sequence[Any]:
    return found[place.page * PER_PAGE : (place.page + 1) * PER_PAGE]


def pager(place: Place, total: int) -> str:
    """'← 26–50 of 310 →'; nothing when all are on one page."""
    if total <= PER_PAGE:
        return ""
    start, end = place.page * PER_PAGE, min(total, (place.page + 1) * PER_PAGE)
    before = button(place.to(page=place.page - 1), "← Previous") if place.page else ""
    after = button(place.to(page=place.page + 1), "Next →") if end < total else ""
    return f'<nav class="pager" aria-label="Pages">{before}<span>{start + 1:,}–{end:,} of {total:,}</span>{after}</nav>'
