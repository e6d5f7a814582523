"""What passes between the steps of reading: lines, facts, and both together as a draft of an article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read, wrapped ones already joined. `opens`: it begins a paragraph. `link`: it is nothing but links."""

    text: str
    opens: bool = True
    kind: Literal["text", "heading", "item", "verbatim"] = "text"  # verbatim: code and rows of tables
    link: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about an article beside its text."""

    title: str | None = None
    author: str | None = None
    published: date | None = None
    url: str | None = None
    site: str | None = None
    language: str | None = None

    def or_else(self, other: Facts) -> Facts:
        """These facts, and the other's where one is missing."""
        return Facts(*(getattr(self, name) or getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Draft:
    """An article that has no identity yet."""

    facts: Facts
    text: str


def join(lines: Sequence[Line]) -> str:
    """The lines as text: a blank line between paragraphs."""
    return "".join(f"\n\n{line.text}" if line.opens else f"\n{line.text}" for line in lines).strip()
