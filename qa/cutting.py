"""An article cut into passages, with all that is computed from its text alone: wherever that is done, it comes out the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from qa import copies
from qa.config import Passages
from qa.datatypes import Article, Passage
from qa.encoder import Encoder
from qa.passages import Splitter


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the passages of an article stand, and the signature that finds its copies (see qa/copies.py)."""

    article: Article
    places: tuple[tuple[int, int], ...]
    signature: bytes

    def passages(self) -> list[Passage]:
        article = self.article
        return [Passage(article.id, start, end, article.text[start:end], article.title) for start, end in self.places]


def article_of(item: Article | Cut) -> Article:
    return item.article if isinstance(item, Cut) else item


class Cutter:
    """Cuts for one encoder."""

    def __init__(self, settings: Passages, encoder: Encoder) -> None:
        self._splitter = Splitter(encoder.token_offsets, settings.size, settings.overlap, encoder.max_tokens)
        self.splitting = splitting(settings, encoder)

    def cut(self, item: Article | Cut) -> Cut:
        """One that was cut already is as it is."""
        if isinstance(item, Cut):
            return item
        places = tuple((passage.start, passage.end) for passage in self._splitter.split(item))
        return Cut(item, places, copies.signature(item.text))


def splitting(settings: Passages, encoder: Encoder) -> str:
    """Stands for everything that decides where passages begin and end; the tokenizer by what it makes of a probe."""
    probe = "The encoder's own tokens: naïve Größe, 1,234.5 – 東京 antidisestablishmentarianism"
    parts = (settings.size, settings.overlap, encoder.max_tokens, encoder.token_offsets(probe))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
