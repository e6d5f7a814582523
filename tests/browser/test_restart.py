"""The server goes away under an open page and comes back: nothing is lost, and the next question is answered."""

from __future__ import annotations

from browser.pages import PATIENCE, ask, open_page
from fake_pipeline import FakePipeline
from playwright.sync_api import BrowserContext, expect

import qa.ui
from qa.config import Config


def test_a_page_goes_on_with_a_server_that_was_restarted(context: BrowserContext) -> None:
    first = qa.ui.serve(Config().replace("ui.port", 0), FakePipeline(), block=False)  # type: ignore[arg-type]
    config = Config().replace("ui.port", int(first.local_url.rstrip("/").rpartition(":")[2]))
    page = open_page(context, first.local_url)
    ask(page, "When was Apollo 11 launched?")
    with page.expect_event("requestfailed", timeout=PATIENCE):  # the page looks at the server's state every few seconds
        first.close()
    with page.expect_event("load", timeout=PATIENCE):  # Gradio's page loads anew when it finds another server
        second = qa.ui.serve(config, FakePipeline(), block=False)  # type: ignore[arg-type]
    expect(page.locator("#chat .exchange")).to_contain_text("16 July 1969")
    ask(page, "How long were they in quarantine?")
    expect(page.locator("#chat .standalone q")).to_have_text("How long were Apollo 11 in quarantine?")
    page.close()
    second.close()
