"""Every state of the page, wide and narrow, light and dark, passes axe-core."""

from __future__ import annotations

import pytest
from browser.pages import ask, open_page
from playwright.sync_api import Browser, Page

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 375])
def test_no_state_has_an_accessibility_fault(chromium: Browser, address: str, width: int, theme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = open_page(context, address)
    page.get_by_role("button", name="When was the Eiffel Tower completed?").wait_for()
    assert faults(page) == []
    ask(page, "When was Apollo 11 launched?")
    ask(page, "How long were they in quarantine?")
    page.locator("#chat .others summary").last.click()
    assert faults(page) == []
    page.get_by_role("button", name="Source 1").last.click()
    page.locator("#article h2").wait_for()
    assert faults(page) == []
    page.keyboard.press("Escape")
    ask(page, "Which penguins play the violin in the Pacific?")
    assert faults(page) == []
    page.get_by_role("button", name="Show the best guess anyway").click()
    page.locator("#chat .guess").wait_for()
    assert faults(page) == []
    page.get_by_role("tab", name="Library").click()
    page.locator("#list button").first.click()
    page.locator("#page h2").wait_for()
    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_docs_have_no_accessibility_fault(chromium: Browser, address: str, theme: str) -> None:
    context = chromium.new_context(viewport={"width": 375, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}docs")
    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("width", [1400, 900, 375])
def test_nothing_sticks_out_of_the_window(chromium: Browser, address: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = open_page(context, address)
    ask(page, "When was Apollo 11 launched?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    context.close()


def faults(page: Page) -> list[str]:
    page.wait_for_timeout(400)  # what fades in has its colours
    found = axe.Axe().run(page)
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found.response["violations"]]
