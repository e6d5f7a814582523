"""What records and front matter say about an article, under any of the names that are in use."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from qa.reading.bylines import clean_author, parse_date
from qa.reading.decoding import clean_characters, one_line
from qa.reading.draft import Facts

NAMES = {
    "title": ("title", "headline"),
    "author": ("author", "authors", "byline", "by"),
    "published": ("published", "date", "pubdate", "publish_date", "published_at", "date_published", "publication_date", "created"),
    "url": ("url", "link", "canonical_url", "source_url", "original_url", "permalink", "source"),
    "site": ("site", "site_name", "publisher", "publication", "website", "source"),
    "language": ("language", "lang", "locale"),
}

MAX_NAMES = 100  # of authors
MAX_FRONT_MATTER = 20_000  # characters; what is longer between two rulers is text
MAX_FIELD = 1000  # characters of a line of it

_FENCED = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_SIMPLE = re.compile(r"""(\w[\w -]*?)\s*[:=]\s*["']?(.*?)["']?\s*""")


def read_front_matter(text: str) -> tuple[Facts, str]:
    """(what the YAML between two lines of "---" says, the text below it); broken YAML and TOML are read line by line."""
    match = _FENCED.match(text)
    if not match or len(match[2]) > MAX_FRONT_MATTER:
        return Facts(), text
    fields = _read_yaml(match[2]) or _read_lines(match[2])
    return (facts_from(fields), text[match.end() :]) if fields else (Facts(), text)


def facts_from(fields: dict[Any, Any]) -> Facts:
    """The facts in a record. A value of the wrong type says nothing."""
    known = {str(name).strip().lower().replace("-", "_").replace(" ", "_"): value for name, value in fields.items()}

    def values(kind: str) -> list[Any]:
        return [known[name] for name in NAMES[kind] if known.get(name)]

    return Facts(
        title=next(filter(None, map(one_line, values("title"))), None),
        author=next(filter(None, map(author_from, values("author"))), None),
        published=next(filter(None, map(parse_date, values("published"))), None),
        url=next(filter(None, map(web_address, values("url"))), None),
        site=next((site for site in map(one_line, values("site")) if site and "/" not in site), None),
        language=next(filter(None, map(one_line, values("language"))), None),
    )


def author_from(value: object) -> str | None:
    """Names from a string or a record with a `name`, or a list of these; what is nested deeper (YAML may hold itself) is none."""
    values = value[:MAX_NAMES] if isinstance(value, list) else [value]
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in values]
    authors = (clean_author(clean_characters(name)) for name in names if isinstance(name, str))
    return ", ".join(dict.fromkeys(filter(None, authors))) or None


def web_address(value: object) -> str | None:
    """The value if it is an http or https address."""
    text = one_line(value)
    try:
        host = urlsplit(text).hostname if text else None
    except ValueError:
        return None
    return text if text and host and text.lower().startswith(("http://", "https://")) else None


def _read_yaml(text: str) -> dict[Any, Any] | None:
    import yaml

    try:
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _read_lines(text: str) -> dict[Any, Any] | None:
    """`name: value` on most lines; else what stands between the two rulers is text."""
    lines = [line for line in text.split("\n") if line.strip()]
    simple = [found for line in lines if len(line) <= MAX_FIELD and (found := _SIMPLE.fullmatch(line))]
    return {found[1]: found[2] for found in simple} if 2 * len(simple) > len(lines) else None
