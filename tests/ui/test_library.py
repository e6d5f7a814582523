from __future__ import annotations

from dataclasses import replace
from datetime import date

from qa.datatypes import ArticleSummary, Refusal
from qa.ui.library import MOST_REFUSED, MOST_SHOWN, catalogue, ordered, refusals


def summary(title: str, source: str = "s", published: date | None = None, copy_of: str | None = None) -> ArticleSummary:
    return ArticleSummary(title, title, None, published, source, None, None, 3, "0" * 64, copy_of)


OLD, NEW, UNDATED = summary("b", "x", date(1990, 1, 1)), summary("c", "w", date(2020, 1, 1)), summary("A", "y")


def test_orders() -> None:
    articles = [UNDATED, OLD, NEW]
    assert ordered(articles, "Newest first") == [NEW, OLD, UNDATED]
    assert ordered(articles, "Oldest first") == [OLD, NEW, UNDATED]
    assert ordered(articles, "Title") == [UNDATED, OLD, NEW]
    assert ordered(articles, "Source") == [NEW, OLD, UNDATED]


def test_a_long_list_is_cut_and_says_so() -> None:
    shown = catalogue([summary(str(n)) for n in range(MOST_SHOWN + 5)], MOST_SHOWN + 5)
    assert shown.count("<li>") == MOST_SHOWN
    assert f"{MOST_SHOWN + 5:,} articles, the first {MOST_SHOWN} shown" in shown


def test_titles_are_escaped_and_copies_marked() -> None:
    shown = catalogue([summary("<b>", copy_of="x")], 1)
    assert "<b>&lt;b&gt;</b>" in shown
    assert "a copy" in shown


def test_articles_without_an_author_come_last() -> None:
    assert ordered([NEW, OLD, replace(UNDATED, author="Z")], "Author") == [replace(UNDATED, author="Z"), OLD, NEW]


def test_what_was_refused_is_named_with_its_reason() -> None:
    shown = refusals([Refusal("/news/<i>.pdf", "damaged pdf file"), Refusal("wire.jsonl:17", "not JSON")])
    assert "2 files or rows could not be read" in shown
    assert "<b>&lt;i&gt;.pdf</b> damaged pdf file<span>/news/</span>" in shown
    assert "<b>wire.jsonl:17</b> not JSON" in shown
    assert refusals([]) == ""
    assert refusals([Refusal("x", "y")] * (MOST_REFUSED + 1)).count("<li>") == MOST_REFUSED
