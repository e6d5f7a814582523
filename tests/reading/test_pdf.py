"""PDFs, made here: lines to paragraphs, hyphens, headers, titles."""

from __future__ import annotations

from datetime import date

import pytest
from reading.pdf_files import Row, make_pdf

from qa.errors import ArticleError
from qa.reading.draft import Facts
from qa.reading.pdf import read_pdf


def _rows(top: float, *texts: str, left: float = 60, size: float = 11) -> list[Row]:
    return [(left, top - 14 * number, size, text) for number, text in enumerate(texts)]


PAGES = [
    [
        (60, 810, 8, "The Courier | May 2012"),
        *_rows(760, "The Bridge That", size=20),
        *_rows(736, "Nobody Wanted", size=20),
        *_rows(706, "By Jane Doe"),
        *_rows(686, "3 May 2012"),
        *_rows(
            650,
            "The bridge was opened in the rain on a Monday by the govern-",
            "ment of the day. Two thousand people came to see it, and the",
            "mayor (a well-known man) got wet.",
        ),
        *_rows(598, "It is 300 metres long. The engineers had asked for more money, but a well-"),
        *_rows(584, "known banker would not lend it, and so the"),
        (290, 30, 8, "Page 1"),
    ],
    [
        (60, 810, 8, "The Courier | May 2012"),
        *_rows(770, "second road was never built."),
        *_rows(740, "Costs", size=14),
        *_rows(715, "• Shares", "• Loans from the banks", "and from the town"),
        (290, 30, 8, "Page 2"),
    ],
]


def test_pages_become_facts_and_text() -> None:
    draft = read_pdf(make_pdf(PAGES, "/Author (office-pc) /CreationDate (D:20200101080000Z)"))
    assert draft.facts == Facts("The Bridge That Nobody Wanted", "Jane Doe", date(2012, 5, 3))
    assert draft.text == (
        "The bridge was opened in the rain on a Monday by the government of the day. Two thousand people came to see it, and the "
        "mayor (a well-known man) got wet.\n\n"
        "It is 300 metres long. The engineers had asked for more money, but a well-known banker would not lend it, and so the "
        "second road was never built.\n\n"
        "Costs\n\n"
        "- Shares\n- Loans from the banks and from the town"
    )


def test_properties_fill_what_the_pages_leave_open() -> None:
    page = _rows(700, "It opened in the rain on a Monday, and the mayor got wet.")
    draft = read_pdf(make_pdf([page], "/Title (The Bridge) /Author (Jane Doe) /CreationDate (D:20120503080000Z)"))
    assert draft.facts == Facts("The Bridge", "Jane Doe", date(2012, 5, 3))


@pytest.mark.parametrize("title", ["Microsoft Word - bridge.docx", "untitled", "bridge_final.indd"])
def test_file_names_are_no_titles(title: str) -> None:
    page = _rows(700, "It opened in the rain on a Monday, and the mayor got wet.")
    assert read_pdf(make_pdf([page], f"/Title ({title})")).facts.title is None


def test_scan_is_refused() -> None:
    with pytest.raises(ArticleError, match="no text in the PDF; it may be a scan"):
        read_pdf(make_pdf([[]]))


def test_damaged_file_is_refused() -> None:
    with pytest.raises(ArticleError, match="damaged PDF file"):
        read_pdf(b"%PDF-1.4\nnothing")


def test_encrypted_file_is_refused() -> None:
    key = "x" * 32
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O ({key}) /U ({key}) >> /ID [(a) (a)]"
    with pytest.raises(ArticleError, match="protected by a password"):
        read_pdf(make_pdf(PAGES, trailer=lock))
