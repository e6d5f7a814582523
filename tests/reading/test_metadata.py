"""Front matter and records, whole and broken."""

from __future__ import annotations

from datetime import date

import pytest

from qa.reading.draft import Facts
from qa.reading.metadata import author_from, facts_from, read_front_matter, web_address


def test_front_matter_is_read_and_taken_off() -> None:
    text = (
        "---\ntitle: The Tunnel\nauthor: [Jane Doe, John Smith]\ndate: 2024-05-06\nsource: https://www.example.com/a\n---\n\nIt rained.\n"
    )
    facts, rest = read_front_matter(text)
    assert facts == Facts("The Tunnel", "Jane Doe, John Smith", date(2024, 5, 6), "https://www.example.com/a")
    assert rest == "\nIt rained.\n"


def test_broken_yaml_is_read_line_by_line() -> None:
    facts, rest = read_front_matter('---\ntitle: The Tunnel: a history\nauthor: "Jane Doe\ndate: 6 May 2024\n---\nIt rained.')
    assert facts == Facts("The Tunnel: a history", "Jane Doe", date(2024, 5, 6))
    assert rest == "It rained."


def test_toml_front_matter() -> None:
    facts, rest = read_front_matter('+++\ntitle = "The Tunnel"\ndate = 2024-05-06\n+++\nIt rained.')
    assert (facts, rest) == (Facts("The Tunnel", published=date(2024, 5, 6)), "It rained.")


def test_text_between_rulers_is_no_front_matter() -> None:
    text = "---\nIt rained all day.\nNobody came.\n---\nThen it stopped."
    assert read_front_matter(text) == (Facts(), text)


def test_yaml_that_runs_code_or_explodes_says_nothing() -> None:
    facts, _ = read_front_matter("---\ntitle: !!python/object/apply:os.system ['true']\n---\nIt rained.")
    assert facts.author is None
    nested = "---\ntitle: " + "[" * 5000 + "\n---\nIt rained."
    read_front_matter(nested)


def test_fields_go_by_their_usual_names() -> None:
    record = {"Headline": "T", "byline": "By Jane Doe", "publish-date": "May 6, 2024", "publisher": "The Courier", "lang": "en-GB"}
    assert facts_from(record) == Facts("T", "Jane Doe", date(2024, 5, 6), None, "The Courier", "en-GB")


def test_values_of_the_wrong_type_say_nothing() -> None:
    assert facts_from({"title": ["a"], "author": 7, "date": {"y": 1}, "url": 3, "site": None, 4: 5}) == Facts()


def test_author_records() -> None:
    assert facts_from({"author": [{"name": "Jane Doe"}, {"name": "John Smith"}, {"email": "x"}]}).author == "Jane Doe, John Smith"


def test_web_address() -> None:
    assert web_address("https://example.com/a") == "https://example.com/a"
    assert web_address("javascript:alert(1)") is None
    assert web_address("http://[broken") is None
    assert web_address("/relative") is None


def test_a_list_that_holds_itself_names_nobody() -> None:
    """YAML can say so, and can say in a few lines what would unfold to a billion names."""
    facts, text = read_front_matter("---\nauthor: &a [*a, Jane Doe]\n---\nText.")
    assert (facts.author, text) == ("Jane Doe", "Text.")
    laughs = "\n".join(f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]" for before, after in zip("abcdefghijk", "bcdefghijkl"))
    assert read_front_matter(f"---\na: &a [Jane, Jane]\n{laughs}\nauthor: *l\ntitle: Rain\n---\n")[0] == Facts(title="Rain")


@pytest.mark.timeout(30)
def test_long_fields_cost_no_more_than_their_length() -> None:
    assert facts_from({"author": "@" * 200_000 + " x"}) == Facts()
    assert author_from("a" + "@" * 900 + " x") == "a" + "@" * 900 + " x"
    assert read_front_matter(f"---\ntitle x{' ' * 15_000}y\nauthor: Jane Doe\nsite: A\n---\n")[0].author == "Jane Doe"


def test_a_text_between_rulers_is_no_front_matter_when_it_is_long() -> None:
    text = "---\n" + "title: x\n" * 10_000 + "---\nText."
    assert read_front_matter(text) == (Facts(), text)
