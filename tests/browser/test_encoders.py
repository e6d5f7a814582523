"""The list of models on the page: building one while the other answers, switching and back, and both side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from browser.pages import Serve, ask, open_page
from browser.test_accessibility import faults
from fake_pipeline import ARTICLES, MOON
from fakes import FakeEncoder
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tiny_models import save_model

from qa.config import Config
from qa.encoder import Encoder, Vectors, load_encoder
from qa.indexer import add_vectors, index_articles
from qa.pipeline import Pipeline
from qa.ui import switching

Filled = Callable[..., Config]
QUESTION = "Who stepped onto the surface?"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    texts = [f"{one.title} {one.text}" for one in ARTICLES]
    return [save_model(folder / name, texts, 16 + 8 * seed, seed) for seed, name in enumerate(("first-model", "second-model"))]


@pytest.fixture
def config(config: Config, models: list[Path]) -> Config:
    """The first model answers, has its vectors, and cuts passages; the second has none, and a third is not there."""
    listed = [str(models[1]), str(models[1].parent / "gone")]
    config = config.replace("embedding.model", str(models[0])).replace("embedding.others", listed)
    config = config.replace("embedding.backend", "torch").replace("passages.size", 40)
    index_articles(config, ARTICLES)
    return config


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, building stops before its second batch of one passage."""
    opened = threading.Event()
    monkeypatch.setattr("qa.batches.STEP", 1)

    def gated(settings: object) -> Encoder:
        encoder = load_encoder(settings)  # type: ignore[arg-type]
        encode = encoder.encode_passages
        started: list[int] = []

        def wait(texts: Sequence[str]) -> Vectors:
            if started:
                opened.wait()
            started.append(1)
            return encode(texts)

        encoder.encode_passages = wait  # type: ignore[method-assign]
        return encoder

    monkeypatch.setattr(switching, "load_encoder", gated)
    yield opened
    opened.set()


def row(page: Page, name: str) -> Locator:
    return page.locator("#header .models li", has_text=name)


def test_the_second_is_built_while_the_first_answers_then_answers_itself_and_the_way_back_is_one_press(
    context: BrowserContext, serve_page: Serve, config: Config, gate: threading.Event
) -> None:
    config = config.replace("ui.allow_changes", True)
    pipeline = Pipeline(config)
    page = open_page(context, serve_page(pipeline, config))
    expect(page.locator("#header .state")).to_contain_text("3 articles")
    page.locator("#header .models summary").click()
    first, second, gone = (row(page, name) for name in ("first-model", "second-model", "gone"))
    expect(first).to_contain_text("answers")
    expect(gone).to_contain_text("model folder not found")
    expect(second).to_contain_text("Vectors of 0 of")

    second.get_by_role("button", name="Build its vectors and answer with it").click()
    expect(second).to_contain_text("Building vectors, 1 of")
    expect(page.locator("#header .models")).to_have_attribute("open", "")
    expect(gone.get_by_role("button")).to_have_count(0)  # one at a time
    ask(page, QUESTION)
    assert pipeline.ask(QUESTION).encoder == pipeline.encoder.fingerprint

    gate.set()
    page.locator("#header .models summary").click()
    expect(second.locator(".tag")).to_have_text("answers")
    expect(page.locator("#header .state")).to_contain_text("second-model")
    assert pipeline.ask(QUESTION).encoder != pipeline.encoder.fingerprint
    ask(page, QUESTION)

    page.locator("#header .models summary").click()
    first.get_by_role("button", name="Answer with it").click()
    expect(first.locator(".tag")).to_have_text("answers")
    expect(page.locator("#header .state")).to_contain_text("first-model")
    assert pipeline.ask(QUESTION).encoder == pipeline.encoder.fingerprint


def test_both_are_shown_side_by_side_to_everybody(context: BrowserContext, serve_page: Serve, config: Config, models: list[Path]) -> None:
    page = open_page(context, serve_page(Pipeline(config), config))
    expect(page.locator("#header .state")).to_contain_text("3 articles")
    page.locator("#header .models summary").click()
    page.get_by_role("button", name="Compare side by side").click()
    page.get_by_role("textbox", name="A question for both models").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("#compared .notice")).to_contain_text(f"add them: qa index --encoder {models[1]} --index")

    add_vectors(config, load_encoder(config.embedding.each()[1]))
    page.get_by_role("button", name="Compare").click()
    columns = page.locator("#compared .columns > section")
    expect(columns).to_have_count(2)
    assert columns.locator("h2").all_text_contents() == ["first-model", "second-model"]
    left, right = Pipeline(config).compare(QUESTION, [load_encoder(one) for one in config.embedding.each()[:2]])
    for column, hits, other in ((columns.nth(0), left, right), (columns.nth(1), right, left)):
        expect(column.locator("li")).to_have_count(len(hits))
        numbers = [hit.passage.number for hit in other]
        for item, hit in zip(column.locator("li").all(), hits, strict=True):
            place = numbers.index(hit.passage.number) + 1 if hit.passage.number in numbers else 0
            expect(item.locator(".tag")).to_contain_text(str(place) if place else "only here")
            expect(item.locator(".scores")).to_contain_text(f"Score {hit.score:.2f} · meaning {hit.dense_score:.2f}")
    page.locator("#header .models summary").click()
    assert faults(page) == []
    page.set_viewport_size({"width": 375, "height": 800})
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_without_permission_nothing_can_be_pressed_and_the_event_refuses(
    context: BrowserContext, serve_page: Serve, config: Config
) -> None:
    pipeline = Pipeline(config)
    address = serve_page(pipeline, config)
    page = open_page(context, address)
    page.locator("#header .models summary").click()
    expect(row(page, "second-model")).to_contain_text("Vectors of 0 of")
    expect(page.locator("#header .models li button")).to_have_count(0)
    functions = context.request.get(f"{address}config").json()["dependencies"]
    number = next(function["id"] for function in functions if function["api_name"] == "use")
    event = {"data": [], "event_data": {"encoder": "1"}, "fn_index": number, "session_hash": "stranger"}
    context.request.post(f"{address}gradio_api/queue/join", data=event)
    told = context.request.get(f"{address}gradio_api/queue/data?session_hash=stranger").text()
    assert "the model cannot be changed here" in told


def test_with_one_model_the_list_says_how_there_could_be_more(context: BrowserContext, serve_page: Serve, filled: Filled) -> None:
    page = open_page(context, serve_page(Pipeline(filled(MOON), encoder=FakeEncoder())))
    expect(page.get_by_role("tab", name="Compare")).to_have_count(0)
    page.locator("#header .models summary").click()
    expect(page.locator("#header .models .hint")).to_contain_text("embedding.others")
    page.keyboard.press("Escape")
    expect(page.locator("#header .models")).not_to_have_attribute("open", "")
