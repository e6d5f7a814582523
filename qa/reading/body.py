"""The article among the lines of a file: its title and byline at the head, its paragraphs, and what follows them.

Three signals decide, in this order: what a line says (`qa.reading.litter`, `qa.reading.bylines`), where it stands (before the first
sentence, after the last, in between) and how it looks (short and without a full stop, like a headline or a link). A
sentence in the middle of an article is never judged by its place or its looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from qa.reading import litter
from qa.reading.bylines import read_byline
from qa.reading.draft import Draft, Facts, Line, join
from qa.reading.head import TAIL_LINES, is_author_note, read_head
from qa.reading.looks import is_headline_case, is_link_like, is_prose

QUESTION_WORDS = 12  # of a headline that asks
MIN_PROSE = 3  # paragraphs that an article has, before loose lines at its end are taken for links

_REPORTING = re.compile(r"\(?(?:reporting|written|story) by ([^;)]+)", re.IGNORECASE)


def read_body(lines: Sequence[Line], stated: Facts) -> Draft:
    """The article's own text, and what the lines say about it where `stated` doesn't."""
    lines = [line for line in lines if line.text.strip()]
    facts, lines = read_head(lines, stated)
    facts, lines = _read_signature(lines, facts)
    lines = _drop_comments(lines)
    lines = _drop_litter(_without_credits(lines), facts.author)
    lines = _drop_loose_end(lines)
    return Draft(facts, join(lines))


def _read_signature(lines: list[Line], facts: Facts) -> tuple[Facts, list[Line]]:
    """Take out a byline below the article, and read who reported from a wire agency's last line."""
    kept = list(lines[:-TAIL_LINES])
    for line in lines[-TAIL_LINES:]:
        byline = read_byline(line.text)
        if byline and kept and (byline.signed or byline.labelled):
            facts = facts.or_else(Facts(author=byline.author, published=byline.published or byline.updated))
            continue
        reporting = _REPORTING.match(line.text)
        signed = read_byline(f"By {reporting[1]}") if reporting else None
        facts = facts.or_else(Facts(author=signed.author)) if signed else facts
        kept.append(line)
    return facts, kept


def _without_credits(lines: list[Line]) -> list[Line]:
    return [replace(line, text=litter.without_credit_at_end(line.text)) if line.kind == "text" else line for line in lines]


def _drop_comments(lines: list[Line]) -> list[Line]:
    """Cut at the heading of the readers' comments, if there are any below it."""
    first = next((number for number, line in enumerate(lines) if is_prose(line)), len(lines))
    last = max((number for number, line in enumerate(lines) if litter.is_comment_trace(line.text)), default=-1)
    headings = (number for number in range(first, last) if litter.is_comments_heading(lines[number].text))
    return lines[: next(headings, len(lines))]


def _drop_litter(lines: list[Line], author: str | None) -> list[Line]:
    """Drop litter, and lists of links below a heading that announces them."""
    drop = [
        line.kind != "verbatim"
        and (litter.is_litter(line.text) or (number >= len(lines) - TAIL_LINES and is_author_note(line.text, author)))
        for number, line in enumerate(lines)
    ]
    edge = [litter.is_edge_litter(line.text) and not _heads_prose(lines, number) for number, line in enumerate(lines)]
    number = 0
    while number < len(lines):
        links = _links_below(lines, number) if edge[number] and litter.is_related_heading(lines[number].text) else 0
        drop[number : number + 1 + links] = [True] * (1 + links) if links else [drop[number]]
        number += 1 + links
    for number, line in enumerate(lines):  # the rest of a box: "Sign up ..." above "News every Tuesday. Enter your e-mail."
        if number and drop[number - 1] and not line.opens and litter.without_calls_at_end(line.text) != line.text:
            drop[number] = True
    _spread(drop, edge)
    _spread_to_end(drop, lines)
    return _without(lines, drop)


def _heads_prose(lines: list[Line], number: int) -> bool:
    """Whether a line is no button but a heading of the text below it, or must stay as it is."""
    below = lines[number + 1 : number + 2]
    return lines[number].kind == "verbatim" or (lines[number].kind == "heading" and any(map(is_prose, below)))


def _links_below(lines: list[Line], heading: int) -> int:
    """How many lines below a heading such as "Related stories" belong to it."""
    end = first = heading + 1
    while end < len(lines) and (is_link_like(lines[end]) or _is_question_among_links(lines, end)):
        end += 1
    if end == len(lines):
        return end - first
    if end > first + 1 and lines[end - 1].opens and not lines[end - 1].link:
        end -= 1  # the last one is the heading of the text that follows
    return end - first if end > first + 1 or (end > first and (lines[first].link or not lines[first].opens)) else 0


def _is_question_among_links(lines: list[Line], number: int) -> bool:
    """ "Did Nero really fiddle?" in a list of headlines."""
    line, following = lines[number], lines[number + 1 : number + 2]
    asks = line.text.rstrip().endswith(("?", "!")) and len(line.text.split()) <= QUESTION_WORDS
    return asks and (not line.opens or any(map(is_link_like, following)))


def _spread(drop: list[bool], edge: list[bool]) -> None:
    """Edge litter goes where it touches the first line, the last line, other litter or other edge litter."""
    size = len(drop)
    for order in (range(size), range(size - 1, -1, -1)):
        for n in order:
            beside = [m for m in (n - 1, n + 1) if 0 <= m < size]
            if edge[n] and (len(beside) < 2 or any(drop[m] or edge[m] for m in beside)):
                drop[n] = True


def _spread_to_end(drop: list[bool], lines: list[Line]) -> None:
    """After the last sentence, everything that looks like links goes from the first litter on, and tags before it."""
    first = len(lines)
    while first > 0 and (drop[first - 1] or is_link_like(lines[first - 1])):
        first -= 1
    litter_at = next((n for n in range(first, len(lines)) if drop[n]), len(lines))
    while first < litter_at < len(lines) and _is_tag(lines[litter_at - 1]):
        litter_at -= 1
    for n in range(litter_at, len(lines)):
        drop[n] = drop[n] or lines[n].kind != "item" or lines[n].link


def _is_tag(line: Line) -> bool:
    return line.kind == "text" and len(line.text.split()) <= 2


def _drop_loose_end(lines: list[Line]) -> list[Line]:
    """Drop headings without text and three or more headlines at the end; cut calls to the reader off the last paragraph."""
    end = len(lines)
    while end and (lines[end - 1].kind == "heading" or (is_link_like(lines[end - 1]) and _is_loose(lines[end - 1]))):
        end -= 1
    headings = all(line.kind == "heading" for line in lines[end:])
    if end and (headings or len(lines) - end >= 3) and sum(map(is_prose, lines[:end])) >= (0 if headings else MIN_PROSE):
        lines = lines[:end]
    if lines and lines[-1].kind == "text":
        lines = [*lines[:-1], replace(lines[-1], text=litter.without_calls_at_end(lines[-1].text))]
    return lines


def _is_loose(line: Line) -> bool:
    return line.link or (line.kind == "text" and is_headline_case(line.text) and not re.search(r"\d", line.text))


def _without(lines: list[Line], drop: list[bool]) -> list[Line]:
    """The lines that stay; one whose paragraph lost its first line opens it now."""
    kept: list[Line] = []
    opens = False
    for line, dropped in zip(lines, drop, strict=True):
        opens = opens or line.opens
        if not dropped:
            kept.append(replace(line, opens=opens))
            opens = False
    return kept
