"""The head of an article: what its first lines say about it, and where its text begins."""

from __future__ import annotations

import re
from datetime import date
from itertools import takewhile

from qa.reading import litter
from qa.reading.bylines import Byline, is_affiliation, read_byline
from qa.reading.draft import Facts, Line
from qa.reading.looks import SENTENCE_END, count_words, is_prose, is_title_like, same_text
from qa.reading.metadata import facts_from

HEAD_LINES = 60  # a title stands among the first lines or nowhere
LATE_BYLINES = 3  # paragraphs into the article that may come before a byline: a standfirst, a caption
TAIL_LINES = 12  # in which a signature, an author's note and the owner's name stand

_SECTION = re.compile(
    r"(?:(?:world|us|uk|local|breaking|latest) )?news|world|politics|opinion|sports?|business|tech(?:nology)?|science|health|"
    r"culture|arts|lifestyle|travel|environment|europe|asia|africa|americas|u\.?k\.?|u\.?s\.?a?\.?|(?:inter)?national|local|analysis|"
    r"comment|editorial|features?|exclusive|breaking|video|podcast|books|history|society|top stories|(?:the )?long read",
    re.IGNORECASE,
)
_HEADER_FIELD = re.compile(
    r"(title|headline|author|byline|date|published|publication date|source|publication|publisher|site|url|link|language)"
    r"\s*:\s+(\S.*)",
    re.IGNORECASE,
)
_BARE_LABEL = re.compile(r"\W*(?:by|published|posted|updated|last updated|first published|written by|author|date)\W*", re.IGNORECASE)
_ABOUT_AUTHOR = r"(?:(?:is|was) (?:an? |the |on |our |[A-Z])|writes|covers|reports|works|teaches|lives|edits|contributed)\b"


def read_head(lines: list[Line], stated: Facts) -> tuple[Facts, list[Line]]:
    """(what the first lines say where `stated` doesn't, the lines without those that said it)."""
    facts, lines = _read_header_fields(lines, stated)
    facts, lines = _read_title(lines, facts)
    return _read_bylines(lines, facts)


def is_author_note(text: str, author: str | None) -> bool:
    """ "Jane Doe writes about engineering." below an article by Jane Doe."""
    names = [re.escape(name) for name in (author or "").split(", ") if name]
    return bool(names) and bool(re.match(rf"\W*(?:{'|'.join(names)})\W+{_ABOUT_AUTHOR}", text))


def _read_header_fields(lines: list[Line], facts: Facts) -> tuple[Facts, list[Line]]:
    """ "Title: ...", "Author: ..." in the first lines, as in a saved e-mail."""
    matches = list(takewhile(bool, (_HEADER_FIELD.fullmatch(line.text.strip()) for line in lines[:HEAD_LINES])))
    fields = {match[1].lower(): match[2] for match in matches if match}
    if len(fields) > 1 or fields.keys() & {"title", "headline", "url"}:
        return facts.or_else(facts_from(fields)), lines[len(matches) :]
    return facts, lines


def _read_title(lines: list[Line], facts: Facts) -> tuple[Facts, list[Line]]:
    """Take the title's line out, and what stands above it and is no sentence: sections, menus, breadcrumbs."""
    if facts.title:
        repeated = [n for n, line in enumerate(lines[:HEAD_LINES]) if same_text(line.text, facts.title)]
        at = repeated[0] if repeated and not any(map(is_prose, lines[: repeated[0]])) else None
    else:
        at = _find_title(lines)
    if at is None:
        return facts, lines
    title = facts.title or _without_section(" ".join(lines[at].text.split()))
    above = [line for line in lines[:at] if is_prose(line) or read_byline(line.text)]
    below = [line for line in lines[at + 1 : at + 4] if not same_text(line.text, title)]
    return facts.or_else(Facts(title=title)), above + below + lines[at + 4 :]


def _find_title(lines: list[Line]) -> int | None:
    """Which line is the title: the first heading, else the first line that looks like one."""
    candidates: list[int] = []
    for number, line in enumerate(lines[:HEAD_LINES]):
        button = litter.is_edge_litter(line.text) and count_words(line.text) <= 3
        if litter.is_litter(line.text) or button or read_byline(line.text):
            continue
        if not is_title_like(line) or (candidates and count_words(line.text) >= 20):
            break
        candidates.append(number)
    headings = [number for number in candidates if lines[number].kind == "heading"]
    candidates = headings or candidates
    if not candidates or len(lines) == 1:
        return None
    titles = [n for n in candidates if not _is_kicker(n, candidates, lines)] or candidates
    full = [n for n in titles if count_words(lines[n].text) >= 4]
    menu = len(titles) >= 4 and count_words(lines[titles[0]].text) <= 2
    return full[0] if full and menu and not headings else titles[0]


def _without_section(title: str) -> str:
    """ "Opinion | The case for slow trains" -> "The case for slow trains", and so for a site's name behind the bar."""
    pieces = re.split(r"\s+[|»]\s+", title)
    long = [piece for piece in pieces if not _SECTION.fullmatch(piece)]
    while len(long) > 1 and count_words(long[-1]) <= 4 <= count_words(long[0]):
        long.pop()
    return " | ".join(long) or title


def _is_kicker(number: int, candidates: list[int], lines: list[Line]) -> bool:
    """Whether a line above the title names a section ("WORLD", "News | Europe") or the site, as litter at the end tells."""
    text = lines[number].text
    words = count_words(text)
    if all(_SECTION.fullmatch(part) for part in re.split(r"\s*[|/·•,&]\s*", text)):
        return True
    if words > 4 or not any(other > number and count_words(lines[other].text) >= 4 for other in candidates):
        return False
    ends = [line.text for line in lines[-TAIL_LINES:] if litter.is_edge_litter(line.text)]
    return (text.isupper() and words <= 2) or any(re.search(rf"\b{re.escape(text)}\b", end) for end in ends)


def _read_bylines(lines: list[Line], facts: Facts) -> tuple[Facts, list[Line]]:
    """Take out the lines around the first paragraphs that say who wrote the article and when."""
    kept: list[Line] = []
    found = Facts()
    updated: date | None = None
    prose = number = 0
    while number < min(len(lines), HEAD_LINES) and prose <= LATE_BYLINES:
        line = lines[number]
        byline, size = _byline_at(lines, number, strict=prose > 0)
        if byline:
            found = found.or_else(Facts(author=byline.author, published=byline.published, site=byline.site))
            updated = updated or byline.updated
        elif found.author and not prose and is_affiliation(line.text):
            size = 1
        else:
            prose += is_prose(line)
            kept.append(line)
        number += size
    return facts.or_else(found).or_else(Facts(published=updated)), kept + lines[number:]


def _byline_at(lines: list[Line], number: int, *, strict: bool) -> tuple[Byline | None, int]:
    """(the byline that begins on a line, how many lines it takes). `strict`: only if it says that it is one."""
    text = lines[number].text
    if lines[number].kind == "verbatim":
        return None, 1
    if number + 1 < len(lines) and _BARE_LABEL.fullmatch(text) and (byline := read_byline(f"{text} {lines[number + 1].text}")):
        return byline, 2
    byline = read_byline(text)
    if byline or strict:
        return (byline, 1) if byline and (not strict or byline.signed or byline.labelled) else (None, 1)
    beside = [_first_text(lines[:number][::-1]), _first_text(lines[number + 1 :])]
    near = [read_byline(other) for other in beside if other]
    dated = any(other and other.published and not other.author for other in near)
    name = read_byline(f"By {text}") if _looks_like_a_name(text) else None
    signed = name and any(is_author_note(line.text, name.author) for line in lines[-TAIL_LINES:])
    return (name if dated or signed else None), 1


def _first_text(lines: list[Line]) -> str | None:
    return next((line.text for line in lines[:6] if not litter.is_edge_litter(line.text)), None)


def _looks_like_a_name(text: str) -> bool:
    return 2 <= len(text.split()) <= 8 and not litter.is_edge_litter(text) and not SENTENCE_END.search(text)
