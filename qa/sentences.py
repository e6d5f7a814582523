"""Where sentences and paragraphs begin and end, as offsets.

The boundaries come from sentencex (rules and abbreviation lists of some 240 languages), so that "Dr. Frederick Kagan"
and "U.S. backed" do not end a sentence. Nothing here changes a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import sentencex

Offsets = tuple[int, int]

_TITLE = re.compile(r"\bMs\.$")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")


def paragraph_spans(text: str) -> list[Offsets]:
    """Pieces between blank lines, without outer white space: characters, half-open, in order."""
    edges = [0, *(edge for gap in _BLANK_LINE.finditer(text) for edge in gap.span()), len(text)]
    return _trimmed(text, zip(edges[::2], edges[1::2], strict=True))


def sentence_spans(text: str, language: str = "en") -> list[Offsets]:
    """Sentences without outer white space: characters, half-open, in order. A sentence never crosses a blank line."""
    spans: list[Offsets] = []
    for start, end in paragraph_spans(text):
        boundaries = sentencex.get_sentence_boundaries(language, text[start:end])
        pieces = _trimmed(text, ((start + b["start_index"], start + b["end_index"]) for b in boundaries))
        spans += _joined(text, pieces)
    return spans


def _joined(text: str, pieces: Iterable[Offsets]) -> list[Offsets]:
    """Joins what was parted after a title that the abbreviation lists lack."""
    joined: list[Offsets] = []
    for start, end in pieces:
        parted = joined and _TITLE.search(text, *joined[-1])
        joined[-1:] = [(joined[-1][0], end)] if parted else [*joined[-1:], (start, end)]
    return joined


def _trimmed(text: str, spans: Iterable[Offsets]) -> list[Offsets]:
    """The spans without white space at their ends; those of white space alone are dropped."""
    kept = []
    for start, end in spans:
        piece = text[start:end]
        inner = piece.strip()
        if inner:
            begin = start + len(piece) - len(piece.lstrip())
            kept.append((begin, begin + len(inner)))
    return kept
