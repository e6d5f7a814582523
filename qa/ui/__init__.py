"""The page: `serve(config)` builds it and serves it until it is stopped. Only this package imports Gradio."""

from __future__ import annotations

import os
import socket

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported

import gradio as gr

from qa.config import Config
from qa.errors import ConfigError
from qa.pipeline import Pipeline
from qa.ui import theme
from qa.ui.backend import Backend
from qa.ui.page import build_page

AT_ONCE = 8  # questions answered side by side; the models share the processor anyway
WAITING = 128  # questions that may wait; one more is told that the queue is full


def serve(config: Config, pipeline: Pipeline | None = None, *, block: bool = True) -> gr.Blocks:
    """Serve the page on `ui.host` and `ui.port`. The page is there at once; the models load behind it."""
    port = _free_port(config.ui.host, config.ui.port)
    backend = Backend(pipeline or Pipeline(config))
    backend.start()
    page = build_page(config, backend).queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
    page.launch(
        server_name=config.ui.host,
        server_port=port,
        theme=theme.theme(),
        css_paths=theme.STYLE_SHEETS,
        app_kwargs={"middleware": theme.middleware(), "routes": theme.routes()},
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
