"""What a line looks like: a sentence, a title, a link. Only shapes; what the words mean is in `litter` and `bylines`."""

from __future__ import annotations

import re

from qa.reading import litter
from qa.reading.bylines import read_byline
from qa.reading.draft import Line

SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"”’»'）)\]]*$")
_OPEN_END = re.compile(r"[.:;,。][\"”’»')\]]*$")  # a headline ends in none of these


def is_prose(line: Line) -> bool:
    """Whether the line is text of the article beyond doubt: a sentence, or too long for anything else."""
    if line.kind == "verbatim":
        return True
    words = count_words(line.text)
    sentence = words >= 20 or (words >= 5 and SENTENCE_END.search(line.text))
    return bool(sentence) and not line.link and not litter.is_edge_litter(line.text) and not read_byline(line.text)


def is_title_like(line: Line) -> bool:
    text = line.text.strip()
    return line.kind != "verbatim" and len(text) <= 200 and count_words(text) <= 30 and not _OPEN_END.search(text)


def is_link_like(line: Line) -> bool:
    """Whether the line could be a link or a headline: short, and no full stop."""
    text = line.text.strip()
    if line.kind == "verbatim" or count_words(text) > 18 or _OPEN_END.search(text):
        return False
    return line.link or not SENTENCE_END.search(text) or line.kind == "item" or is_headline_case(text)


def is_headline_case(text: str) -> bool:
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", text) if len(word) > 3]
    return bool(words) and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


def count_words(text: str) -> int:
    """Words; for scripts that put no spaces between them, as many as their length suggests."""
    return max(len(text.split()), len(text) // 12)


def same_text(one: str, other: str) -> bool:
    """Equal but for case, white space and punctuation."""
    return re.sub(r"[\W_]+", "", one).casefold() == re.sub(r"[\W_]+", "", other).casefold()
