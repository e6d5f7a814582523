"""The library tab and what it does to questions, and the conversations that the browser keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser.pages import Serve, ask, open_page
from fake_pipeline import FakePipeline
from playwright.sync_api import BrowserContext, Page, expect

from qa.datatypes import Refusal

QUESTION = "When was Apollo 11 launched?"


@pytest.fixture
def library(page: Page) -> Page:
    page.get_by_role("tab", name="Library").click()
    page.locator("#list li").first.wait_for()
    return page


def titles(page: Page) -> list[str]:
    return page.locator("#list li b").all_text_contents()


def test_the_library_lists_all_articles_newest_first(library: Page) -> None:
    assert titles(library) == ["Three weeks behind glass", "Eagle lands on the Moon", "The iron lady of Paris"]
    expect(library.locator("#list .count")).to_have_text("3 articles")


def test_an_article_of_the_library_opens_and_can_be_searched(library: Page) -> None:
    library.get_by_role("button", name="The iron lady of Paris").click()
    expect(library.locator("#page article")).to_contain_text("sixty tonnes of paint")
    library.locator("#page .find").fill("tonnes")
    assert library.evaluate("[...CSS.highlights.get('qa-found')].map(String)") == ["tonnes"]


def test_words_and_dates_narrow_the_list(library: Page) -> None:
    library.get_by_role("textbox", name="Find an article").fill("ŁASKI")
    expect(library.locator("#list .count")).to_have_text("1 of 3 articles")
    assert titles(library) == ["The iron lady of Paris"]
    library.get_by_role("textbox", name="Find an article").fill("")
    expect(library.locator("#list .count")).to_have_text("3 articles")
    library.get_by_role("textbox", name="Published since").fill("1970-01-01")
    library.keyboard.press("Enter")
    expect(library.locator("#list .count")).to_have_text("1 of 3 articles")
    expect(library.locator("#list li b")).to_have_text("Three weeks behind glass")


def test_filters_apply_to_questions_visibly_and_can_be_cleared(library: Page) -> None:
    library.get_by_label("Source").click()
    library.get_by_role("option", name="quarantine.md").click()
    library.get_by_role("tab", name="Ask").click()
    expect(library.locator("#chosen .filters")).to_contain_text("Only articles from quarantine.md.")
    ask(library, "Where spent the Apollo 11 crew three weeks?")
    assert library.locator("#sources .card h3").all_text_contents() == ["Three weeks behind glass"]
    library.get_by_role("button", name="Clear").click()
    expect(library.locator("#chosen .filters")).to_have_count(0)
    ask(library, QUESTION)
    expect(library.locator("#sources .card h3").first).to_have_text("Eagle lands on the Moon")


def test_filters_count_their_articles(library: Page) -> None:
    library.get_by_label("Author").click()
    expect(library.get_by_role("option", name="Ada Whitfield (1)")).to_be_visible()


def test_what_was_refused_is_shown_with_the_reason(context: BrowserContext, serve_page: Serve) -> None:
    pipeline = FakePipeline()
    pipeline.refused = [Refusal("/news/scan.pdf", "damaged pdf file (no pages)")]
    page = open_page(context, serve_page(pipeline))
    page.get_by_role("tab", name="Library").click()
    page.get_by_text("1 file or row could not be read").click()
    expect(page.locator("#refused li")).to_contain_text("scan.pdf damaged pdf file (no pages)")


def test_a_date_that_is_none_is_told_in_one_line(library: Page) -> None:
    library.get_by_role("textbox", name="Published since").fill("soon")
    library.keyboard.press("Tab")
    expect(library.locator("#list .notice")).to_have_text("since = 'soon' is not a date: expected YYYY-MM-DD, such as 2024-03-05")


def test_a_date_that_is_none_can_be_cleared_where_questions_are_asked(library: Page) -> None:
    library.get_by_label("Published since").fill("soon")
    library.get_by_label("Published since").blur()
    library.get_by_role("tab", name="Ask").click()
    expect(library.locator("#chosen .notice")).to_contain_text("since = 'soon' is not a date")
    library.locator("#chosen").get_by_role("button", name="Clear").click()
    expect(library.locator("#chosen .notice")).to_have_count(0)
    ask(library, QUESTION)
    expect(library.locator("#chat .answer")).to_have_count(1)


@pytest.mark.parametrize("kind", ["Markdown", "Web page", "JSON"])
def test_a_conversation_is_exported_with_its_citations(page: Page, tmp_path: Path, kind: str) -> None:
    ask(page, QUESTION)
    page.locator("#history .export summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    assert QUESTION in text
    assert "Apollo 11 was launched from Florida on 16 July 1969." in text
    assert "almanac.example" in text
    if kind == "JSON":
        assert json.loads(text)[0]["citations"][0]["article_id"] == "moon"


def test_earlier_conversations_can_be_opened_renamed_and_deleted(page: Page) -> None:
    ask(page, QUESTION)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#chat .exchange")).to_have_count(0)
    ask(page, "When was the Eiffel Tower completed?")
    page.locator("#history .past summary").click()
    assert page.locator("#history .past .title").all_text_contents() == ["When was the Eiffel Tower completed?", QUESTION]

    page.locator("#history .past li").nth(1).get_by_role("button", name="Rename").click()
    page.locator("#history .past input").fill("Moon")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Moon", exact=True).click()
    expect(page.locator("#chat .question")).to_have_text(QUESTION)

    page.locator("#history .past summary").click()
    page.locator("#history .past li").nth(1).get_by_role("button", name="Delete").click()
    assert page.locator("#history .past li").count() == 1


def test_a_quote_is_copied_with_its_citation(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, QUESTION)
    page.locator("#sources .menu summary").first.click()
    page.get_by_role("button", name="Quote").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == (
        "“Apollo 11 was launched from Florida on 16 July 1969.”\n"
        "— Ada Whitfield, “Eagle lands on the Moon”, almanac.example, 25 July 1969, https://almanac.example/moon-landing."
    )


def test_the_page_works_by_keyboard(page: Page) -> None:
    ask(page, QUESTION)
    chip = page.get_by_role("button", name="Source 1").first
    chip.focus()
    expect(page.locator("#chat .tip").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#article h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(chip).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("textbox", name="Question")).to_be_focused()
