"""Takes the pictures of the page that the README shows: `python docs/screenshots.py INDEX`, on an index of the sample articles.

Needs playwright and a Chromium (its path in CHROMIUM, if it is not called chromium).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import qa.ui
from qa.config import load_config

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
QUESTIONS = ["Where was the wreck of the Endurance found?", "Who discovered Pluto?"]
MINUTES = 3 * 60_000  # ms: models load, on a slow machine


def main(index: str) -> None:
    config = load_config().replace("index.path", index).replace("ui.port", 0)
    served = qa.ui.serve(config, block=False)
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=FLAGS)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1400, "height": 860}, color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(MINUTES)
            page.goto(served.local_url)
            for number, question in enumerate(QUESTIONS):
                ask(page, question, number)
            if theme == "light":
                page.screenshot(path=HERE / "answer-light.png")
                continue
            page.locator("#chat .answer .chip button").last.click()
            page.locator("#article mark.quote").first.wait_for()
            page.mouse.move(0, 0)
            page.wait_for_timeout(500)
            page.screenshot(path=HERE / "article-dark.png")
        browser.close()
    served.close()


def ask(page: Page, question: str, number: int) -> None:
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    page.locator("#chat .exchange:not(.pending)").nth(number).wait_for()
    page.wait_for_timeout(1000)


if __name__ == "__main__":
    main(sys.argv[1])
