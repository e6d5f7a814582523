"""The HTML report of `qa eval`, opened from its file in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEncoder, article
from playwright.sync_api import Browser, Page

from qa.config import Config
from qa.evaluation.compare import compare
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.html import write_report
from qa.evaluation.runs import evaluate

SHIPS = tuple(
    article(word, f"The {word} ship sailed from the northern harbour in May.\n\nIt came back after {n} months.", f"The {word} ship")
    for n, word in enumerate("grey red blue old deep wide".split(), 3)
)
LONG = "x" * 300  # a word that fits on no line


def asked(n: int) -> Question:
    ship = SHIPS[n]
    words = f"after {n + 3} months"
    start = ship.text.index(words)
    return Question(f"q{n}", f"When was the {ship.id} ship back? {LONG}", "fact", gold=(Gold(ship.id, start, start + len(words), words),))


@pytest.fixture
def report(tmp_path: Path, config: Config) -> Path:
    """Two runs of seven questions, one of them unanswerable, that differ."""
    dataset = Dataset("ships", SHIPS, (*map(asked, range(6)), Question("q9", "Who sings?", "off-topic")))
    small = config.replace("passages.size", 16)
    runs = [evaluate(dataset, small.replace("reader.threshold", least), encoder=FakeEncoder()) for least in (0.0, 1.0)]
    labels = ("bold", "shy")
    write_report(tmp_path / "report.html", runs, labels, [compare(*runs, labels)])
    return tmp_path / "report.html"


@pytest.fixture
def open_report(chromium: Browser, report: Path) -> Callable[..., Page]:
    """`open_report(width, scheme)`; nothing else may be asked for, and nothing may be said on the console."""
    asked_for: list[str] = []
    said: list[str] = []

    def show(width: int, scheme: str) -> Page:
        page = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(report.as_uri())
        assert asked_for == [report.as_uri()]
        assert said == []
        return page

    return show


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 375])
def test_plots_and_worst_questions_can_be_seen_and_nothing_sticks_out(open_report: Callable[..., Page], width: int, scheme: str) -> None:
    page = open_report(width, scheme)
    plots = [plot.bounding_box() for plot in page.locator("figure svg").all()]
    assert len(plots) == 4
    assert all(box and box["width"] >= min(300, width - 40) and box["height"] > 150 for box in plots)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert background == ("rgb(255, 255, 255)" if scheme == "dark" else "rgb(0, 0, 0)")
    page.get_by_text("The worst questions").first.click()
    worst = page.locator("details[open] .question").first
    assert worst.get_by_text("gold in").is_visible()
    assert worst.locator("mark").first.is_visible()
    assert worst.locator("blockquote").first.is_visible()
    assert worst.bounding_box()["width"] <= width  # type: ignore[index]
    page.context.close()


def test_a_comparison_shows_its_figures_and_the_questions_that_differ(open_report: Callable[..., Page]) -> None:
    page = open_report(1200, "light")
    assert page.get_by_role("heading", name="bold against shy on ships").is_visible()
    assert page.get_by_role("row").filter(has_text="R@1").count() >= 3  # the comparison and both runs
    assert page.get_by_role("heading", name="Questions that came out otherwise", exact=True).is_visible()
    assert page.locator("h3 + .wide tbody tr").first.get_by_text("Who sings?").is_visible()
    page.context.close()
