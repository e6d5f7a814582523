from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.datatypes import Citation
from qa.render import (
    Mark,
    date_text,
    highlight_html,
    paragraphs_html,
    quote_markdown,
    quote_text,
    reference,
    safe_url,
    text_fragment_url,
)

CITATION = Citation(
    number=1,
    article_id="moon",
    title="One small step",
    source="example.org",
    start=0,
    end=17,
    quote="Apollo 11 landed.",
    excerpt="Apollo 11 landed.",
    excerpt_start=0,
    score=0.9,
    author="Ann Lee",
    published=date(1969, 7, 21),
    url="https://example.org/moon",
)


def test_highlight_escapes_text_inside_and_outside_the_marks() -> None:
    assert highlight_html("a<b c&d", [Mark(0, 3)]) == '<mark class="quote">a&lt;b</mark> c&amp;d'


def test_highlight_gives_a_piece_under_two_marks_both_kinds() -> None:
    marked = highlight_html("In 1969 men", [Mark(0, 11, "quote", "1"), Mark(3, 7, "span")])
    assert marked == (
        '<mark class="quote" data-mark="1">In </mark>'
        '<mark class="quote span" data-mark="1">1969</mark>'
        '<mark class="quote" data-mark="1"> men</mark>'
    )


def test_highlight_ignores_marks_outside_the_text_and_cuts_those_that_stick_out() -> None:
    assert highlight_html("abc", [Mark(-5, 1), Mark(7, 9), Mark(2, 2)]) == '<mark class="quote">a</mark>bc'


def test_paragraphs_keep_a_mark_that_runs_over_a_blank_line() -> None:
    assert paragraphs_html("ab.\n\ncd.", [Mark(1, 6)]) == (
        '<p data-start="0">a<mark class="quote">b.</mark></p>\n<p data-start="5"><mark class="quote">c</mark>d.</p>'
    )


def test_a_short_line_that_is_no_sentence_is_set_as_a_subheading() -> None:
    assert paragraphs_html("One day.\n\nHow it came\n\nIt came.") == (
        '<p data-start="0">One day.</p>\n<p class="subheading" data-start="10">How it came</p>\n<p data-start="23">It came.</p>'
    )


@given(st.text(), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40))))
def test_highlighting_changes_no_character_and_lets_no_markup_through(text: str, places: list[tuple[int, int]]) -> None:
    import html
    import re

    marked = highlight_html(text, [Mark(start, end) for start, end in places])
    assert html.unescape(re.sub(r'</?mark(?: class="quote")?>', "", marked)) == html.unescape(html.escape(text))
    assert "<" not in re.sub(r'</?mark(?: class="quote")?>', "", marked)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil", "", None, "http://", "http://["]
)
def test_links_that_are_not_web_pages_are_refused(url: str | None) -> None:
    assert safe_url(url) is None
    assert text_fragment_url(url, "words") is None


def test_text_fragment_of_a_short_quote_holds_all_its_words() -> None:
    assert text_fragment_url("https://a.org/x", "Well-known, yes") == "https://a.org/x#:~:text=Well%2Dknown%2C%20yes"


def test_text_fragment_of_a_long_quote_holds_its_ends() -> None:
    link = text_fragment_url("https://a.org/x#top", "one two three four five six seven eight nine")
    assert link == "https://a.org/x#top:~:text=one%20two%20three%20four,six%20seven%20eight%20nine"


def test_dates_are_written_out() -> None:
    assert date_text(date(2024, 3, 5)) == "5 March 2024"
    assert date_text(None) == ""


def test_citations_to_copy() -> None:
    line = "Ann Lee, “One small step”, example.org, 21 July 1969, https://example.org/moon."
    assert reference(CITATION) == line
    assert quote_text(CITATION) == f"“Apollo 11 landed.”\n— {line}"
    assert quote_markdown(CITATION) == f"> Apollo 11 landed.\n>\n> — {line}"
