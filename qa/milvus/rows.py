"""Articles and passages <-> rows of the collections. Sizes are those of fields, in bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.database import folded
from qa.datatypes import Article, ArticleSummary, Filters, Passage
from qa.milvus.engine import Row
from qa.milvus.schema import LONGEST, NO_VECTOR
from qa.milvus.terms import terms

PIECE = 60_000  # of an article
SHOWN = 2_000  # characters of a title or name in lists
FILTERED = 2_000  # characters of a source or author's name that filters look at

HEAD = (
    "key", "id", "file", "splitting", "card", "source", "author", "version", "family", "signature", "number", "pieces", "passages",
    "published", "bands", "cuts",
)  # fmt: skip
BRIEF = tuple(name for name in HEAD if name not in ("signature", "bands"))
PASSAGE = ("number", "article", "version", "id", "title", "text", "first", "last")
STORED_PASSAGE = (*PASSAGE, "text_key", "words", "source", "author", "published")  # all but the vectors


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an article without its text. `cuts` are the marks of the passages that are whole."""

    key: str
    id: str
    file: str | None
    sha256: str
    version: str
    family: str
    number: int
    pieces: int
    passages: int
    cuts: tuple[str, ...]
    card: dict[str, Any]

    @classmethod
    def from_row(cls, row: Row) -> Head:
        card = json.loads(row["card"])
        return cls(
            row["key"], row["id"], row["file"] or None, card["sha256"], row["version"], row["family"], row["number"], row["pieces"],
            row["passages"], tuple(row["cuts"]), card,
        )  # fmt: skip

    def summary(self, copy_of: str | None) -> ArticleSummary:
        card = self.card
        return ArticleSummary(
            self.id, card["title"], card["author"], _date(card["published"]), card["source"], card["url"], card["path"], self.passages,
            self.sha256, copy_of,
        )  # fmt: skip


def article_key(article_id: str) -> str:
    """32 hex digits that stand for an id, however long it is and whatever it has in it."""
    return hashlib.blake2b(article_id.encode(), digest_size=16).hexdigest()


def pieces_of(article: Article) -> list[str]:
    """An article as JSON, cut into pieces that fit."""
    whole = json.dumps({**asdict(article), "published": article.published.isoformat() if article.published else None})
    return [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]  # ASCII, so that a character is a byte


def article_from(pieces: Iterable[str]) -> Article:
    facts = json.loads("".join(pieces))
    return Article(**{**facts, "published": _date(facts["published"])})


def version_of(pieces: Sequence[str]) -> str:
    return hashlib.blake2b("".join(pieces).encode(), digest_size=16).hexdigest()


def piece_keys(key: str, version: str, pieces: int) -> list[str]:
    return [f"{key}-{version}-{number}" for number in range(pieces)]


def piece_rows(key: str, version: str, pieces: Sequence[str]) -> list[Row]:
    names = piece_keys(key, version, len(pieces))
    return [
        {"key": name, "article": key, "version": version, "text": piece, "vector": NO_VECTOR} for name, piece in zip(names, pieces)
    ]


def head_row(
    article: Article, file: str | None, splitting: str, family: str, signature: bytes, bands: Sequence[int], *,
    version: str, number: int, pieces: int, passages: int, cuts: Sequence[str],
) -> Row:  # fmt: skip
    card: dict[str, Any] = {name: (getattr(article, name) or "")[:SHOWN] or None for name in ("author", "url", "path")}
    card |= {"title": article.title[:SHOWN], "source": article.source[:SHOWN], "sha256": article.sha256}
    card["published"] = article.published.isoformat() if article.published else None
    return {
        "key": article_key(article.id), "id": article.id, "file": file or "", "splitting": splitting, "card": json.dumps(card),
        "version": version, "family": family, "signature": signature.hex(), "bands": list(bands), "number": number,
        "pieces": pieces, "passages": passages, "cuts": list(cuts), "vector": NO_VECTOR, **_filtered(article),
    }  # fmt: skip


def passage_number(key: str, version: str, start: int, end: int) -> int:
    """63 bits made from what the passage is, so that writing it twice writes it once."""
    return int.from_bytes(hashlib.blake2b(f"{key}{version}{start}-{end}".encode(), digest_size=8).digest(), "big") >> 1


def passage_rows(
    article: Article, version: str, passages: Sequence[Passage], keys: Sequence[bytes], vectors: NDArray[np.float16]
) -> list[Row]:
    key, filtered = article_key(article.id), _filtered(article)
    title = article.title if len(article.title.encode()) <= LONGEST else ""
    return [
        {
            "number": passage_number(key, version, passage.start, passage.end), "article": key, "version": version, "text_key": name.hex(),
            "id": article.id, "first": passage.start, "last": passage.end, "title": title,
            "text": passage.text if title == article.title and len(passage.text.encode()) <= LONGEST else "",
            "words": cut_to(terms(f"{article.title} {passage.text}"), LONGEST), "vector": vector.astype(np.float32).tolist(), **filtered,
        }
        for passage, name, vector in zip(passages, keys, vectors, strict=True)
    ]  # fmt: skip


def condition(filters: Filters) -> str:
    """A filter expression of Milvus. An author's name with a character that has a meaning there lets more through; see `lets_through`."""
    conditions = []
    if filters.source:
        conditions.append(f"source == {quoted(_cut(filters.source))}")
    if filters.author:
        conditions.append(f"author like {quoted('%' + _wild(_cut(filters.author)) + '%')}")
    if filters.since:
        conditions.append(f"published >= {filters.since.toordinal()}")
    if filters.until:
        conditions.append(f"published > 0 and published <= {filters.until.toordinal()}")
    return " and ".join(conditions)


def lets_through(filters: Filters, row: Row) -> bool:
    return not filters.author or _cut(filters.author) in row["author"]


def quoted(text: str) -> str:
    """A literal of Milvus's expressions."""
    return json.dumps(text, ensure_ascii=False)


def listed(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, values)) + "]"


def cut_to(text: str, size: int) -> str:
    """The first `size` bytes, whole characters."""
    return text.encode()[:size].decode(errors="ignore")


def _filtered(article: Article) -> Row:
    published = article.published.toordinal() if article.published else 0
    return {"source": _cut(article.source), "author": _cut(article.author or ""), "published": published}


def _cut(name: str) -> str:
    return (folded(name) or "")[:FILTERED]


def _wild(text: str) -> str:
    return "".join("_" if letter in "%_\\" else letter for letter in text)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
