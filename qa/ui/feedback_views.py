"""The buttons that mark an answer, and those below an open article in which words are selected. Written as `qa.ui.views` is."""

from __future__ import annotations

from collections.abc import Mapping

from qa.datatypes import Article, Response
from qa.feedback import Verdict
from qa.render import escape


def buttons(index: int, response: Response, broken: Mapping[int, str]) -> str:
    """Under an answer or a refusal; none under an answer whose quote must not be shown."""
    numbers = response.answer.citations if response.answer else [c.number for c in response.citations if c.number not in broken]
    first = next(iter(numbers), None)
    if first in broken:
        return ""
    asked = "Is this answer right?" if response.answer else "Is it right that the articles don’t say?"
    words = f' data-citation="{first}"' if first else " hidden"
    return f"""<div class="judging" role="group" aria-label="{asked}">{_button(index, "right", "Right")}{_button(index, "wrong", "Wrong")}
{_button(index, "words", "Show the right words", words)}<span class="thanks" role="status"></span></div>"""


def _button(index: int, verdict: Verdict, label: str, more: str = "") -> str:
    return f"""<button class="plain" data-do="judge" data-exchange="{index}" data-verdict="{verdict}" aria-pressed="false"{more}>\
{label}</button>"""


def strip(article: Article) -> str:
    """Below an open article; static/feedback.js shows it when somebody is to select words, or has."""
    return f"""<div class="selecting" role="group" aria-label="The words that answer" data-article="{escape(article.id)}" hidden>
<p>Select the words that answer <q></q></p><button data-do="words" disabled>These words answer</button>
<span class="thanks" role="status"></span></div>"""
