"""The endpoints as tools for language models, by the Model Context Protocol over HTTP at `/mcp`: the four that read, and nothing else.

Needs the extra `qa[mcp]`. The official server is used rather than Gradio's, whose answers are Python's `repr` instead of JSON and
which would offer whatever else the page names.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from qa.config import Config
from qa.errors import ConfigError
from qa.ui.api import Api, Endpoint

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

PATH = "/mcp"
THREADS = 160  # of its own, for tools that wait their turn in the line: the page must not wait with them
INSTRUCTIONS = """Questions to a collection of articles, answered in the articles' own words. `ask` gives quotes with their exact places, or
null when the articles don't say: then say so, and do not answer from elsewhere. `search` gives passages, `articles` the list,
`article` a whole text. Quote only what stands in `quote` or `text`, and name the article."""


def mcp_server(config: Config, api: Api) -> FastMCP[Any]:
    """The server, not yet running. ConfigError where the extra is not installed."""
    try:
        from mcp.server.fastmcp import FastMCP
        from mcp.server.transport_security import TransportSecuritySettings
        from mcp.types import ToolAnnotations
    except ImportError:
        raise ConfigError("ui.mcp = true needs another package (pip install 'qa[mcp]')") from None
    server: FastMCP[Any] = FastMCP(
        config.ui.title,
        INSTRUCTIONS,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the guard checks, by names of our own
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        log_level="WARNING",
    )
    reads = ToolAnnotations(readOnlyHint=True, destructiveHint=False, idempotentHint=True, openWorldHint=False)
    threads = anyio.CapacityLimiter(THREADS)
    for endpoint in api.endpoints:
        server.add_tool(_beside(endpoint, threads), description=inspect.getdoc(endpoint), annotations=reads)
    return server


def running(server: FastMCP[Any]) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """What the page's server has to do around its own life."""
    return lambda app: server.session_manager.run()


def _beside(endpoint: Endpoint, threads: anyio.CapacityLimiter) -> Callable[..., Awaitable[Any]]:
    """The endpoint in a thread of its own: a question takes a while, and the server goes on."""

    @functools.wraps(endpoint)
    async def tool(**arguments: Any) -> Any:
        return await anyio.to_thread.run_sync(functools.partial(endpoint, **arguments), limiter=threads)

    return tool
