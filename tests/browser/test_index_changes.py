"""The real pipeline under the page: an index that grows, loses its vectors, or is replaced while the page is open."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from browser.pages import Serve, ask, open_page
from fake_pipeline import MOON, QUARANTINE, TOWER
from fakes import FakeEncoder
from playwright.sync_api import BrowserContext, expect

from qa.config import Config
from qa.datatypes import Article
from qa.indexer import index_articles
from qa.pipeline import Pipeline

LOOKS = 12_000  # ms: the backend looks every 3 s, an open page asks it within 15 s
Filled = Callable[..., Config]


def test_articles_indexed_while_the_page_is_open_answer_at_once_and_are_counted(
    context: BrowserContext, serve_page: Serve, filled: Filled
) -> None:
    config = filled(MOON)
    encoder = FakeEncoder()
    page = open_page(context, serve_page(Pipeline(config, encoder=encoder)))
    expect(page.locator("#header .state")).to_contain_text("1 article ·", timeout=LOOKS)
    index_articles(config, [TOWER, QUARANTINE], encoder=encoder)
    ask(page, "When was the Eiffel Tower completed in March?")
    expect(page.locator("#sources .card h3").first).to_have_text("The iron lady of Paris")
    expect(page.locator("#header .state")).to_contain_text("3 articles ·", timeout=20_000)


def test_an_index_without_the_encoders_vectors_is_not_searched_and_the_command_is_shown(
    context: BrowserContext, serve_page: Serve, filled: Filled
) -> None:
    config = filled(MOON)
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder("0ther"))))
    expect(page.locator("#header .notice")).to_contain_text("qa index", timeout=LOOKS)
    ask(page, "When was Apollo 11 launched?")
    expect(page.locator("#chat .notice")).to_contain_text("qa index")


def test_an_index_replaced_by_another_is_taken_up(context: BrowserContext, serve_page: Serve, filled: Filled) -> None:
    config = filled(MOON)
    encoder = FakeEncoder()
    page = open_page(context, serve_page(Pipeline(config, encoder=encoder)))
    ask(page, "When was Apollo 11 launched from Florida?")
    expect(page.locator("#sources .card h3").first).to_have_text("Eagle lands on the Moon")
    shutil.rmtree(config.index.path)
    changed = Article("moon", MOON.title, "Corrected. " + MOON.text, MOON.source, "9" * 64)
    index_articles(config, [changed], encoder=encoder)
    page.get_by_role("button", name="Open in the article").first.click()
    expect(page.locator("#article .notice")).to_contain_text("no longer stands in the stored article")
    ask(page, "When was Apollo 11 launched from Florida, then?")
    expect(page.locator("#sources .card mark").first).to_contain_text("Apollo 11 was launched")
