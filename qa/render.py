"""Answers as text for people and programs: safe HTML pieces, links, citations to copy.

The one place that turns text from outside (articles, titles, URLs, questions) into markup. Everything is escaped here; nothing is
read, searched or decided here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote as percent_encode
from urllib.parse import urlsplit

from qa.datatypes import Answer, Citation, Response

LINK_SCHEMES = ("http", "https")
URL_CHARACTERS = "%/:?=&#@!$+,;~'"  # stay as they are in a link in Markdown; what could end it or begin markup is encoded
FRAGMENT_WORDS = 8  # a longer quote is linked by its first and last four words, so that the link stays short
LONGEST_SUBHEADING = 80  # characters
PARAGRAPH_BREAK = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a text to highlight: characters, half-open. `kind` becomes its CSS class, `name` what a script finds it by."""

    start: int
    end: int
    kind: str = "quote"
    name: str = ""


def escape(text: object) -> str:
    return html.escape(str(text), quote=True)


def highlight_html(text: str, marks: Iterable[Mark] = ()) -> str:
    """`text` escaped, its marks highlighted. Marks may overlap: a piece under two marks carries both kinds.

    highlight_html("a<b c", [Mark(0, 3)]) -> '<mark class="quote">a&lt;b</mark> c'
    """
    inside = [mark for mark in marks if mark.start < mark.end and mark.start < len(text) and mark.end > 0]
    cuts = sorted({0, len(text), *(max(m.start, 0) for m in inside), *(min(m.end, len(text)) for m in inside)})
    return "".join(_piece(text[a:b], [m for m in inside if m.start <= a and b <= m.end]) for a, b in zip(cuts, cuts[1:]))


def _piece(text: str, marks: Sequence[Mark]) -> str:
    if not marks:
        return escape(text)
    kinds = " ".join(dict.fromkeys(mark.kind for mark in marks))
    names = " ".join(dict.fromkeys(mark.name for mark in marks if mark.name))
    name = f' data-mark="{escape(names)}"' if names else ""
    return f'<mark class="{escape(kinds)}"{name}>{escape(text)}</mark>'


def paragraphs_html(text: str, marks: Iterable[Mark] = ()) -> str:
    """A whole article as `<p>` elements, which say where they start; a mark that runs over a paragraph's end goes on in the next one."""
    marks = list(marks)
    pieces = []
    for start, end in _paragraphs(text):
        moved = [Mark(m.start - start, m.end - start, m.kind, m.name) for m in marks]
        kind = ' class="subheading"' if _is_subheading(text[start:end]) else ""
        pieces.append(f'<p{kind} data-start="{start}">{highlight_html(text[start:end], moved)}</p>')
    return "\n".join(pieces)


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Offsets of the paragraphs, blank lines left out."""
    starts = [0, *(gap.end() for gap in PARAGRAPH_BREAK.finditer(text))]
    ends = [*(gap.start() for gap in PARAGRAPH_BREAK.finditer(text)), len(text)]
    return [(start, end) for start, end in zip(starts, ends) if text[start:end].strip()]


def _is_subheading(paragraph: str) -> bool:
    """One short line that does not end as a sentence does. It only changes how the line looks."""
    return len(paragraph) <= LONGEST_SUBHEADING and "\n" not in paragraph and paragraph.rstrip()[-1:].isalnum()


def safe_url(url: str | None) -> str | None:
    """The URL if a page may link to it: http or https with a host. Anything else (`javascript:`, `data:`) is None."""
    try:
        parts = urlsplit((url or "").strip())
    except ValueError:  # a malformed IPv6 host
        return None
    return (url or "").strip() if parts.scheme.lower() in LINK_SCHEMES and parts.netloc else None


def text_fragment_url(url: str | None, quote: str) -> str | None:
    """A link that opens the live page at the quote (`#:~:text=`), or None where there is no page to link to."""
    page = safe_url(url)
    if page is None:
        return None
    words = quote.split()
    ends = [words] if len(words) <= FRAGMENT_WORDS else [words[: FRAGMENT_WORDS // 2], words[-FRAGMENT_WORDS // 2 :]]
    # A hyphen is syntax in a text fragment, and percent_encode leaves it alone.
    target = ",".join(percent_encode(" ".join(part), safe="").replace("-", "%2D") for part in ends)
    return f"{page}{':~:' if '#' in page else '#:~:'}text={target}"


def date_text(day: date | None) -> str:
    """date(2024, 3, 5) -> "5 March 2024"."""
    return f"{day.day} {day:%B %Y}" if day else ""


def count(number: object, noun: str, plural: str = "") -> str:
    """count(2, "article") -> "2 articles" """
    count = number if isinstance(number, int) else 0
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def reference(citation: Citation) -> str:
    """One line that says where a quote is from: author, title, source, date, address; what is unknown is left out."""
    return _joined(_origin(citation), safe_url(citation.url)) + "."


def _origin(citation: Citation) -> str:
    return _joined(citation.author, f"“{citation.title}”", citation.source, date_text(citation.published))


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def quote_text(citation: Citation) -> str:
    return f"“{citation.quote}”\n— {reference(citation)}"


def quote_markdown(citation: Citation) -> str:
    lines = "\n".join(f"> {markdown_text(line)}" for line in citation.quote.splitlines())
    link = percent_encode(safe_url(citation.url) or "", safe=URL_CHARACTERS)
    return f"{lines}\n>\n> — {_joined(markdown_text(_origin(citation)), link)}."


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no link, no HTML in it."""
    return re.sub(r"[\\`*_\[\]<>&#]", r"\\\g<0>", text)


def response_json(response: Response) -> dict[str, Any]:
    """The document of `qa ask --json`."""
    return {
        "question": response.question,
        "standalone_question": response.standalone_question,
        "answer": _answer_json(response.answer) if response.answer else None,
        "citations": [_citation_json(citation) for citation in response.citations],
        "alternatives": [_answer_json(answer) for answer in response.alternatives],
        "timings_ms": response.timings_ms,
    }


def response_text(response: Response) -> str:
    """For a terminal: the answer, then its sources as numbered quotes."""
    lines = []
    if response.standalone_question != response.question.strip():
        lines.append(f"({response.standalone_question})")
    if response.answer is None:
        lines.append("The articles don't say." + (" The closest passages:" if response.citations else ""))
        shown = response.citations
    else:
        lines.append(f"“{response.answer.text}”  ({response.answer.confidence:.0%} sure)")
        shown = tuple(citation for citation in response.citations if citation.number in response.answer.citations)
    lines += [f"\n[{citation.number}] {reference(citation)}\n    “{citation.quote}”" for citation in shown]
    if response.alternatives:
        lines.append("\nOther answers:")
        lines += [f"  “{other.text}” {''.join(f'[{number}]' for number in other.citations)}" for other in response.alternatives]
    return "\n".join(lines)


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {"text": answer.text, "confidence": round(answer.confidence, 6), "citations": list(answer.citations)}


def _citation_json(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "article_id": citation.article_id,
        "title": citation.title,
        "author": citation.author,
        "published": citation.published.isoformat() if citation.published else None,
        "source": citation.source,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "excerpt": citation.excerpt,
        "score": round(citation.score, 6),
        "url": citation.url,
        "span": list(citation.span) if citation.span else None,
        "also_in": list(citation.also_in),
    }
