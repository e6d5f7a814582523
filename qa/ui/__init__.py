"""The page: `serve(config)` builds it and serves it until it is stopped. Only this package imports Gradio."""

from __future__ import annotations

import os
import sys
from typing import Any, cast

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported

import gradio as gr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from qa.config import Config
from qa.errors import ConfigError
from qa.pipeline import Pipeline
from qa.server.addresses import shared
from qa.server.guard import Guard
from qa.server.headers import Nonces, SecurityHeaders
from qa.server.health import health_routes
from qa.server.record import Record
from qa.server.routes import Routes
from qa.server.running import Served, Server, address_of, check_certificate, listen
from qa.server.sign_in import SignIn
from qa.ui import changes, docs, mcp, theme
from qa.ui.api import Api
from qa.ui.backend import Backend
from qa.ui.kinds import kinds_of
from qa.ui.line import AT_ONCE, WAITING
from qa.ui.page import build_page

SPARE_THREADS = 40  # for everything that is not a question
MOST_EVENTS = 1000  # of Gradio's own queue, which only the number of threads holds up: who waits for an answer waits in qa.ui.line


def serve(config: Config, pipeline: Pipeline | None = None, *, block: bool = True) -> Served | None:
    """Serve the page on `ui.host` and `ui.port`. The page is there at once; the models load behind it."""
    record = Record(config)
    sign_in = _sign_in(config, record)
    check_certificate(config)
    listening = listen(config)
    address = address_of(config, listening)
    backend = Backend(config, pipeline or Pipeline(config))
    backend.start()
    server = _server(config, backend, record, sign_in)
    if block:
        print(f"{config.ui.title}: {address.rstrip('/')} (stop with Ctrl+C)", flush=True)
        server.run(sockets=[listening])
        return None
    served = Served(server, listening, address)
    served.start()
    return served


def _sign_in(config: Config, record: Record) -> SignIn | None:
    """Needed where others reach the page. ConfigError without users."""
    if not (config.server.sign_in or shared(config)):
        return None
    sign_in = SignIn(config, record)
    if not any(sign_in.users):
        raise ConfigError(f"to serve to others, users must be set: qa users add NAME writes {config.server.users} (server.users)")
    if not (config.server.certificate or config.server.proxies or not shared(config)):
        print("qa: passwords travel in the clear: set server.certificate and server.key, or a proxy with https", file=sys.stderr)
    return sign_in


def _server(config: Config, backend: Backend, record: Record, sign_in: SignIn | None) -> Server:
    api = Api(config, backend.pipeline, backend.line, record)
    page = build_page(config, backend, api, record)
    app = _app(config, backend, record, sign_in, api, page)
    gradio = cast(Any, app.routes[-1]).app  # which was mounted last
    routes = Routes(uploads=changes.takes_files(config), mcp=config.ui.mcp)
    guard = Guard(app, config, record, sign_in, routes, kinds_of(page))
    record.watch("qa_waiting", "Questions that wait their turn.", lambda: backend.line.waiting)
    record.watch("qa_answering", "Requests that are being answered.", lambda: guard.answering)
    return Server(guard, SecurityHeaders(guard), config, gradio.stop_event.set)


def _app(config: Config, backend: Backend, record: Record, sign_in: SignIn | None, api: Api, page: gr.Blocks) -> Starlette:
    """Gradio's page, and what is served beside it."""
    routes = [*theme.routes(), *docs.routes(config, api), *health_routes(record, backend.waits_for)]
    routes += sign_in.routes if sign_in else []
    around: dict[str, Any] = {}
    if config.ui.mcp:
        server = mcp.mcp_server(config, api)
        routes += server.streamable_http_app().routes
        around["lifespan"] = mcp.running(server)
    page.max_threads = AT_ONCE + WAITING + SPARE_THREADS
    page.queue(max_size=MOST_EVENTS, default_concurrency_limit=None)
    app = Starlette(routes=routes, **around)
    # Everything is said here that an environment variable of Gradio's could say otherwise.
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        app_kwargs={"middleware": [Middleware(Nonces)]},
        theme=theme.theme(),
        css_paths=theme.STYLE_SHEETS,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        blocked_paths=[str(config.index.path)],
        show_error=False,
        max_file_size=f"{config.index.max_file_mb}mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return app
