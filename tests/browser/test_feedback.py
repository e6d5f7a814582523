"""Marking answers in the page: what is pressed is kept, taken back, exported, and trusted only when it is so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from browser.pages import Serve, ask, open_page
from browser.test_accessibility import faults
from fake_pipeline import ARTICLES, MOON, QUARANTINE
from fakes import FakeEncoder
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from typer.testing import CliRunner

from qa.cli import app
from qa.config import Config
from qa.datatypes import Article
from qa.feedback import Feedback
from qa.pipeline import Pipeline
from qa.server.users import Right
from qa.server.visitors import Visitor
from qa.ui import feedback

QUESTION = "When was Apollo 11 launched?"
Filled = Callable[..., Config]


@pytest.fixture
def indexed(filled: Filled) -> Config:
    return filled(*ARTICLES)


@pytest.fixture
def kept(indexed: Config) -> Feedback:
    return Feedback(indexed.index.path)


@pytest.fixture
def page(context: BrowserContext, serve_page: Serve, indexed: Config) -> Page:
    return open_page(context, serve_page(Pipeline(indexed, encoder=FakeEncoder()), indexed))


def button(page: Page, name: str) -> Locator:
    return page.locator("#chat .judging").last.get_by_role("button", name=name, exact=True)


def thanks(page: Page) -> Locator:
    return page.locator("#chat .judging .thanks").last


def open_to_select(page: Page) -> None:
    button(page, "Show the right words").click()
    page.locator("#article .body[role=textbox]").wait_for()


def select(page: Page, body: str, words: str) -> None:
    """As a mouse does, from the first to the last of the words."""
    place = page.evaluate(
        """([body, words]) => {
            getSelection().removeAllRanges(); // pressing inside a selection would drag it
            const walker = document.createTreeWalker(document.querySelector(body), NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.textContent.indexOf(words);
                if (at < 0) continue;
                node.parentElement.scrollIntoView({ block: "center" });
                const range = new Range();
                range.setStart(node, at);
                range.setEnd(node, at + words.length);
                const [first, last] = [range.getClientRects()[0], [...range.getClientRects()].at(-1)];
                return [first.left, first.y + first.height / 2, last.right, last.y + last.height / 2];
            }
        }""",
        [body, words],
    )
    page.mouse.move(place[0] + 0.5, place[1])
    page.mouse.down()
    page.mouse.move(place[2], place[3], steps=4)
    page.mouse.up()


def test_a_right_answer_is_kept_and_taken_back_by_pressing_again(page: Page, kept: Feedback) -> None:
    ask(page, QUESTION)
    assert kept.judgements() == []
    button(page, "Right").click()
    expect(thanks(page)).to_have_text("Thanks, kept as right.")
    expect(button(page, "Right")).to_have_attribute("aria-pressed", "true")
    (judgement,) = kept.judgements()
    (place,) = judgement.places
    assert (judgement.verdict, judgement.question, judgement.turns, judgement.filtered) == ("right", QUESTION, (), False)
    assert judgement.answer == place.quote == MOON.text[place.start : place.end] == "Apollo 11 was launched from Florida on 16 July 1969."
    assert (place.article_id, place.sha256) == ("moon", MOON.sha256)
    button(page, "Wrong").click()
    expect(button(page, "Wrong")).to_have_attribute("aria-pressed", "true")
    expect(button(page, "Right")).to_have_attribute("aria-pressed", "false")
    button(page, "Wrong").click()
    expect(thanks(page)).to_have_text("Taken back.")
    expect(button(page, "Wrong")).to_have_attribute("aria-pressed", "false")
    assert [one.verdict for one in kept.judgements()] == ["right", "wrong", "withdrawn"]
    assert len({one.reader for one in kept.judgements()}) == 1


def test_what_was_pressed_is_shown_again_after_the_next_question_and_a_reload(page: Page) -> None:
    ask(page, QUESTION)
    button(page, "Right").click()
    expect(button(page, "Right")).to_have_attribute("aria-pressed", "true")
    ask(page, "Which kilograms of lunar material were collected?")
    pressed = page.locator("#chat .judging [aria-pressed=true]")
    expect(pressed).to_have_count(1)
    page.reload()
    expect(page.locator("#chat .exchange")).to_have_count(2)
    expect(pressed).to_have_count(1)
    assert pressed.get_attribute("data-exchange") == "0"


def test_words_selected_with_the_mouse_are_the_answer(page: Page, kept: Feedback) -> None:
    ask(page, QUESTION)
    open_to_select(page)
    strip = page.locator("#article .selecting")
    expect(strip.locator("q")).to_have_text(QUESTION)
    answer = strip.get_by_role("button", name="These words answer")
    expect(answer).to_be_disabled()
    select(page, "#article .body", "16 July 1969")
    answer.click()
    expect(strip.locator(".thanks")).to_have_text("Thanks, kept.")
    expect(button(page, "Show the right words")).to_have_attribute("aria-pressed", "true")
    (judgement,) = kept.judgements()
    (place,) = judgement.places
    assert (judgement.verdict, place.quote) == ("words", "16 July 1969")
    assert MOON.text[place.start : place.end] == "16 July 1969"
    button(page, "Show the right words").click()
    expect(thanks(page)).to_have_text("Taken back.")


def test_words_selected_with_the_keyboard_are_the_answer(page: Page, kept: Feedback) -> None:
    ask(page, QUESTION)
    button(page, "Show the right words").focus()
    page.keyboard.press("Enter")
    body = page.locator("#article .body")
    expect(body).to_be_focused()
    page.keyboard.type("x")
    page.keyboard.press("Delete")
    for _ in range(len("Apollo 11")):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#article .selecting .thanks")).to_have_text("Thanks, kept.")
    assert kept.judgements()[0].places[0].quote == "Apollo 11"
    assert "".join(body.inner_text().split()) == "".join(MOON.text.split())


def test_words_after_a_character_of_two_units_and_over_a_paragraph_stand_where_they_are_said_to(
    context: BrowserContext, serve_page: Serve, filled: Filled
) -> None:
    text = "🌕🌖 The zeppelin\nlanded  in Lakehurst & burned.\n\nNobody <b>saw</b> it come."
    config = filled(Article("a", "Zeppelin", text, "a.txt", "0" * 64))
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    ask(page, "Where landed the zeppelin?")
    open_to_select(page)
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="These words answer").click()
    expect(page.locator("#article .selecting .thanks")).to_have_text("Thanks, kept.")
    select(page, "#article .body", "Nobody <b>saw</b>")
    page.get_by_role("button", name="These words answer").click()
    expect(page.locator("#article .selecting .thanks")).to_have_text("Thanks, kept.")
    places = [one.places[0] for one in Feedback(config.index.path).judgements()]
    assert [place.quote for place in places] == [text, "Nobody <b>saw</b>"]
    assert all(text[place.start : place.end] == place.quote for place in places)


def test_words_of_an_article_that_was_not_found_are_selected_in_the_library(page: Page, kept: Feedback) -> None:
    ask(page, "Which penguins play the violin in the Pacific?")
    page.get_by_role("tab", name="Library").click()
    page.locator("#list button", has_text="Three weeks behind glass").click()
    expect(page.locator("#page .body")).to_contain_text("President Nixon")
    expect(page.locator("#page .selecting")).to_be_hidden()
    select(page, "#page .body", "President Nixon")
    page.locator("#page").get_by_role("button", name="These words answer").click()
    expect(page.locator("#page .selecting .thanks")).to_have_text("Thanks, kept.")
    (judgement,) = kept.judgements()
    assert (judgement.question, judgement.places[0].article_id) == ("Which penguins play the violin in the Pacific?", QUARANTINE.id)


def test_what_was_marked_is_exported_and_evaluated(page: Page, indexed: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(page, QUESTION)
    button(page, "Right").click()
    expect(thanks(page)).to_have_text("Thanks, kept as right.")
    ask(page, "How long were they in quarantine?")
    open_to_select(page)
    select(page, "#article .body", "three weeks")
    page.locator("#article").get_by_role("button", name="These words answer").click()
    expect(thanks(page)).to_have_text("Thanks, kept.")
    for module in ("qa.evaluation.runs", "qa.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda settings: FakeEncoder())
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    index = str(indexed.index.path)
    done = [CliRunner().invoke(app, [*line.split(), "--index", index]) for line in ("feedback export set", "eval set --json")]
    assert [one.exit_code for one in done] == [0, 0]
    result = json.loads(done[1].stdout)
    assert (result["questions"], result["articles"], result["metrics"]["R@10"]) == (2, 3, 1.0)


def test_a_refusal_marked_right(context: BrowserContext, serve_page: Serve, indexed: Config, kept: Feedback) -> None:
    config = indexed.replace("reader.threshold", 1.0)
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    ask(page, "Which penguins play the violin in the Pacific?")
    expect(page.get_by_role("group", name="Is it right that the articles don’t say?")).to_be_visible()
    button(page, "Right").click()
    expect(thanks(page)).to_have_text("Thanks, kept as right.")
    (judgement,) = kept.judgements()
    assert (judgement.verdict, judgement.answer, judgement.places) == ("right", None, ())


def test_a_damaged_file_is_told_and_stops_no_question(page: Page, kept: Feedback) -> None:
    kept.file.write_bytes(b"damaged" * 1000)
    ask(page, QUESTION)
    button(page, "Right").click()
    expect(thanks(page)).to_contain_text("feedback.sqlite is damaged")
    expect(button(page, "Right")).to_have_attribute("aria-pressed", "false")
    ask(page, QUESTION)
    expect(page.locator("#chat .answer")).to_have_count(2)


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" autofocus onfocus="alert(1)" x="'])
def test_markup_that_was_kept_never_runs(
    context: BrowserContext, serve_page: Serve, filled: Filled, monkeypatch: pytest.MonkeyPatch, payload: str
) -> None:
    text = f"The zeppelin landed {payload} in Lakehurst.\n\nGoodbye, everyone."  # the second is what the report will miss
    config = filled(Article(f"bad-{payload}", f"Zeppelin {payload}", text, f"site {payload}", "0" * 64))
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    ask(page, f"Where landed the zeppelin {payload}?")
    open_to_select(page)
    select(page, "#article .body", "Goodbye")
    page.get_by_role("button", name="These words answer").click()
    expect(thanks(page)).to_have_text("Thanks, kept.")
    page.reload()
    expect(page.locator("#chat .judging [aria-pressed=true]")).to_have_count(1)
    monkeypatch.setattr("qa.evaluation.runs.load_encoder", lambda settings: FakeEncoder())
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    for line in ("feedback export set", "eval set --html report.html"):
        assert CliRunner().invoke(app, [*line.split(), "--index", str(config.index.path)]).exit_code == 0
    report = context.new_page()
    report.set_content(Path("report.html").read_text())
    expect(report.locator("body")).to_contain_text(f"Where landed the zeppelin {payload}?")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marking_has_no_accessibility_fault(chromium: Browser, serve_page: Serve, indexed: Config, theme: Literal["light", "dark"]) -> None:
    context = chromium.new_context(viewport={"width": 1400, "height": 800}, color_scheme=theme)
    page = open_page(context, serve_page(Pipeline(indexed, encoder=FakeEncoder()), indexed))
    ask(page, QUESTION)
    open_to_select(page)
    select(page, "#article .body", "16 July 1969")
    page.get_by_role("button", name="These words answer").click()
    expect(thanks(page)).to_have_text("Thanks, kept.")
    assert faults(page) == []
    context.close()


# What a stranger may send, without the page


@pytest.mark.parametrize(("setting", "right", "expected"), [(True, "editor", True), (True, "reader", False), (False, "editor", False)])
def test_who_may_mark(setting: bool, right: Right, expected: bool) -> None:
    assert feedback.allowed(Config().replace("ui.feedback", setting), Visitor("ann", right)) is expected


def test_without_permission_there_are_no_buttons_and_the_event_refuses(
    context: BrowserContext, serve_page: Serve, indexed: Config, kept: Feedback
) -> None:
    config = indexed.replace("ui.feedback", False)
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    ask(page, QUESTION)
    expect(page.locator(".judging")).to_have_count(0)
    page.get_by_role("button", name="Source 1").first.click()
    page.locator("#article h2").wait_for()
    expect(page.locator(".selecting")).to_have_count(0)
    pressed = {"exchange": 0, "verdict": "right"}
    told = feedback.judge(config, Visitor(right="editor"), lambda name: MOON, None, pressed)
    assert told["problem"] == "answers cannot be marked here: set ui.feedback = true"
    told = feedback.judge(indexed, Visitor("bob", "reader"), lambda name: MOON, None, pressed)
    assert told["problem"] == "answers are marked by editors, and you are a reader"
    assert kept.judgements() == []
