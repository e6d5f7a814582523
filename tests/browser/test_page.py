"""The page as a reader meets it: a question, the quote, its source, the article at that place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from browser.pages import Serve, ask, open_page
from fake_pipeline import MOON, FakePipeline
from playwright.sync_api import BrowserContext, Page, expect

from qa.errors import StoreError
from qa.ui.backend import Backend


def test_an_answer_is_a_quotation_with_its_article_date_and_confidence(page: Page) -> None:
    ask(page, "When was Apollo 11 launched?")
    expect(page.locator("#chat .answer .quotation")).to_contain_text("“Apollo 11 was launched from Florida on 16 July 1969.”")
    expect(page.locator("#chat .answer .quotation mark.span")).to_have_text("16 July 1969")
    expect(page.locator("#chat .answer figcaption")).to_contain_text("Eagle lands on the Moon")
    expect(page.locator("#chat .answer figcaption")).to_contain_text("25 July 1969")
    expect(page.locator("#chat .confidence")).to_have_text("High confidence, 97%")


def test_the_source_card_highlights_the_quote_and_its_answer(page: Page) -> None:
    ask(page, "When was Apollo 11 launched?")
    card = page.locator("#sources .card").first
    expect(card.get_by_role("heading")).to_have_text("Eagle lands on the Moon")
    expect(card).to_contain_text("Also in Evening Post")
    assert "".join(card.locator("mark").all_text_contents()) == "Apollo 11 was launched from Florida on 16 July 1969."
    assert card.locator("mark.span").all_text_contents() == ["16 July 1969"]
    expect(card.get_by_role("link", name="On the web")).to_have_attribute(
        "href", "https://almanac.example/moon-landing#:~:text=Apollo%2011%20was%20launched,on%2016%20July%201969."
    )


def test_a_citation_chip_opens_the_whole_article_at_the_quote(page: Page) -> None:
    ask(page, "Which kilograms of lunar material were collected?")
    page.get_by_role("button", name="Source 1").first.click()
    article = page.locator("#article article")
    expect(article.get_by_role("heading")).to_have_text("Eagle lands on the Moon")
    expect(article).to_contain_text("The crew spent three weeks in quarantine.")
    marked = article.locator("mark.quote")
    expect(marked.first).to_be_in_viewport()
    assert "".join(marked.all_text_contents()) == "The two men collected 21.5 kilograms of lunar material."
    page.keyboard.press("Escape")
    expect(article).to_be_hidden()
    expect(page.locator("#sources .card").first).to_be_visible()


def test_escape_closes_an_open_menu_first_and_then_what_was_opened(page: Page) -> None:
    ask(page, "When was Apollo 11 launched?")
    page.get_by_role("button", name="Source 1").first.click()
    page.locator("#article h2").wait_for()
    summary = page.locator("#history .export summary")
    summary.click()
    page.keyboard.press("Escape")
    expect(page.locator("#history .export")).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()
    expect(page.locator("#article h2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#article h2")).to_be_hidden()
    question = page.get_by_role("textbox", name="Question")
    question.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(question).to_be_focused()


def test_the_articles_do_not_say_is_a_state_with_the_closest_passages(page: Page) -> None:
    ask(page, "Which penguins play the violin in the Pacific?")
    expect(page.locator("#chat .nothing")).to_contain_text("The articles don’t say.")
    expect(page.locator("#chat .closest")).to_contain_text("Columbia splashed down in the Pacific Ocean")
    expect(page.locator("#sources h2")).to_have_text("Closest passages")


def test_what_was_searched_and_how_near_the_best_guess_came_is_told(page: Page) -> None:
    ask(page, "Which penguins play the violin in the Pacific?")
    expect(page.locator("#chat .nothing")).to_contain_text("Searched all 3 articles (12 passages).")
    expect(page.locator("#chat .nothing")).to_contain_text(
        "The best guess was far from being shown: it is 24% sure, and answers are shown from 50% on."
    )
    ask(page, "Zzz?")
    expect(page.locator("#chat .nothing").last).to_contain_text("No passage has words that could be the answer.")
    expect(page.locator("#chat .exchange").last.get_by_role("button", name="Show the best guess anyway")).to_have_count(0)


def test_the_best_guess_is_shown_on_request_for_that_question_only_and_marked(page: Page) -> None:
    ask(page, "Which penguins play the violin in the Pacific?")
    page.get_by_role("button", name="Show the best guess anyway").click()
    guess = page.locator("#chat .exchange").nth(1)
    expect(guess.locator(".guess")).to_have_text(
        "Below the threshold: a guess that you asked for. It is 24% sure; answers are shown from 50% on."
    )
    expect(guess.locator(".quotation").first).to_contain_text("in the Pacific Ocean")
    ask(page, "Which penguins play the piano in the Pacific?")
    expect(page.locator("#chat .exchange").last).to_contain_text("The articles don’t say.")


def test_a_question_that_filters_left_unanswered_is_asked_of_all_articles(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.get_by_label("Source").click()
    page.get_by_role("option", name="tower.txt").click()
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator("#chosen .filters")).to_be_visible()
    ask(page, "When was Apollo 11 launched?")
    expect(page.locator("#chat .nothing")).to_contain_text("Searched 1 article (4 passages) from tower.txt.")
    page.get_by_role("button", name="Search all articles").click()
    expect(page.locator("#chat .exchange").nth(1).locator(".answer .quotation")).to_contain_text("16 July 1969")


def test_a_follow_up_shows_the_question_that_it_became_and_can_be_asked_as_written(page: Page) -> None:
    ask(page, "When was Apollo 11 launched?")
    ask(page, "How long were they in quarantine?")
    last = page.locator("#chat .exchange").last
    expect(last.locator(".standalone q")).to_have_text("How long were Apollo 11 in quarantine?")
    last.get_by_role("button", name="Ask only what I wrote").click()
    expect(page.locator("#chat .exchange:not(.pending)")).to_have_count(3)
    expect(page.locator("#chat .exchange").last.locator(".standalone")).to_have_count(0)


def test_an_example_question_is_asked_by_a_click_and_has_an_answer(page: Page) -> None:
    page.get_by_role("button", name="When was the Eiffel Tower completed?").click()
    expect(page.locator("#chat .answer .quotation")).to_contain_text("The Eiffel Tower was completed in March 1889.")


def test_a_reload_brings_the_conversation_back(page: Page) -> None:
    ask(page, "When was Apollo 11 launched?")
    page.reload()
    expect(page.locator("#chat .answer .quotation")).to_contain_text("16 July 1969")
    ask(page, "How long were they in quarantine?")
    expect(page.locator("#chat .standalone q")).to_have_text("How long were Apollo 11 in quarantine?")


def test_a_link_with_a_question_asks_it(context: BrowserContext, address: str) -> None:
    page = open_page(context, f"{address}?q=When was Apollo 11 launched%3F")
    expect(page.locator("#chat .answer .quotation")).to_contain_text("16 July 1969")


def test_the_page_is_there_before_the_models_and_a_question_waits_for_them(context: BrowserContext, serve_page: Serve) -> None:
    pipeline = FakePipeline()
    pipeline.loaded.clear()
    page = open_page(context, serve_page(pipeline))
    expect(page.locator("#header .state")).to_contain_text("Loading the models")
    page.get_by_role("textbox", name="Question").fill("When was Apollo 11 launched?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .working")).to_contain_text("Loading the models")
    pipeline.loaded.set()
    expect(page.locator("#chat .answer .quotation")).to_contain_text("16 July 1969")
    expect(page.locator("#header .state")).not_to_contain_text("Loading")


def test_a_missing_index_is_one_line_with_its_command_and_is_noticed_when_it_comes(context: BrowserContext, serve_page: Serve) -> None:
    pipeline = FakePipeline(problem=StoreError("no index in index/default (make one: qa index PATH)"))
    page = open_page(context, serve_page(pipeline))
    expect(page.locator("#header .notice")).to_have_text("no index in index/default (make one: qa index PATH)")
    page.get_by_role("textbox", name="Question").fill("When was Apollo 11 launched?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .notice")).to_have_text("no index in index/default (make one: qa index PATH)")
    pipeline.problem = None
    expect(page.locator("#header .state")).to_contain_text("3 articles")
    page.get_by_role("textbox", name="Question").fill("When was Apollo 11 launched?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .answer .quotation")).to_contain_text("16 July 1969")


def test_a_quote_that_left_its_place_is_an_error_and_not_shown(context: BrowserContext, serve_page: Serve) -> None:
    pipeline = FakePipeline()
    page = open_page(context, serve_page(pipeline))
    ask(page, "When was Apollo 11 launched?")
    pipeline.by_id["moon"] = type(MOON)("moon", MOON.title, "News: " + MOON.text, MOON.source, MOON.sha256)
    page.get_by_role("button", name="Source 1").first.click()
    expect(page.locator("#article .notice")).to_contain_text("no longer stands in the stored article")
    ask(page, "Which penguins play the violin?")
    expect(page.locator("#chat .exchange").first.locator(".notice")).to_contain_text("no longer stands in the stored article")
    expect(page.locator("#chat .exchange").first.locator(".quotation")).to_have_count(0)


def test_a_question_can_be_stopped(context: BrowserContext, serve_page: Serve) -> None:
    page = open_page(context, serve_page(FakePipeline(seconds=30)))
    page.get_by_role("textbox", name="Question").fill("When was Apollo 11 launched?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#chat .exchange")).to_have_count(0)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_the_next_question_is_heard_as_soon_as_it_can_be_asked(
    context: BrowserContext, serve_page: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_backend = Backend.ask

    def slow_to_end(*asked: Any) -> Iterator[Any]:
        yield from ask_backend(*asked)
        time.sleep(1)  # the answer is shown, but its event has not ended: Gradio drops what is asked until then

    monkeypatch.setattr(Backend, "ask", slow_to_end)
    page = open_page(context, serve_page(FakePipeline()))
    ask(page, "When was Apollo 11 launched?")
    ask(page, "Which penguins play the violin in the Pacific?")


@pytest.mark.parametrize("question", ["x" * 15_000, '"quotes" AND (NEAR* -operators)', "🌕🌖🌗", "${1}{{2}}`\\"])
def test_odd_questions_do_not_break_the_page(page: Page, question: str) -> None:
    ask(page, question)
    expect(page.locator("#chat .question")).to_have_text(question)
    ask(page, "When was Apollo 11 launched?")
    expect(page.locator("#chat .answer .quotation").last).to_contain_text("16 July 1969")


def test_an_empty_question_asks_nothing(page: Page) -> None:
    page.get_by_role("textbox", name="Question").fill("   ")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    expect(page.locator("#chat .exchange")).to_have_count(0)
