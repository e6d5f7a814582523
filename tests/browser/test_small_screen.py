"""On a phone sources and articles cover the conversation: there is a way back, and menus stay within the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.pages import ask, open_page
from playwright.sync_api import Browser, Locator, Page, expect

WIDTH = 375


@pytest.fixture
def phone(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": WIDTH, "height": 740}, has_touch=True)
    yield open_page(context, address)
    context.close()


def within_the_window(choices: Locator, width: int = WIDTH) -> bool:
    boxes = [box for box in (part.bounding_box() for part in choices.all()) if box]
    return bool(boxes) and all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


def test_back_leads_from_an_article_to_the_sources_and_from_them_to_the_conversation(phone: Page) -> None:
    ask(phone, "When was Apollo 11 launched?")
    phone.locator("#chat").get_by_role("button", name="Sources (").click()
    expect(phone.locator("#sources h2")).to_be_in_viewport()
    phone.get_by_role("button", name="Open in the article").first.click()
    expect(phone.locator("#article h2")).to_be_visible()
    phone.get_by_role("button", name="← Back").click()
    expect(phone.locator("#sources h2")).to_be_in_viewport()
    phone.get_by_role("button", name="← Back").click()
    expect(phone.locator("#sources h2")).to_be_hidden()
    expect(phone.locator("#chat .answer")).to_be_in_viewport()
    expect(phone.locator("#chat").get_by_role("button", name="Sources (")).to_be_focused()


def test_menus_stay_within_the_window(phone: Page) -> None:
    ask(phone, "When was Apollo 11 launched?")
    for name in ("Earlier", "Export"):
        phone.locator("#history summary", has_text=name).click()
        assert within_the_window(phone.locator("#history .menu[open] .choices, #history .menu[open] button"))
    phone.keyboard.press("Escape")
    phone.locator("#chat").get_by_role("button", name="Sources (").click()
    phone.locator("#sources .menu summary").first.click()
    assert within_the_window(phone.locator("#sources .menu[open] .choices, #sources .menu[open] button"))


def test_a_menu_stays_within_a_narrow_column(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 860, "height": 740})
    page = open_page(context, address)
    ask(page, "When was Apollo 11 launched?")
    page.locator("#sources .menu summary").first.click()
    assert within_the_window(page.locator("#sources .menu[open] .choices, #sources .menu[open] button"), 860)
    context.close()
