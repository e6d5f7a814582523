"""The tools for language models, by the official client over HTTP. No browser is needed."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from browser.pages import Serve
from fake_pipeline import FakePipeline

from qa.config import Config

mcp = pytest.importorskip("mcp")

from mcp.client.streamable_http import streamablehttp_client  # noqa: E402

Talk = Callable[[Any], Awaitable[Any]]


@pytest.fixture(scope="module")
def served(serve_page: Serve) -> str:
    return serve_page(FakePipeline(), Config().replace("ui.mcp", True))


def talked(address: str, talk: Talk) -> Any:
    async def run() -> Any:
        async with streamablehttp_client(f"{address}mcp") as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            return await talk(session)

    with ThreadPoolExecutor(1) as alone:  # the thread of the tests may be running the browser's events
        return alone.submit(anyio.run, run).result()


def test_the_four_reading_endpoints_are_the_tools_and_nothing_else(served: str) -> None:
    tools = talked(served, lambda session: session.list_tools()).tools
    assert [tool.name for tool in tools] == ["ask", "search", "articles", "article"]
    assert all(tool.annotations.readOnlyHint and tool.description and tool.outputSchema for tool in tools)
    assert "only articles published on this day or later, YYYY-MM-DD" in tools[0].description


def test_a_tool_answers_with_the_document_of_the_endpoint(served: str) -> None:
    given = talked(served, lambda session: session.call_tool("ask", {"question": "When was Apollo 11 launched?"}))
    assert not given.isError
    assert given.structuredContent["answer"] == {"text": "16 July 1969", "confidence": 0.97, "citations": [1]}
    listed = talked(served, lambda session: session.call_tool("articles", {}))
    assert [article["id"] for article in listed.structuredContent["result"]] == ["moon", "quarantine.md", "tower.txt"]


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("article", {"id": "nope"}, "no article nope in the index"),
        ("ask", {"question": "x", "since": "soon"}, "since = 'soon' is not a date"),
        ("remove", {"id": "moon"}, "Unknown tool"),
    ],
)
def test_a_problem_is_an_error_of_one_line(served: str, tool: str, arguments: dict[str, str], problem: str) -> None:
    given = talked(served, lambda session: session.call_tool(tool, arguments))
    assert given.isError
    assert problem in given.content[0].text
    assert "\n" not in given.content[0].text


def test_another_sites_page_cannot_use_the_tools(served: str) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Origin": "https://evil.example"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{served}mcp", b"{}", headers))
    assert refused.value.code == 403


def test_without_the_setting_there_is_no_such_server(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"{address}mcp", b"{}", {"Content-Type": "application/json"}))
