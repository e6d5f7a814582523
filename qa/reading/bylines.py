"""Who wrote an article and when, read from a line such as "By Jane Doe | 3 March 2021".

A line is a byline only as a whole: once its dates, times and labels ("Published on", "5 min read") are taken out, nothing
may be left but names. A date must be unambiguous: 03/04/2021 is nobody's date. Which lines to ask about is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

MAX_WORDS = 30  # of a byline; authors, their roles, two dates
MAX_LENGTH = 250  # characters of a byline
MAX_FOREIGN = 100  # characters of a line in which a date in another language is looked for
MAX_NAME_WORDS = 5
MAX_AUTHORS = 1000  # characters of a metadata field that names authors

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})(?P<cut>[-/.])(?P<number>\d{1,2})(?P=cut)(?P<day>\d{1,2})(?!\d)",  # 2021-03-04T05:00
        rf"\b{_MONTH}\s*{_DAY},?\s+(?P<year>\d{{4}})\b",  # March 4th, 2021
        rf"(?<!\d){_DAY}\.?(?:\s+of)?[\s-]+{_MONTH},?[\s-]+(?P<year>\d{{4}})\b",  # 4 March 2021
        r"(?<!\d)(?P<day>\d{1,2})\.\s?(?P<number>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)",  # 04.03.2021, day first by custom
        r"(?<!\d)(?P<day>\d{1,2})[/-](?P<number>\d{1,2})[/-](?P<year>\d{4})(?!\d)",  # either order: see _as_date
    )
]

_FOREIGN_DATE = re.compile(r"\b\d{1,2}\.?\s+(?:de\s+)?[^\W\d]{3,12}\.?\s+(?:de\s+)?\d{4}\b")  # 4. März 2021, 4 de marzo de 2021

# What may stand beside names and dates in a byline, and says nothing more.
_WEEKDAY = r"\b(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?\b\.?,?"
_CLOCK = (
    r"(?:\bT|\b)\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:[ap]\.?m\b\.?)?|\b\d{1,2}\s*[ap]\.?m\b\.?|"
    r"\(?\b\d{4}(?=\s+[A-Z]{3}\b)"
)
_ZONE = r"(?:\b|(?<=\d))(?:GMT|UTC|BST|CES?T|[ECMPAI][SD]?T|AES?T|HKT|JST|Z)\b|[+-]\d{2}:?\d{2}\b"
_UPDATED = r"\b(?:last\s+|was\s+)?(?:updated|modified|revised|edited)\b(?:\s+on|\s+at)?\s*:?"
_PUBLISHED = (
    r"\b(?:this (?:article|story|post) was\s+)?(?:first\s+|originally\s+)?"
    r"(?:published|posted|created|released|issued|date|dateline)\b(?:\s+on|\s+at)?\s*:?"
)
_LENGTH = r"\b(?:estimated\s+)?(?:reading time:?\s*)?\d+\s*-?\s*min(?:ute)?s?\b(?:\s+read)?|\b\d+\s+(?:hours?|days?)\s+ago\b"
_COUNT = r"\b(?:\d+|no) comments?\b|\bleave a comment\b"
_NOISE = re.compile(f"{_WEEKDAY}|{_CLOCK}|{_LENGTH}|{_COUNT}|(?-i:{_ZONE})", re.IGNORECASE)
_LABEL = re.compile(f"(?P<updated>{_UPDATED})|{_PUBLISHED}", re.IGNORECASE)
_BY = re.compile(
    r"^\W*(?:(?:written|words|posted|published|story|text|article|report)\s+by\b|by\b|authors?\s*:|"
    r"(?-i:(?:Von|Par|Por|Di|Door|Texte? (?:de|von))\b))[\s:]*",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"\bby\b|\bauthors?\s*:|^\W*(?:Von|Par|Por|Di|Door|Text)\b", re.IGNORECASE)
_EMPTY_BY = re.compile(r"\W*by\W*", re.IGNORECASE)
_USER_NAME = re.compile(r"[\w.-]+[\s|]*")  # of a blog: "Posted by jane on July 3, 2020"
_LOOSE_WORD = re.compile(r"\b(?:on|at|by|am|le|el|op)\b\s*(?=\||$)", re.IGNORECASE)  # what stood before a date
_SEPARATOR = re.compile(r"\s*[|·•\u2022‧/]\s*|\s+[–—-]+\s+|\s*;\s*")
_BETWEEN_NAMES = re.compile(r"\s*,\s*(?:and\s+|&\s*)?|\s+(?:and|&|und|et|y)\s+", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s+(?:in|for|of|at|from|with)\s+(?=[A-Z]|the\s).*$|\s*\(.*\)$|(?:^|\s+)<?[^\s@]+@\S*$|\s+@\w+$")

_PARTICLES = re.compile(r"van|von|der|den|de|del|della|di|da|du|la|le|bin|ibn|al|el|y|zu|zur|ter|ten|dos|das|af|av|e")
_ROLE = re.compile(
    r"\b(?:correspondents?|editors?|reporters?|writers?|columnists?|contributors?|bureau|chief|analyst|professor|author|"
    r"journalist|staff|desk|team|fellow|critic|producer|director|blogger|freelance|special|guest|opinion|ph\.?d|m\.?d)\b",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    r"\b(?:press|news|newsroom|reuters|bloomberg|cnn|bbc|npr|ap|afp|dpa|upi|times|post|guardian|review|chronicle|herald|tribune|"
    r"gazette|observer|telegraph|standard|economist|courier|quarterly|monthly|magazine|journal|agency|"
    r"media|network|daily|weekly|university|institute|foundation|associates|board|wire|service|services)\b",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|day|night|then|now|here|there|it|the|an?|this|that|his|her|their|our|your|my|its|all|no|not|what|when|where|why|how|who",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Byline:
    """What a byline says. `updated` is the date of the last change; `labelled` when a word said what the date is."""

    author: str | None = None
    published: date | None = None
    updated: date | None = None
    site: str | None = None
    labelled: bool = False
    signed: bool = False  # begins with "By", even where the name is missing


def parse_date(value: object) -> date | None:
    """The day that a metadata field names, in any language; None when it names none, or could be two."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.search(r"\d{4}", value) or len(value) > 100:
        return None
    dates = _find_dates(value)
    if dates:
        return dates[0][0]
    return None if re.fullmatch(r"[\W\d]*", value) else _parse_foreign_date(value)


def read_byline(line: str) -> Byline | None:
    """The line as a byline, or None when it says anything else.

    "By Jane Doe, Science Editor | Published 3 March 2021" -> Byline("Jane Doe", date(2021, 3, 3), ...)
    """
    return _read_byline(line) if 1 <= len(line) <= MAX_LENGTH and len(line.split()) <= MAX_WORDS else None


@lru_cache(maxsize=4096)  # a line is asked about several times
def _read_byline(line: str) -> Byline | None:
    dates = _find_dates(line)
    if not dates and not _SIGNED.search(line):
        return None
    text = line
    for _, start, end in reversed(dates):
        text = f"{text[:start]} | {text[end:]}"
    labelled = bool(_LABEL.search(text))
    signed, names = _without_signature(text)
    author, site, understood = _read_names(names, alone=signed)
    if not understood and signed and dates and _USER_NAME.fullmatch(names):
        author, understood = names.strip(" |"), True
    says_something = author or dates or (signed and (labelled or _EMPTY_BY.fullmatch(line)))
    if not understood or not (signed or dates) or not says_something:
        return None
    published, updated = _sort_dates(line, dates)
    return Byline(author, published, updated, site, labelled, signed)


def _without_signature(text: str) -> tuple[bool, str]:
    """(whether the text is signed, what is left of it without "By", labels and times)."""
    before = _BY.match(text)  # "Posted by" signs; without this the label would go first and leave a bare "by"
    rest = _LABEL.sub(" | ", _NOISE.sub(" ", text[before.end() :] if before else text))
    rest = _LOOSE_WORD.sub(" ", rest).lstrip(" |")
    return bool(before or _BY.match(rest)), _BY.sub("", rest)


def is_affiliation(line: str) -> bool:
    """Whether the line says nothing but what the author does and for whom: "Science correspondent, BBC News"."""
    if len(line) > MAX_LENGTH or len(line.split()) > 10 or line.rstrip().endswith("."):
        return False
    parts = [part for part in re.split(r"\s*[,|]\s*", line.strip()) if part]
    return (
        all(_ROLE.search(part) or _ORGANISATION.search(part) for part in parts)
    )


def clean_author(value: str) -> str | None:
    """A name list from a metadata field, tidied: "By Jane Doe; JOHN SMITH" -> "Jane Doe, John Smith"."""
    if len(value) > MAX_AUTHORS:
        return None
    value = _BY.sub("", " ".join(value.split()))
    pieces = [_AFTER_NAME.sub("", piece).strip(" ,;") for piece in re.split(r"\s*[;|]\s*", value)]
    names = [_normal_case(piece) for piece in pieces if piece and not piece.startswith(("http", "@"))]
    return ", ".join(dict.fromkeys(names)) or None


def _find_dates(text: str) -> list[tuple[date, int, int]]:
    """(day, start, end) of every date with a day, in the order of the text."""
    found: list[tuple[date, int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day = _as_date(match)
            if day and not any(start < match.end() and match.start() < end for _, start, end in found):
                found.append((day, *match.span()))
    if not found and len(text) <= MAX_FOREIGN and (foreign := _FOREIGN_DATE.search(text)) and (named := _parse_foreign_date(foreign[0])):
        found.append((named, *foreign.span()))
    return sorted(found, key=lambda item: item[1])


def _as_date(match: re.Match[str]) -> date | None:
    parts = match.groupdict()
    day, year = int(parts["day"]), int(parts["year"])
    if parts.get("month"):
        month = _MONTHS.index(parts["month"][:3].lower()) + 1
    else:
        month = int(parts["number"])
        if "cut" not in parts and "." not in match[0]:  # 7/13/2016 can only be read one way, 3/4/2021 in two
            if day <= 12 and month <= 12 and day != month:
                return None
            day, month = (month, day) if month > 12 else (day, month)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _parse_foreign_date(value: str) -> date | None:
    """A date written out in a language other than English, by dateparser (slow to import and to run)."""
    import dateparser  # type: ignore[import-untyped,unused-ignore]

    settings = {"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]}
    try:
        found = dateparser.parse(value, settings=settings)
    except (ValueError, OverflowError, RecursionError):
        return None
    return found.date() if found else None


def _sort_dates(line: str, dates: list[tuple[date, int, int]]) -> tuple[date | None, date | None]:
    """(published, updated): each date is what the nearest label before it says, and published without one."""
    published = updated = None
    for day, start, _ in dates:
        labels = list(_LABEL.finditer(line, 0, start))
        if labels and labels[-1]["updated"]:
            updated = updated or day
        else:
            published = published or day
    return published, updated


def _read_names(text: str, *, alone: bool) -> tuple[str | None, str | None, bool]:
    """(author, organisation, whether all of the text was understood). `alone`: a single word will do as a name."""
    names: list[str] = []
    organisations: list[str] = []
    for piece in filter(None, (piece.strip(" ,.:()-–—\u200b") for piece in _SEPARATOR.split(text))):
        for part in filter(None, _BETWEEN_NAMES.split(_AFTER_NAME.sub("", piece))):
            if names and re.fullmatch(r"(?:jr|sr|ii|iii|iv)\.?", part, re.IGNORECASE):
                names[-1] += f", {part}"
            elif _ROLE.search(part) and len(part.split()) <= 8:
                if part[0].isupper() and not names:
                    organisations.append(part)  # "By Staff Writer"
            elif _ORGANISATION.search(part) and len(part.split()) <= 6 and part[:1].isupper():
                organisations.append(part)
            elif _is_name(part, single=alone and not names):
                names.append(_normal_case(part))
            elif names and _is_name(part, single=True):
                continue  # "By Bianca Sartori, Venice"
            else:
                return None, None, False
    author = ", ".join(names) or (organisations[0] if organisations and alone else None)
    return author, (organisations[0] if organisations else None), True


def _is_name(text: str, *, single: bool) -> bool:
    words = text.replace("’", "'").split()
    if not (1 if single else 2) <= len(words) <= MAX_NAME_WORDS or _NOT_A_NAME.fullmatch(words[0]):
        return False
    return all(
        _PARTICLES.fullmatch(word) or (word[0].isupper() or not word[0].islower()) and re.fullmatch(r"[^\W\d_][\w'.-]*", word)
        for word in words
    )


def _normal_case(name: str) -> str:
    """ "JANE DOE" -> "Jane Doe"; anything else stays."""
    loud = name.isupper() and len(name.split()) > 1 and not _ORGANISATION.search(name)
    return name.title() if loud else name
