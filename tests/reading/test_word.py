"""Word documents, made here by python-docx."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import docx
import pytest

from qa.errors import ArticleError
from qa.reading import word
from qa.reading.draft import Facts
from qa.reading.word import read_docx


def _saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def test_document_becomes_facts_and_text() -> None:
    document = docx.Document()
    document.add_paragraph("The Bridge", style="Title")
    document.add_paragraph("By Jane Doe\n3 May 2012")
    document.add_paragraph("It opened in the rain. Two thousand people came to see it.")
    document.add_heading("Costs", level=1)
    document.add_paragraph("Shares", style="List Bullet")
    document.add_paragraph("Loans", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ["Year", "Riders", "1995", "3"], strict=True):
        cell.text = text
    document.add_paragraph("Nobody expected so many to come on the second day.")
    document.add_paragraph("Copyright 2012 The Courier")
    document.core_properties.author = "office-pc-7"
    document.core_properties.created = datetime(2020, 1, 1)
    draft = read_docx(_saved(document))
    assert (draft.facts.title, draft.facts.author, draft.facts.published) == ("The Bridge", "Jane Doe", date(2012, 5, 3))
    assert draft.text == (
        "It opened in the rain. Two thousand people came to see it.\n\n"
        "Costs\n\n"
        "- Shares\n- Loans\n\n"
        "Year | Riders\n1995 | 3\n\n"
        "Nobody expected so many to come on the second day."
    )


def test_properties_fill_what_the_text_leaves_open() -> None:
    document = docx.Document()
    document.add_paragraph("It opened in the rain. Two thousand people came to see it.")
    properties = document.core_properties
    properties.title, properties.author, properties.created = "The Bridge", "Jane Doe", datetime(2012, 5, 3)
    properties.language = "en-GB"
    assert read_docx(_saved(document)).facts == Facts("The Bridge", "Jane Doe", date(2012, 5, 3), language="en-GB")


def test_the_library_is_no_author() -> None:
    document = docx.Document()
    document.add_paragraph("It opened in the rain on a Monday.")
    assert read_docx(_saved(document)).facts.author is None


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ArticleError, match="not a Word document"):
        read_docx(b"It opened in the rain.")


def test_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "MAX_UNPACKED", 2**20)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(2**21))
    with pytest.raises(ArticleError, match="unpacks to 2 MiB; at most 1 MiB are read"):
        read_docx(file.getvalue())
