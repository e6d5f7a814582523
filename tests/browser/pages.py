"""What the browser tests do over and over."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

PATIENCE = 40_000  # ms: on a busy machine a page takes its time
Serve = Callable[..., str]  # serve_page(pipeline) -> address


def open_page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(address)
    page.get_by_role("textbox", name="Question").wait_for()
    page.locator("#header .state").wait_for()
    return page


def ask(page: Page, question: str) -> None:
    """Type the question, when another can be asked, and wait for what becomes of it."""
    answered = page.locator("#chat .exchange:not(.pending)")
    ready = page.get_by_role("button", name="Ask", exact=True)
    ready.wait_for()
    before = answered.count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    answered.nth(before).wait_for()
    ready.wait_for()
