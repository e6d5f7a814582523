"""Ragged spans to whole units by rule: cut words and numbers, half dates, dangling articles, open quotes and brackets.

Works on offsets in a text and never changes a character. What a span says is left alone: no rule adds a clause or
drops a content word. The measured effect of each rule stands in `training/README.md`.
"""

from __future__ import annotations

import re

REACH = 40  # characters within which a bracket or quotation mark is closed; farther off, it is dropped instead

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
REST_OF_DATE = re.compile(rf"(?<!\w)(?:{MONTH})(?P<rest> \d{{1,2}}(?!\d|\s?[–-]\s?\d)(?:, \d{{4}}\b)?| \d{{4}}\b)")
DAY_BEFORE_MONTH = re.compile(r"(?<![\d,.])\d{1,2} $")
UNIT_AFTER_NUMBER = re.compile(r"\s?%|[ -](?:hundred|thousand|million|billion|trillion|percent|per cent)\b")
DANGLING = re.compile(r"(?:[\s,;:–—-]+|\s(?:the|a|an|of|and|or))+$", re.IGNORECASE)
LEADING = re.compile(r"^(?:[\s,;:.!?)\]–—]+)")
QUOTES = '"”'
BRACKETS = {"(": ")", "[": "]", "“": "”"}


def mend(text: str, start: int, end: int, first: int = 0, last: int | None = None) -> tuple[int, int]:
    """The span `text[start:end]` made whole, within `text[first:last]`. A span that would vanish is returned as it was.

    >>> text = 'He died on May 5, 1821 (aged 51).'
    >>> text[slice(*mend(text, 11, 14))]
    'May 5, 1821'
    """
    last = len(text) if last is None else last
    if start >= end:
        return start, end
    begin, stop = _whole_words(text, start, end, first, last)
    begin, stop = _whole_numbers(text, begin, stop, first, last)
    begin, stop = _whole_dates(text, begin, stop, first, last)
    begin, stop = _balanced(text, begin, stop, first, last)
    begin, stop = _trimmed(text, begin, stop)
    return (begin, stop) if begin < stop else (start, end)


def _whole_words(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    while first < start < last and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < last and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return start, end


def _whole_numbers(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    """Digits cut at a separator ("1" of "1,250.5"), a currency sign before, a unit after."""
    while start - 2 >= first and re.match(r"\d[.,]\d", text[start - 2 : start + 1]):
        start -= 2
        while start > first and text[start - 1].isdigit():
            start -= 1
    while end + 1 < last and re.match(r"\d[.,]\d", text[end - 1 : end + 2]):
        end += 2
        while end < last and text[end].isdigit():
            end += 1
    if start > first and text[start].isdigit() and text[start - 1] in "$£€¥":
        start -= 1
    unit = UNIT_AFTER_NUMBER.match(text, end, last) if end > start and text[end - 1].isdigit() else None
    return start, unit.end() if unit else end


def _whole_dates(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    """ "May" or "May 5" grows to "May 5, 1821"; "May 1821" to "5 May 1821". A year alone is an answer of its own."""
    for date in REST_OF_DATE.finditer(text, start, last):
        if date.start() >= end:
            break
        if date.start("rest") <= end < date.end():
            end = date.end()
    if re.match(rf"(?:{MONTH})\b", text[start:end]):
        day = DAY_BEFORE_MONTH.search(text, max(first, start - 4), start)
        start = day.start() if day else start
    return start, end


def _balanced(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    for opening, closing in BRACKETS.items():
        span = text[start:end]
        if span.count(opening) > span.count(closing):
            start, end = _closed(text, start, end, last, start + span.rfind(opening), closing)
        elif span.count(closing) > span.count(opening):
            start, end = _opened(text, start, end, first, start + span.find(closing), opening)
    if text.count('"', start, end) % 2:
        quote = text.find('"', start, end)
        # An even number of marks since the passage began: this one opens.
        if text.count('"', first, quote) % 2 == 0:
            start, end = _closed(text, start, end, last, text.rfind('"', start, end), '"')
        else:
            start, end = _opened(text, start, end, first, quote, '"')
    return start, end


def _closed(text: str, start: int, end: int, last: int, opening: int, closing: str) -> tuple[int, int]:
    """Without a bracket that the span begins with; else up to its closing one, if near; else cut before it."""
    found = text.find(closing, end, min(last, end + REACH))
    if opening == start:
        return start + 1, end
    if found >= 0:
        return start, found + 1
    # A remark in brackets is the lesser part; of what stands before and inside a quotation mark the longer one is kept.
    inside = closing in QUOTES and end - opening > opening - start
    return (opening + 1, end) if inside else (start, opening)


def _opened(text: str, start: int, end: int, first: int, closing: int, opening: str) -> tuple[int, int]:
    found = text.rfind(opening, max(first, start - REACH), start)
    if closing == end - 1:
        return start, end - 1
    return (found, end) if found >= 0 else (closing + 1, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and separators at the ends, and without an article or "of", "and", "or" left hanging."""
    leading = LEADING.match(text[start:end])
    start += leading.end() if leading else 0
    dangling = DANGLING.search(text[start:end])
    return start, start + dangling.start() if dangling else end
