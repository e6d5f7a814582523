"""Adding and removing articles on the page: only where the configuration allows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from browser.pages import Serve, ask, open_page
from fake_pipeline import MOON
from fakes import FakeEncoder
from playwright.sync_api import BrowserContext, expect

from qa.config import Config
from qa.indexer import index_paths
from qa.pipeline import Pipeline
from qa.server.users import Right
from qa.server.visitors import Visitor
from qa.ui import changes

TOWER_TEXT = (
    "The Eiffel Tower\n\nThe Eiffel Tower was completed in March 1889. It was the tallest structure in the world for forty-one years.\n"
)
Filled = Callable[..., Config]


@pytest.fixture(autouse=True)
def _fake_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "index_paths", partial(index_paths, encoder=FakeEncoder()))


def test_files_are_added_and_articles_removed_where_it_is_allowed(
    context: BrowserContext, serve_page: Serve, filled: Filled, tmp_path: Path
) -> None:
    config = filled(MOON).replace("ui.allow_changes", True)
    good, bad = tmp_path / "tower.txt", tmp_path / "<img src=x onerror=alert(1)>.pdf"
    good.write_text(TOWER_TEXT)
    bad.write_bytes(b"\0\1\2")
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    page.get_by_role("tab", name="Library").click()
    page.get_by_role("button", name="Add articles").click()
    page.locator("#catalogue input[type=file]").set_input_files([good, bad])
    page.get_by_role("button", name="Add to the index").click()
    expect(page.locator("#report")).to_contain_text("1 added, 0 changed, 0 unchanged, 1 refused")
    expect(page.locator("#list .count")).to_have_text("2 articles")

    page.locator("#list button", has_text="Eagle lands on the Moon").click()
    page.locator("#page .menu summary").click()
    page.get_by_role("button", name="Yes, remove it from the index").click()
    expect(page.locator("#list .count")).to_have_text("1 article")
    page.get_by_role("tab", name="Ask").click()
    ask(page, "When was the Eiffel Tower completed in March?")
    expect(page.locator("#sources .card")).to_have_count(1)


def test_a_long_list_leaves_room_for_adding(context: BrowserContext, serve_page: Serve, filled: Filled) -> None:
    config = filled(*[replace(MOON, id=str(n), title=f"Moon {n}") for n in range(60)]).replace("ui.allow_changes", True)
    page = open_page(context, serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#list li")).to_have_count(60)
    box = page.get_by_role("button", name="Add articles").bounding_box()
    assert box is not None
    there = "([x, y]) => document.elementFromPoint(x, y).closest('button')?.innerText.trim()"
    assert page.evaluate(there, [box["x"] + 20, box["y"] + 5]).startswith("Add articles")


def test_without_permission_there_is_no_button_and_the_event_refuses(
    context: BrowserContext, serve_page: Serve, filled: Filled, tmp_path: Path
) -> None:
    config = filled(MOON)
    (tmp_path / "tower.txt").write_text(TOWER_TEXT)
    address = serve_page(Pipeline(config, encoder=FakeEncoder()), config)
    page = open_page(context, address)
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#list .count")).to_have_text("1 article")
    expect(page.get_by_role("button", name="Add articles")).to_have_count(0)
    assert "articles cannot be changed here" in _raise_event(context, address, "add", [None, str(tmp_path)])


def _raise_event(context: BrowserContext, address: str, name: str, data: list[object]) -> str:
    """What somebody can do who sends the page's events without the page."""
    functions = context.request.get(f"{address}config").json()["dependencies"]
    number = next(function["id"] for function in functions if function["api_name"] == name)
    context.request.post(f"{address}gradio_api/queue/join", data={"data": data, "fn_index": number, "session_hash": "stranger"})
    return context.request.get(f"{address}gradio_api/queue/data?session_hash=stranger").text()


@pytest.mark.parametrize(("on", "right", "expected"), [(True, "editor", True), (True, "reader", False), (False, "editor", False)])
def test_who_may_change(on: bool, right: Right, expected: bool) -> None:
    assert changes.allowed(Config().replace("ui.allow_changes", on), Visitor("ann", right)) is expected


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)])
def test_a_page_served_to_others_takes_no_files(host: str, expected: bool) -> None:
    assert changes.takes_files(Config().replace("ui.allow_changes", True).replace("ui.host", host)) is expected
