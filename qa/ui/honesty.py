"""What the page says when the articles don't: what was searched, how near the best guess came, in words. Plain text, no markup."""

from __future__ import annotations

from qa.datatypes import Filters, Response
from qa.render import count, date_text

# How near the best guess came, by its share of the threshold.
NEARNESS = (
    (0.85, "The best guess fell just short of being shown"),
    (0.5, "The best guess was well short of being shown"),
    (0.0, "The best guess was far from being shown"),
)


def searched(response: Response) -> str:
    """ "Searched 12 passages of 3 articles from almanac.example." """
    if response.searched is None:
        return ""
    articles, passages = response.searched
    if not articles:
        return f"No article is {words_of(response.filters)}." if response.filters else "There is no article in the index."
    every = "" if response.filters else "all "
    return f"Searched {every}{count(articles, 'article')} ({count(passages, 'passage')}) {words_of(response.filters)}".rstrip() + "."


def nearness(response: Response) -> str:
    """How near the best guess came to the threshold, in words and then in figures. The guess itself is not told."""
    guess = response.withheld
    if guess is None:
        return "No passage has words that could be the answer."
    words = next(words for least, words in NEARNESS if guess.confidence >= least * response.threshold)
    return f"{words}: it is {guess.confidence:.0%} sure, and answers are shown from {response.threshold:.0%} on."


def is_guess(response: Response) -> bool:
    """Whether the answer is below the threshold, and shown because somebody asked for it all the same."""
    return response.answer is not None and response.answer.confidence < response.threshold


def guess_warning(response: Response) -> str:
    assert response.answer is not None
    sure, least = f"{response.answer.confidence:.0%}", f"{response.threshold:.0%}"
    return f"Below the threshold: a guess that you asked for. It is {sure} sure; answers are shown from {least} on."


def words_of(filters: Filters) -> str:
    """Filters(source="a.example") -> "from a.example" """
    parts = [
        filters.source and f"from {filters.source}",
        filters.author and f"by {filters.author}",
        filters.since and f"since {date_text(filters.since)}",
        filters.until and f"until {date_text(filters.until)}",
    ]
    return ", ".join(part for part in parts if part)
