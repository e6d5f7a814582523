"""Names and dates in lines, and lines that only look like bylines."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from qa.reading.bylines import clean_author, is_affiliation, parse_date, read_byline

BYLINES = [
    ("By Jane Doe", "Jane Doe", None),
    ("by Jane Doe", "Jane Doe", None),
    ("BY JANE DOE", "Jane Doe", None),
    ("By Published on July 13, 2016", None, date(2016, 7, 13)),
    ("By Jane Doe Published on July 13, 2016", "Jane Doe", date(2016, 7, 13)),
    ("Jane Doe | 3 March 2021", "Jane Doe", date(2021, 3, 3)),
    ("Jane Doe, 3 March 2021", "Jane Doe", date(2021, 3, 3)),
    ("Jane Doe · Mar 3, 2021 · 5 min read", "Jane Doe", date(2021, 3, 3)),
    ("Posted by jane on July 3, 2020 | 12 Comments", "jane", date(2020, 7, 3)),
    ("By Jane Doe and John Smith, Associated Press", "Jane Doe, John Smith", None),
    ("By Jane Doe, Science Correspondent", "Jane Doe", None),
    ("By Associated Press", "Associated Press", None),
    ("By Martin Luther King, Jr.", "Martin Luther King, Jr", None),
    ("By Dr. Jane van der Berg", "Dr. Jane van der Berg", None),
    ("By Bianca Sartori, Venice", "Bianca Sartori", None),
    ("Jane Doe in Berlin, Wed 13 Jul 2016", "Jane Doe", date(2016, 7, 13)),
    ("Author: Jane Doe", "Jane Doe", None),
    ("Published on 2021-03-04T05:00:00Z", None, date(2021, 3, 4)),
    ("First published on Wed 13 Jul 2016 10.30 BST", None, date(2016, 7, 13)),
    ("8 November 2018", None, date(2018, 11, 8)),
    ("The Meridian Review, 25 May 2020", None, date(2020, 5, 25)),
    ("Von Karl-Heinz Müller, 3. März 2021", "Karl-Heinz Müller", date(2021, 3, 3)),
    ("Por Ana María López | 4 de marzo de 2021", "Ana María López", date(2021, 3, 4)),
]

NO_BYLINES = [
    "By Monday the city had fallen",
    "By the Sea",
    "Published 3/4/2021",
    "Image by Jane Doe",
    "Apollo 11, July 20, 1969",
    "On 3 March 2021 the bridge was closed.",
    "Jane Doe",
    "Jane Doe in Berlin",
    "12 people 2021",
    "The vote was 69 to 30.",
    "",
]


@pytest.mark.parametrize(("line", "author", "published"), BYLINES)
def test_byline_is_read(line: str, author: str | None, published: date | None) -> None:
    byline = read_byline(line)
    assert byline is not None
    assert (byline.author, byline.published) == (author, published)


@pytest.mark.parametrize("line", NO_BYLINES)
def test_other_lines_are_no_bylines(line: str) -> None:
    assert read_byline(line) is None


def test_date_of_change_is_told_from_date_of_publication() -> None:
    byline = read_byline("By Jane Doe | Updated July 4, 2021 | Published July 3, 2021 at 5:30 PM ET")
    assert byline is not None
    assert (byline.author, byline.published, byline.updated) == ("Jane Doe", date(2021, 7, 3), date(2021, 7, 4))


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2016-07-13", date(2016, 7, 13)),
        ("2016-07-13T23:30:00-05:00", date(2016, 7, 13)),
        ("July 13th, 2016", date(2016, 7, 13)),
        ("13.07.2016", date(2016, 7, 13)),
        ("7/13/2016", date(2016, 7, 13)),
        ("13/7/2016", date(2016, 7, 13)),
        ("03/04/2021", None),
        ("3 mars 2021", date(2021, 3, 3)),
        ("3 марта 2021 г.", date(2021, 3, 3)),
        ("2016-13-45", None),
        ("July 2016", None),
        ("2016", None),
        ("yesterday", None),
        (datetime(2016, 7, 13, 23, 59), date(2016, 7, 13)),
        (date(2016, 7, 13), date(2016, 7, 13)),
        (2016, None),
        (None, None),
    ],
)
def test_parse_date(value: object, day: date | None) -> None:
    assert parse_date(value) == day


@pytest.mark.parametrize(
    ("value", "author"),
    [
        ("By Jane Doe", "Jane Doe"),
        ("Jane Doe; JOHN SMITH", "Jane Doe, John Smith"),
        ("Jane Doe <jane@example.com>", "Jane Doe"),
        ("https://example.com/jane", None),
        ("  ", None),
    ],
)
def test_clean_author(value: str, author: str | None) -> None:
    assert clean_author(value) == author


def test_affiliation() -> None:
    assert is_affiliation("Science correspondent, BBC News")
    assert not is_affiliation("A comet is getting brighter")


@pytest.mark.timeout(30)
def test_long_lines_cost_no_more_than_their_length() -> None:
    assert not is_affiliation(f"Editor{' ' * 1_000_000}of news")
