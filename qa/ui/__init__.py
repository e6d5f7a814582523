"""The page: `serve(config)` builds it and serves it until it is stopped. Only this package imports Gradio."""

from __future__ import annotations

import os
import socket
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported

import gradio as gr
from starlette.middleware import Middleware

from qa.config import Config
from qa.errors import ConfigError
from qa.pipeline import Pipeline
from qa.ui import changes, docs, mcp, theme
from qa.ui.api import Api
from qa.ui.backend import Backend
from qa.ui.limits import Limits
from qa.ui.line import AT_ONCE, WAITING
from qa.ui.page import build_page

SPARE_THREADS = 40  # for everything that is not a question
MOST_EVENTS = 1000  # of Gradio's own queue, which only the number of threads holds up: who waits for an answer waits in qa.ui.line


def serve(config: Config, pipeline: Pipeline | None = None, *, block: bool = True) -> gr.Blocks:
    """Serve the page on `ui.host` and `ui.port`. The page is there at once; the models load behind it."""
    port = _free_port(config.ui.host, config.ui.port)
    backend = Backend(pipeline or Pipeline(config))
    backend.start()
    api = Api(backend.pipeline, backend.line)
    page = build_page(config, backend, api).queue(max_size=MOST_EVENTS, default_concurrency_limit=None)
    page.launch(
        server_name=config.ui.host,
        server_port=port,
        theme=theme.theme(),
        css_paths=theme.STYLE_SHEETS,
        app_kwargs=_around(config, api),
        max_threads=AT_ONCE + WAITING + SPARE_THREADS,
        footer_links=[],
        share=False,
        ssr_mode=False,
        pwa=False,
        quiet=True,
        prevent_thread_lock=True,
        blocked_paths=[str(config.index.path)],
        max_file_size=f"{config.index.max_file_mb}mb",
    )
    print(f"{config.ui.title}: http://{config.ui.host}:{port} (stop with Ctrl+C)", flush=True)
    if block:
        page.block_thread()
    return page


def _around(config: Config, api: Api) -> dict[str, Any]:
    """What is served beside Gradio's page."""
    routes = [*theme.routes(), *docs.routes(config, api)]
    middleware = [*theme.middleware(), Middleware(Limits, uploads=changes.allowed(config))]
    if not config.ui.mcp:
        return {"middleware": middleware, "routes": routes}
    server = mcp.mcp_server(config, api)
    routes += server.streamable_http_app().routes
    return {"middleware": middleware, "routes": routes, "lifespan": mcp.running(server)}


def _free_port(host: str, port: int) -> int:
    """`port`, or a free one for 0. Taken already: an error that names the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"cannot serve on {host}:{port}: {reason} (choose another port: qa serve --port 7861)") from None
        return int(probe.getsockname()[1])
