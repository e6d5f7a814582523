"""A PDF -> article, by pypdfium2: lines are found again, joined to paragraphs, and what repeats on each page is left out.

Pages are read in the order of their content. Tables and columns come out as lines of text; scans have no text at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from qa.errors import ArticleError
from qa.reading.body import read_body
from qa.reading.bylines import clean_author, parse_date
from qa.reading.decoding import clean_characters, one_line
from qa.reading.draft import Draft, Facts, Line
from qa.reading.looks import same_text

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

MARGIN_ROWS = 2  # at the top and at the bottom of a page, where running headers and footers stand
TITLE_ROWS = 15  # of the first page, among which the title is printed
TITLE_SIZE = 1.2  # times the size of the text

_HYPHEN = "\x02"  # what pdfium gives for a hyphen at the end of a line
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?\W*", re.IGNORECASE)
_ITEM = re.compile(r"(?:[•‣▪●–*-]|\d{1,3}[.)])\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?…:][\"”’»')\]]*$")
_NO_TITLE = re.compile(r"microsoft word|untitled|\.(?:docx?|pdf|indd|odt|tex|html?)\b|^\W*$", re.IGNORECASE)
_DATE = re.compile(r"D?:?(\d{4})(\d\d)(\d\d)")


@dataclass(frozen=True, slots=True)
class Row:
    """A printed line. Distances in points; `bottom` grows upwards."""

    text: str
    left: float
    right: float
    bottom: float
    size: float


def read_pdf(data: bytes) -> Draft:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        protected = "password" in str(error).lower()
        raise ArticleError("protected by a password" if protected else "damaged PDF file") from error
    try:
        pages = [list(_rows(page)) for page in document]
        properties = document.get_metadata_dict()
    finally:
        document.close()
    rows = [row for page in _without_margins(pages) for row in page]
    if not rows:
        raise ArticleError("no text in the PDF; it may be a scan")
    lines = list(_paragraphs(rows))
    draft = read_body(lines, Facts(title=_title(rows, lines, one_line(properties.get("Title")))))
    created = _DATE.match(properties.get("CreationDate") or "")
    stated = Facts(
        author=clean_author(clean_characters(properties.get("Author") or "")),
        published=parse_date("-".join(created.groups())) if created else None,
    )
    return Draft(draft.facts.or_else(stated), draft.text)


def _rows(page: PdfPage) -> Iterator[Row]:
    """The printed lines of a page, in the order of its content."""
    from pypdfium2 import raw

    text_page = page.get_textpage()
    characters: list[tuple[str, int]] = []
    for index in range(text_page.count_chars()):
        character = chr(raw.FPDFText_GetUnicode(text_page, index))
        if character not in "\r\n":
            characters.append((character, index))
        if character in ("\n", _HYPHEN):
            yield from _row(text_page, characters)
            characters = []
    yield from _row(text_page, characters)


def _row(text_page: PdfTextPage, characters: list[tuple[str, int]]) -> Iterator[Row]:
    text = "".join(character for character, _ in characters)
    hyphen = _HYPHEN if text.endswith(_HYPHEN) else ""
    visible = [index for character, index in characters if character.strip()]
    text = " ".join(clean_characters(text).split())
    if text and visible:
        boxes = [text_page.get_charbox(index, loose=True) for index in (visible[0], visible[len(visible) // 2], visible[-1])]
        size = median(top - bottom for _, bottom, _, top in boxes)
        yield Row(text + hyphen, boxes[0][0], boxes[-1][2], boxes[0][1], size)


def _without_margins(pages: list[list[Row]]) -> Iterator[list[Row]]:
    """The pages without page numbers, and without the headers and footers that come back on other pages."""
    margins = [{id(row) for row in _margin(page)} for page in pages]
    counts = Counter(
        pattern for page, margin in zip(pages, margins, strict=True) for pattern in {_pattern(row) for row in page if id(row) in margin}
    )
    often = max(2, 0.4 * len(pages))
    for page, margin in zip(pages, margins, strict=True):
        yield [row for row in page if id(row) not in margin or not (_PAGE_NUMBER.fullmatch(row.text) or counts[_pattern(row)] >= often)]


def _margin(page: list[Row]) -> list[Row]:
    by_height = sorted(page, key=lambda row: row.bottom)
    return by_height[:MARGIN_ROWS] + by_height[-MARGIN_ROWS:]


def _pattern(row: Row) -> str:
    """What stays the same in a header from page to page: "Page 7" -> "page #"."""
    return re.sub(r"\d+", "#", row.text.casefold())


def _paragraphs(rows: list[Row]) -> Iterator[Line]:
    """Rows joined while they run on: same size, same distance, no indent after a full stop."""
    words = set(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", " ".join(row.text for row in rows)))
    gaps = [a.bottom - b.bottom for a, b in zip(rows, rows[1:], strict=False) if 0 < a.bottom - b.bottom < 4 * a.size]
    pitch = (median(gaps) if gaps else 0.0) / median(row.size for row in rows)
    columns = _right_edges(rows)
    text, item = rows[0].text, False
    for before, row in zip(rows, rows[1:], strict=False):
        if _begins_paragraph(before, row, pitch, columns[_column(before)]):
            yield _line(text, item)
            item = bool(_ITEM.match(text))
            text = row.text
        else:
            text = _joined(text, row.text, words)
    yield _line(text, item)


def _column(row: Row) -> int:
    return round(row.left / 4)


def _right_edges(rows: list[Row]) -> dict[int, float]:
    """Column, by where its lines begin -> where its longest line ends."""
    edges: dict[int, float] = {}
    for row in rows:
        for column in (_column(row) - 1, _column(row), _column(row) + 1):
            edges[column] = max(edges.get(column, 0.0), row.right)
    return edges


def _begins_paragraph(before: Row, row: Row, pitch: float, right: float) -> bool:
    """`pitch`: usual distance of two rows, as a multiple of their size; `right`: where the longest row of the column ends."""
    ended = bool(_SENTENCE_END.search(before.text))
    gap = before.bottom - row.bottom
    if abs(row.size - before.size) > 0.15 * before.size or _ITEM.match(row.text):
        return True
    if gap <= 0:  # the next column or page
        return ended
    short = before.right < right - 0.15 * (right - before.left)
    return gap > 1.4 * pitch * row.size or (ended and (short or row.left > before.left + 0.5 * row.size))


def _joined(text: str, following: str, words: set[str]) -> str:
    """The hyphen between the two goes, unless the word is written with it elsewhere: "govern-", "ment" -> "government"."""
    if text.endswith((_HYPHEN, "-")) and following[0].islower():
        text = text[:-1]
        first, second = re.search(r"[^\W\d_]*$", text), re.match(r"[^\W\d_]*", following)
        halves = (first[0] if first else "", second[0] if second else "")
        keep = "-".join(halves) in words and "".join(halves) not in words
        return f"{text}{'-' if keep else ''}{following}"
    return f"{text.removesuffix(_HYPHEN)}-{following}" if text.endswith(_HYPHEN) else f"{text} {following}"


def _line(text: str, after_item: bool) -> Line:
    text = text.replace(_HYPHEN, "-")
    item = _ITEM.match(text)
    if item and not text[0].isdigit():
        text = _ITEM.sub("- ", text, count=1)
    return Line(text, opens=not (item and after_item), kind="item" if item else "text")


def _title(rows: list[Row], lines: list[Line], stated: str | None) -> str | None:
    """The title in the properties if the first page shows it, else what is printed largest there, else the stated one."""
    stated = stated if stated and not _NO_TITLE.search(stated) else None
    if stated and any(same_text(line.text, stated) for line in lines[:TITLE_ROWS]):
        return stated
    first = rows[:TITLE_ROWS]
    largest = max(first, key=lambda row: row.size)
    if largest.size > TITLE_SIZE * median(row.size for row in rows):
        at = first.index(largest)
        printed = next((line.text for line in lines if line.text.startswith(first[at].text.rstrip(_HYPHEN))), None)
        if printed and len(printed) < 250:
            return printed
    return stated
