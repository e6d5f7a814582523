"""A Word document -> article, by python-docx; what its text says about it goes before its properties."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qa.errors import ArticleError
from qa.reading.body import read_body
from qa.reading.bylines import clean_author, parse_date
from qa.reading.decoding import clean_characters, one_line
from qa.reading.draft import Draft, Facts, Line

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

MAX_UNPACKED = 256 * 2**20  # bytes; a .docx is a zip archive and may be a bomb


def read_docx(data: bytes) -> Draft:
    document = _open(data)
    styles = {style.style_id: style.name or "" for style in document.styles}
    titles = [one_line(block.text) for block in document.paragraphs if _style(block, styles) == "Title"]
    draft = read_body(list(_lines(document, styles)), Facts(title=next(filter(None, titles), None)))
    properties = document.core_properties
    author = clean_author(clean_characters(properties.author or ""))
    stated = Facts(
        title=one_line(properties.title),
        author=None if author == "python-docx" else author,  # what that library writes when nobody said
        published=parse_date(properties.created),
        language=one_line(properties.language),
    )
    return Draft(draft.facts.or_else(stated), draft.text)


def _open(data: bytes) -> Document:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ArticleError(f"not a Word document ({error})") from error
    if size > MAX_UNPACKED:
        raise ArticleError(f"unpacks to {size // 2**20} MiB; at most {MAX_UNPACKED // 2**20} MiB are read")
    return docx.Document(io.BytesIO(data))


def _lines(document: Document, styles: dict[str, str]) -> Iterator[Line]:
    from docx.table import Table

    after_item = False
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from _rows(block)
            after_item = False
        else:
            style = _style(block, styles)
            item = style.startswith("List")
            yield from _paragraph(block, style, opens=not (item and after_item))
            after_item = item


def _paragraph(block: Paragraph, style: str, *, opens: bool) -> Iterator[Line]:
    text = clean_characters(block.text)
    link = bool(text.strip()) and "".join(link.text for link in block.hyperlinks).strip() == text.strip()
    for number, line in enumerate(filter(None, (" ".join(part.split()) for part in text.split("\n")))):
        if style.startswith("List") and number == 0:
            yield Line(f"- {line}", opens=opens, kind="item", link=link)
        else:
            yield Line(line, opens=number == 0, kind="heading" if style.startswith(("Heading", "Title")) else "text", link=link)


def _rows(table: Table) -> Iterator[Line]:
    """A line for each row; cells that were merged are named once."""
    for number, row in enumerate(table.rows):
        cells = dict.fromkeys(filter(None, (one_line(cell.text) for cell in row.cells)))
        yield Line(" | ".join(cells), opens=number == 0, kind="verbatim")


def _style(block: Paragraph, styles: dict[str, str]) -> str:
    """Its name; "" for the default. `block.style` would search all styles for the default at each paragraph."""
    return styles.get(block._p.style or "", "")
