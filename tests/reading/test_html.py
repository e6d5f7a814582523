"""Saved web pages: trafilatura's text, less what is surely not the article."""

from __future__ import annotations

import logging
from datetime import date

import pytest
import trafilatura

from qa.reading.draft import Facts
from qa.reading.html import bare_text, read_html

SENTENCES = [f"Sentence number {n} of the article tells that it rained on the hills and on the town." for n in range(12)]
PAGE = f"""<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>The Long Rain | The Courier</title>
<link rel="canonical" href="https://www.courier.example/2021/the-long-rain">
<meta property="og:site_name" content="The Courier"><meta name="author" content="Jane Doe">
<meta property="article:published_time" content="2021-03-03T06:00:00+01:00"></head>
<body><nav><a href="/">Home</a><a href="/world">World</a></nav>
<article><p>Weather</p><h1>The Long Rain</h1><p>By Jane Doe</p><p>March 3, 2021</p>
<p>{" ".join(SENTENCES[:4])}</p><p>Advertisement</p><p>{" ".join(SENTENCES[4:8])}</p>
<ul><li>First the hills were wet.</li><li>Then the town was wet.</li></ul>
<table><tr><th>Day</th><th>Rain</th></tr><tr><td>Monday</td><td>12 mm</td></tr></table>
<p>{" ".join(SENTENCES[8:])}</p><p>Follow Jane Doe on Twitter</p><p>Copyright 2021 The Courier</p></article>
<footer>Contact us</footer></body></html>"""


def test_page_becomes_facts_and_text() -> None:
    draft = read_html(PAGE.encode())
    assert draft.facts == Facts(
        "The Long Rain", "Jane Doe", date(2021, 3, 3), "https://www.courier.example/2021/the-long-rain", "The Courier", "en-GB"
    )
    assert draft.text == "\n\n".join(
        [
            " ".join(SENTENCES[:4]),
            " ".join(SENTENCES[4:8]),
            "- First the hills were wet.\n- Then the town was wet.",
            "Day | Rain\nMonday | 12 mm",
            " ".join(SENTENCES[8:]),
        ]
    )


def test_nothing_else_is_taken_out_of_the_extraction() -> None:
    """Word for word what trafilatura extracts, but for the lines that the test above misses."""
    ours = read_html(PAGE.encode()).text
    theirs = trafilatura.extract(PAGE, include_comments=False) or ""
    missing = [line for line in theirs.split("\n") if line.strip("|- ") and line.strip("|- ").split(" | ")[0] not in ours]
    assert missing == ["Weather", "The Long Rain", "By Jane Doe", "March 3, 2021", "Advertisement", "Follow Jane Doe on Twitter"] + [
        "Copyright 2021 The Courier"
    ]


def test_byline_in_the_page_fills_what_its_tags_leave_open() -> None:
    page = PAGE.replace('<meta name="author" content="Jane Doe">', "").replace('<meta property="article:published_time"', "<meta x")
    facts = read_html(page.encode()).facts
    assert (facts.author, facts.published) == ("Jane Doe", date(2021, 3, 3))


@pytest.mark.parametrize(
    "page",
    [
        "<p>It rained on the hills.</p>",
        "It rained on the hills.",
        "<html><body>It rained on the hills.</body></html>",
        "<div>It rained<br>on",
    ],
)
def test_fragments_are_read(page: str) -> None:
    assert read_html(page.encode()).text.startswith("It rained")


def test_page_without_text_has_none(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert read_html(b"<html><head><title>T</title></head><body><script>x()</script></body></html>").text == ""
    assert not [record for record in caplog.records if record.name.startswith("trafilatura")]


def test_bare_text() -> None:
    assert bare_text("<p>One <b>two</b></p><style>x</style><p>three</p>") == "One two\n\nthree"
    assert bare_text("") == ""
