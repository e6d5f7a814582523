"""An article cut into passages: windows of whole sentences, of at most so many of the encoder's tokens.

Whole paragraphs are kept together while they fit. A paragraph that is longer than a passage is cut between sentences, and
the next window repeats its last sentences (`overlap`), so that what two sentences say together stays together somewhere. A
sentence longer than a passage is cut between words, a word longer than that between tokens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qa.datatypes import Article, Passage
from qa.sentences import Offsets, paragraph_spans, sentence_spans

SPECIAL_TOKENS = 4  # the model's own, at both ends, and what joins title and text
LONG_TOKEN = 32  # characters
TITLE_CHARACTERS = 200  # of a title that goes with each passage

TokenOffsets = Callable[[str], list[Offsets]]


@dataclass(frozen=True, slots=True)
class Splitter:
    """How to cut: `size` and `overlap` in tokens as `token_offsets` counts them; `max_tokens` is all the encoder can read."""

    token_offsets: TokenOffsets
    size: int
    overlap: int
    max_tokens: int

    def split(self, article: Article) -> list[Passage]:
        """The passages of an article, in order; none when its text is blank."""
        counter = TokenCounter(article.text, self.token_offsets(article.text))
        title = article.title[:TITLE_CHARACTERS]
        room = self.max_tokens - SPECIAL_TOKENS - len(self.token_offsets(title))
        limit = max(8, min(self.size, room))
        paragraphs = list(_paragraphs(article, counter, limit))
        return [
            Passage(article.id, start, end, article.text[start:end], article.title)
            for start, end in _windows(paragraphs, counter, limit, min(self.overlap, limit // 2))
        ]


class TokenCounter:
    """Counts the tokens between two places of a text that was tokenised once.

    A token of many characters (a tokenizer may call a whole data URL "unknown") counts once per `LONG_TOKEN` characters.
    White space at a token's start, which byte-level tokenizers put there, is not part of it.
    """

    def __init__(self, text: str, offsets: list[Offsets]) -> None:
        words = (_stripped(text, start, end) for start, end in offsets)
        self.starts = [at for start, end in words for at in range(start, max(end, start + 1), LONG_TOKEN)]

    def count(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)


def embedding_text(title: str, text: str) -> str:
    """What the encoder reads of a passage: its title goes with it, though not into quotes."""
    return f"{title[:TITLE_CHARACTERS]}\n{text}" if title else text


def _stripped(text: str, start: int, end: int) -> Offsets:
    while start < end - 1 and text[start].isspace():
        start += 1
    return start, end


def _paragraphs(article: Article, counter: TokenCounter, limit: int) -> Iterator[list[Offsets]]:
    """Each paragraph as its sentences, none of them longer than `limit` tokens."""
    for start, end in paragraph_spans(article.text):
        spans = sentence_spans(article.text[start:end], article.language)
        yield [piece for first, last in spans for piece in _cut(article.text, (start + first, start + last), counter, limit)]


def _cut(text: str, sentence: Offsets, counter: TokenCounter, limit: int) -> Iterator[Offsets]:
    """A sentence in pieces of at most `limit` tokens, cut before a word where there is one."""
    start, end = sentence
    while counter.count(start, end) > limit:
        first = bisect_left(counter.starts, start)
        ahead = [at for at in counter.starts[first + limit // 2 + 1 : first + limit + 1] if at > start]
        words = [at for at in ahead if text[at - 1].isspace()]
        cut = (words or ahead or counter.starts[bisect_right(counter.starts, start) :][:1] or [end])[-1]
        if cut >= end:  # one character of more tokens than a passage
            break
        yield start, start + len(text[start:cut].rstrip())
        start = cut
    yield start, end


def _windows(paragraphs: list[list[Offsets]], counter: TokenCounter, limit: int, overlap: int) -> Iterator[Offsets]:
    """Greedy windows: whole paragraphs while they fit, else sentences of one paragraph with overlap."""
    window: list[Offsets] = []

    def fits(pieces: list[Offsets]) -> bool:
        return counter.count((window or pieces)[0][0], pieces[-1][1]) <= limit

    for paragraph in paragraphs:
        if window and not fits(paragraph):
            yield window[0][0], window[-1][1]
            window = []
        for piece in paragraph:
            if window and not fits([piece]):
                yield window[0][0], window[-1][1]
                window = _tail(window, counter, overlap)
                if not fits([piece]):
                    window = []
            window.append(piece)
    if window:
        yield window[0][0], window[-1][1]


def _tail(window: list[Offsets], counter: TokenCounter, overlap: int) -> list[Offsets]:
    """The last sentences of a window that together have at most `overlap` tokens."""
    return [piece for piece in window[1:] if counter.count(piece[0], window[-1][1]) <= overlap]
