"""The evaluation tab in a real browser: from the runs to one of them, its questions, one question, and two runs side by side."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from browser.pages import Serve, open_page
from browser.test_accessibility import faults
from fake_pipeline import FakePipeline
from fakes import FakeEncoder, article
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from qa.config import Config
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.runs import evaluate
from qa.ui.evaluation import Evaluation
from qa.ui.places import Place

MOON = article("moon", "Apollo landed on the grey Moon in July.\n\nTwo men walked there for hours.", "Moon <img src=x onerror=alert(1)>")
SUN = article("sun", "The Sun is a yellow star.\n\nIt warms the Earth.", "Sun")
JULY = Gold("moon", MOON.text.index("July"), MOON.text.index("July") + 4, "July")
EARTH = Gold("sun", SUN.text.index("Earth"), SUN.text.index("Earth") + 5, "Earth")
QUESTIONS = (
    Question("q1", "When did Apollo land on the grey Moon?", "fact", gold=(JULY,)),
    Question("q2", "What does the yellow Sun warm?", "fact", gold=(EARTH,)),
    Question("q3", "Who discovered <script>alert(1)</script> penicillin?", "off-topic"),
)
SET = Dataset("tiny", (MOON, SUN), QUESTIONS)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config().replace("index.path", tmp_path / "index").replace("reader.model", "sentence")


@pytest.fixture
def address(serve_page: Serve, config: Config) -> str:
    """A page with three runs: two that can be compared, and an older one of fewer questions."""
    pipeline = FakePipeline()
    evaluate(replace(SET, questions=QUESTIONS[:2]), config, encoder=FakeEncoder())
    evaluate(SET, config, encoder=FakeEncoder())
    evaluate(SET, config.replace("reader.threshold", 1.0), encoder=FakeEncoder())
    return serve_page(pipeline, config)


def opened(page: Page) -> Page:
    with drawn(page):
        page.get_by_role("tab", name="Evaluation").click()
    return page


def press(button: Locator) -> None:
    with drawn(button.page):
        button.press("Enter")


@contextmanager
def drawn(page: Page) -> Iterator[None]:
    """Waits until the next view is there and has the focus: a key that is pressed before goes to neither."""
    page.evaluate("document.querySelector('#evaluation')?.removeAttribute('aria-busy')")  # before the tab is opened there is none
    yield
    expect(page.locator("#evaluation")).to_have_attribute("aria-busy", "false")


def row(page: Page, settings: str):  # type: ignore[no-untyped-def]
    return page.locator("#evaluation ol.runs > li").filter(has_text=settings)


def test_runs_are_opened_narrowed_and_compared_by_keyboard(context: BrowserContext, address: str) -> None:
    page = opened(open_page(context, address))
    heading = page.locator("#evaluation h2")
    expect(page.locator("#evaluation ol.runs > li")).to_have_count(3)

    press(row(page, "reader.threshold = 1.0").get_by_role("button", name="tiny"))
    expect(page.locator("#evaluation svg")).to_have_count(4)
    expect(heading).to_be_focused()

    press(page.get_by_role("button", name=re.compile("refused wrongly 2")))
    expect(page.locator("#evaluation .listing .count")).to_have_text("2 of 3 questions")
    press(page.get_by_role("button", name=re.compile("^any 3")))
    expect(page.locator("#evaluation .listing .count")).to_have_text("3 questions")
    expect(page.get_by_role("button", name=re.compile("^any 3")).first).to_be_focused()

    press(page.get_by_role("button", name=re.compile("What does the yellow Sun warm")))
    expect(heading).to_have_text("What does the yellow Sun warm?")
    expect(page.locator("#evaluation .hits li").first.locator("mark.gold")).to_have_text("Earth")
    press(page.get_by_role("button", name="↓ Next"))
    expect(heading).to_have_text("Who discovered <script>alert(1)</script> penicillin?")
    press(page.get_by_role("button", name="← Questions"))
    expect(page.get_by_role("button", name=re.compile("Who discovered"))).to_be_focused()

    press(page.get_by_role("button", name="← Run"))
    press(page.get_by_role("button", name="Compare with another run"))
    press(page.get_by_role("button", name="with this"))
    expect(page.locator("#evaluation .comparison")).to_contain_text("B − A")
    press(page.locator("#evaluation ol.questions .row").first)
    expect(page.locator("#evaluation .beside.two > .side")).to_have_count(2)

    page.get_by_role("tab", name="Ask").click()
    opened(page)
    expect(page.locator("#evaluation .beside.two > .side")).to_have_count(2)
    press(page.get_by_role("button", name="← Comparison"))
    press(page.get_by_role("button", name="Compare A with another"))
    press(page.get_by_role("button", name="other questions"))
    expect(page.locator("#evaluation .notice")).to_contain_text("runs cannot be compared: their questions differ")


def test_a_slow_view_does_not_cover_the_next(context: BrowserContext, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, slow = Evaluation.show, threading.Event()

    def show(self: Evaluation, place: Place) -> str:
        if place.view == "runs" and slow.is_set():
            slow.clear()
            time.sleep(2)
        return shown(self, place)

    monkeypatch.setattr(Evaluation, "show", show)
    page = opened(open_page(context, address))
    page.get_by_role("tab", name="Ask").click()
    slow.set()
    page.get_by_role("tab", name="Evaluation").click()
    row(page, "reader.threshold = 1.0").get_by_role("button", name="tiny").click()
    expect(page.locator("#evaluation svg")).to_have_count(4)
    assert not slow.is_set()
    page.wait_for_timeout(2500)
    expect(page.locator("#evaluation svg")).to_have_count(4)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (1400, "dark"), (900, "light"), (375, "light"), (375, "dark")])
def test_no_place_of_the_tab_has_an_accessibility_fault_or_sticks_out(chromium: Browser, address: str, width: int, theme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = opened(open_page(context, address))
    check(page, width)
    row(page, "reader.threshold = 1.0").get_by_role("button", name="Compare").click()
    page.locator("#evaluation li.chosen").wait_for()
    check(page, width)
    page.get_by_role("button", name="with this").click()
    page.locator("#evaluation .comparison").wait_for()
    check(page, width)
    page.locator("#evaluation .sides .title").first.click()
    page.locator("#evaluation .board").wait_for()
    page.locator("#evaluation .origin summary").click()
    check(page, width)
    page.get_by_role("button", name="All questions").click()
    page.locator("#evaluation .listing").wait_for()
    check(page, width)
    page.locator("#evaluation ol.questions .row").first.click()
    page.locator("#evaluation .opened").wait_for()
    check(page, width)
    context.close()


def check(page: Page, width: int) -> None:
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_runs_the_tab_names_the_command(context: BrowserContext, serve_page: Serve, config: Config) -> None:
    page = opened(open_page(context, serve_page(FakePipeline(), config)))
    expect(page.locator("#evaluation")).to_contain_text("qa eval eval/ --index")
