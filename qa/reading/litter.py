"""Which lines of a copied web page are not the article: share buttons, newsletter boxes, copyright, related links ...

A rule matches a whole line, or each sentence of it, never a part: "Follow Jane Doe on Twitter" is litter, "Follow the money,
he said." is not. Only what a line says is judged here; where it stands, and what that makes of it, is up to `qa.reading.body`.
The rules are in `qa.reading.litter_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from qa.reading.litter_rules import BOXES, CALLS, COMMENT_TRACES, COMMENTS, CREDITS, EDGES, LABELS, NOTICES, RELATED, Rule

MAX_LENGTH = 400  # characters; anything longer is prose

# Speech or a verb of the past: then a sentence that opens like a call to the reader is a sentence of the article.
NARRATIVE = re.compile(
    r"\b(?:was|were|had|has|said|says|told|began|rose|fell|came|went|became|made|took|wrote|writes|argued|argues|"
    r"added|asked|claimed|according to|showed|he|she)\b|[“”\"«»]",
    re.IGNORECASE,
)


def _compile(rules: list[Rule], end: str = r"[\s.!…]*") -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(f"(?:{rule.pattern})" for rule in rules) + ")" + end, re.IGNORECASE)


_CALL, _BOX, _NOTICE = map(_compile, (CALLS, BOXES, NOTICES))
_EDGE = _compile(EDGES, r"\s*")  # no full stop: it would be a sentence
_RELATED_HEADING = _compile(RELATED, r"\s*:?\s*")
_COMMENTS, _COMMENT_TRACE = _compile(COMMENTS), _compile(COMMENT_TRACES)
_LABEL = _compile(LABELS, r"(?<![.!,;])\s*")
_CREDIT = _compile(CREDITS, r"(?<![.!,;])\s*")
_MARKER = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")  # of a list item
_LOST_BREAK = re.compile(  # "... on TwitterSend tips ...": two lines that lost the break between them
    r"(?<=[a-z\]).])(?=(?:Follow|Send|Share|Subscribe|Sign up|Sign in|Log in|Copyright|Like|Read more|Print|Tweet|Email|Click|"
    r"Advertisement)\b)"
)
_SENTENCE_END = re.compile(  # not after "U.S.", "Inc." and their like
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\bInc\.)(?<!\bLtd\.)(?<!\bCo\.)(?<!\bCorp\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)"
    r"[\"”’)\]]*\s+(?=[\"“‘(\[]?[^\Wa-z])"
)


def is_litter(line: str) -> bool:
    """Whether the line is litter wherever it stands."""
    return _is_litter(_MARKER.sub("", line.strip())) if len(line) <= MAX_LENGTH else not re.search(r"\w", line)


def is_edge_litter(line: str) -> bool:
    """Whether the line is litter if it stands at the edge of the page or beside other litter."""
    return is_litter(line) or (len(line) <= MAX_LENGTH and _is_edge_litter(_MARKER.sub("", line.strip())))


def is_related_heading(line: str) -> bool:
    """Whether links to other articles follow: "You may also like", "More from The Stream"."""
    return len(line) <= MAX_LENGTH and bool(_RELATED_HEADING.fullmatch(line.strip()))


def is_comments_heading(line: str) -> bool:
    """Whether readers' comments may follow: "12 Comments"."""
    return len(line) <= MAX_LENGTH and bool(_COMMENTS.fullmatch(line.strip()))


def is_comment_trace(line: str) -> bool:
    """Whether the line comes with a reader's comment: "Reply", "Jane says:"."""
    return len(line) <= MAX_LENGTH and bool(_COMMENT_TRACE.fullmatch(line.strip()))


def without_calls_at_end(paragraph: str) -> str:
    """The paragraph less the calls to the reader that end it: "It rained. Follow Jane on Twitter." -> "It rained." """
    return _without_end(paragraph, _is_call)


def without_credit_at_end(paragraph: str) -> str:
    """A caption less its credit: "The gates in a test. Photograph: Ana Silva" -> "The gates in a test." """
    return _without_end(paragraph, _is_credit)


def sentences(line: str) -> list[str]:
    """Rough sentences, good enough to judge litter by; `qa.sentences` has the real ones."""
    return [part for chunk in _LOST_BREAK.split(line) for part in _SENTENCE_END.split(chunk) if part.strip()]


@lru_cache(maxsize=4096)  # a line is asked about several times
def _is_litter(line: str) -> bool:
    words = line.split()
    buttons = re.split(r"\s*[|·•]\s*", line)
    return (
        not re.search(r"\w", line)  # an ornament: * * *
        or all(_is_call(part) or _is_notice(part) or _is_credit(part) for part in sentences(line))
        or bool(_BOX.fullmatch(line) and not NARRATIVE.search(line))
        or (len(buttons) > 1 and all(is_edge_litter(button) for button in buttons))
        or (len(words) > 2 and all(map(_EDGE.fullmatch, words)))  # a menu in one line
    )


@lru_cache(maxsize=4096)
def _is_edge_litter(line: str) -> bool:
    return is_related_heading(line) or all(map(_EDGE.fullmatch, sentences(line)))


def _without_end(paragraph: str, is_litter_here: Callable[[str], bool]) -> str:
    parts = sentences(paragraph)
    end = len(paragraph)
    while len(parts) > 1 and is_litter_here(parts[-1]):
        end = paragraph.rindex(parts.pop(), 0, end)
    return paragraph[:end].rstrip() if end < len(paragraph) else paragraph


def _is_call(sentence: str) -> bool:
    sentence = sentence.strip()
    return len(sentence) <= MAX_LENGTH and bool(_CALL.fullmatch(sentence)) and not NARRATIVE.search(sentence)


def _is_notice(sentence: str) -> bool:
    return bool(_NOTICE.fullmatch(sentence.strip()) or _LABEL.fullmatch(sentence.strip()))


def _is_credit(sentence: str) -> bool:
    return len(sentence) <= MAX_LENGTH and bool(_CREDIT.fullmatch(sentence.strip()))
