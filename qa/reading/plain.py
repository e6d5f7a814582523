"""Plain text -> lines: which ones were broken to fit a page, and where paragraphs begin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qa.reading.body import read_body
from qa.reading.decoding import clean_characters, decode
from qa.reading.draft import Draft, Facts, Line
from qa.reading.metadata import read_front_matter

PARAGRAPH_LENGTH = 100  # characters; a block with a longer line has a paragraph on each line
WIDTHS = range(40, 121)  # columns at which people wrap text

_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s")


def read_text(data: bytes) -> Draft:
    text = clean_characters(decode(data))
    if re.match(r"\s*<(?:!doctype html|html)\b", text, re.IGNORECASE):
        from qa.reading.html import read_html

        return read_html(data)
    stated, text = read_front_matter(text)
    return read_plain(text, stated)


def read_plain(text: str, stated: Facts) -> Draft:
    """Text about which something is known already: a row of JSONL, or what stands below front matter."""
    return read_body(list(text_lines(clean_characters(text))), stated)


def text_lines(text: str) -> Iterator[Line]:
    """Paragraphs stand between blank lines, or one on each line; lines that were wrapped are joined."""
    blocks = [block.split("\n") for block in _BLANK_LINES.split(text.strip("\n"))]
    width = _wrap_width(blocks)
    for block in blocks:
        lines = unwrap(block, width)
        # without a long line a block is a list, a verse, an address: its lines belong together
        paragraphs = any(len(line) > PARAGRAPH_LENGTH for line in lines)
        for number, line in enumerate(lines):
            item = bool(_ITEM.match(line))
            yield Line(line, opens=number == 0 or paragraphs and not item, kind="item" if item else "text")


def unwrap(block: list[str], width: int) -> list[str]:
    """The lines of a block without outer and double spaces, those that were broken at column `width` joined again."""
    lines: list[list[str]] = []
    for number, line in enumerate(block):
        tidy = " ".join(line.split())
        if lines and width and _is_wrapped(block[number - 1], line, width):
            lines[-1].append(tidy)
        elif tidy:
            lines.append([tidy])
    return [" ".join(pieces) for pieces in lines]


def _wrap_width(blocks: list[list[str]]) -> int:
    """The column at which a text is hard-wrapped, or 0: at most line ends the next word would not have fitted any more."""
    pairs = [pair for block in blocks for pair in zip(block, block[1:], strict=False)]
    lengths = sorted(len(line.rstrip()) for line, _ in pairs)
    width = lengths[len(lengths) * 9 // 10] if lengths else 0
    if width not in WIDTHS:
        return 0
    wrapped = [following for line, following in pairs if _is_wrapped(line, following, width)]
    continued = sum(not following.lstrip()[:1].isupper() for following in wrapped)
    return width if 2 * len(wrapped) >= len(pairs) and 2 * continued >= len(wrapped) else 0


def _is_wrapped(line: str, following: str, width: int) -> bool:
    words = following.split(None, 1)
    return bool(words) and len(line.rstrip()) + 1 + len(words[0]) > width and not _ITEM.match(following)
