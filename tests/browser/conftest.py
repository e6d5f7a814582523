"""A served page and a real Chromium. No request may leave this machine: every page fails its test if one tries."""

# ruff: noqa: E402
from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")

from browser.pages import Serve, open_page
from fake_pipeline import FakePipeline
from playwright.sync_api import Browser, BrowserContext, Page, Request

import qa.ui
from qa.config import Config
from qa.pipeline import Pipeline

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nor does the browser itself find another machine
]
LOCAL = ("http://127.0.0.1:", "data:", "blob:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def _quiet_client() -> Iterator[None]:
    """Gradio's client for programs would tell huggingface.co that it runs, and ask there what runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine (install it, or set CHROMIUM to its path)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve_page() -> Iterator[Serve]:
    """serve_page(pipeline, config) -> address. The servers stop with the session."""
    pages = []

    def serve(pipeline: FakePipeline | Pipeline, config: Config | None = None) -> str:
        config = (config or Config()).replace("ui.port", 0)
        page = qa.ui.serve(config, pipeline, block=False)
        pages.append(page)
        return str(page.local_url)

    yield serve
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def address(serve_page: Serve) -> str:
    return serve_page(FakePipeline())


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile that records requests to other hosts and page errors, and fails the test on either."""
    faults: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith(LOCAL):
            faults.append(f"request to another host: {request.url}")

    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.on("request", watch)
    context.on("weberror", lambda error: faults.append(f"page error: {error.error}"))
    context.on("dialog", lambda dialog: faults.append(f"a dialog opened: {dialog.message}"))
    yield context
    context.close()
    assert faults == []


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    return open_page(context, address)
