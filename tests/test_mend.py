from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.mend import mend


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        ("It was Beyoncé Knowles.", "eyoncé Know", "Beyoncé Knowles"),
        ("It cost $1,250.50 then.", "250", "$1,250.50"),
        ("It rose by 12.5% a year.", "12", "12.5%"),
        ("It cost $1.3 million then.", "1.3", "$1.3 million"),
        ("He died on May 5, 1821 there.", "May 5", "May 5, 1821"),
        ("He died on May 5, 1821 there.", "May", "May 5, 1821"),
        ("He died on 5 May 1821 there.", "May 1821", "5 May 1821"),
        ("He died on 5 May 1821 there.", "5 May", "5 May 1821"),
        ("He died on May 5, 1821 there.", "1821", "1821"),
        ("It was the king of the north.", "the king of the", "the king"),
        ("It was green, red, and blue.", "green, red,", "green, red"),
        ("It was (by law) forbidden.", "(by law", "by law"),
        ("The Duke (of Edinburgh) came.", "Duke (of Edinburgh", "Duke (of Edinburgh)"),
        (
            "The Duke (of Edinburgh, as all who knew him and the whole court called him) came.",
            "Duke (of Edinburgh",
            "Duke",
        ),
        ('They sang "Hello World" twice.', '"Hello World', "Hello World"),
        ('They sang "Hello World" twice.', 'Hello World"', "Hello World"),
        ('They sang "Hello World" twice.', '"Hello World"', '"Hello World"'),
        ('They paid their "Sky TV bills and then some more of all that they had owed for years".', 'their "Sky TV bills', "Sky TV bills"),
        ("Nothing is wrong here.", "wrong", "wrong"),
        ("Is it the one?", "the", "the"),
    ],
)
def test_a_ragged_span_is_made_whole(text: str, span: str, whole: str):
    start = text.index(span)
    begin, end = mend(text, start, start + len(span))
    assert text[begin:end] == whole


def test_a_span_stays_inside_its_bounds():
    text = "May 5, 1821 (aged 51)"
    assert mend(text, 0, 3, first=0, last=5) == (0, 5)


@given(st.text(alphabet='aB1, .()"“”$%May 5', max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_any_span_of_any_text_stays_a_span_of_it(text: str, one: int, other: int):
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    begin, stop = mend(text, start, end)
    assert 0 <= begin <= stop <= len(text)
    assert begin < stop or start == end
