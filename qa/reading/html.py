"""A saved web page -> article, by trafilatura; of its text only the title, the byline and sure litter are taken out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from qa.reading import litter
from qa.reading.bylines import clean_author, parse_date, read_byline
from qa.reading.decoding import clean_characters, decode, one_line
from qa.reading.draft import Draft, Facts, Line, join
from qa.reading.head import is_author_note
from qa.reading.looks import is_prose, same_text
from qa.reading.metadata import web_address

# The page's own statements only: an extensive search would take "© 2019" for a date.
DATES = {"original_date": True, "extensive_search": False, "min_date": "1900-01-01"}
TITLE_LINES = 4  # in which the extraction may repeat the title, below a section's name
BLOCKS = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "title", "section", "article")

_LANGUAGE = re.compile(r"""<html\b[^>]*?\blang\s*=\s*["']?([A-Za-z-]{2,12})""", re.IGNORECASE)


def read_html(data: bytes) -> Draft:
    import trafilatura
    from trafilatura.metadata import extract_metadata

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it has to say, we say in a refusal
    html = decode(data)
    page: Any = trafilatura.bare_extraction(html, include_comments=False, with_metadata=True, date_extraction_params=DATES)
    meta = page or extract_metadata(html, date_config=DATES)
    text = (page.text if page else None) or trafilatura.html2txt(html) or bare_text(html)
    language = _LANGUAGE.search(html[:5000])
    facts = Facts(
        title=one_line(meta.title),
        author=clean_author(clean_characters(meta.author or "")),
        published=parse_date(meta.date),
        url=web_address(meta.url),
        site=one_line(meta.sitename),
        language=language[1] if language else None,
    )
    return _trim(list(_lines(clean_characters(text))), facts)


def bare_text(html: str) -> str:
    """All the text of a piece of HTML, with blank lines between its blocks."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]
    from lxml import html as parser

    try:
        tree = parser.fromstring(f"<div>{html}</div>")
    except (etree.ParserError, ValueError):
        return ""
    etree.strip_elements(tree, "script", "style", "noscript", etree.Comment, with_tail=False)
    for element in tree.iter(*BLOCKS):
        element.tail = f"\n\n{element.tail or ''}"
    return str(tree.text_content()).strip()


def _lines(text: str) -> Iterator[Line]:
    """trafilatura's text: a line for each paragraph, "- " before list items, bars around the cells of tables."""
    before = ""
    for line in filter(None, map(str.strip, text.split("\n"))):
        marker = re.match(r"\||- |\d+\. ", line)
        kind = marker[0][-1] if marker else ""
        if kind == "|":
            line = " | ".join(cell.strip() for cell in line.strip("|").split("|"))
        if re.search(r"\w", line):
            yield Line(line, opens=not kind or kind != before, kind="verbatim" if kind == "|" else "text")
        before = kind


def _trim(lines: list[Line], facts: Facts) -> Draft:
    """The lines without title and byline at the start and without what is litter wherever it stands."""
    lines = [line for line in lines if not litter.is_litter(line.text)]
    titles = [n for n, line in enumerate(lines[:TITLE_LINES]) if facts.title and same_text(line.text, facts.title)]
    if titles and not any(map(is_prose, lines[: titles[0]])):
        lines = lines[titles[0] + 1 :]
    found = Facts()
    for line in lines[:TITLE_LINES]:
        if byline := read_byline(line.text):
            found = found.or_else(Facts(author=byline.author, published=byline.published or byline.updated))
    lines = [line for n, line in enumerate(lines) if n >= TITLE_LINES or not read_byline(line.text)]
    facts = facts.or_else(found)
    if lines and is_author_note(lines[-1].text, facts.author):
        lines.pop()
    return Draft(facts, join(lines))
