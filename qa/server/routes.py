"""The routes that are served, of all that Gradio and the page have: what the page and its endpoints need, and nothing else.

Gradio also has routes that serve files, fetch addresses, record and run code; they are closed by not being listed here.
"""

from __future__ import annotations

import re

API = "/gradio_api"
_NAME = r"[\w.-]+"
_FILE = rf"{_NAME}(/{_NAME})*"

_PUBLIC = ("/login", rf"/qa-static/{_NAME}", r"/favicon\.ico", r"/robots\.txt", "/healthz", "/readyz")
_GET = (
    *_PUBLIC,
    "/",
    "/docs",
    r"/docs/schemas\.json",
    "/metrics",
    "/config",
    rf"/assets/{_FILE}",
    rf"/static/{_FILE}",
    r"/theme\.css",
    r"/manifest\.json",
    rf"{API}/(info|app_id|startup-events|queue/data)",
    rf"{API}/heartbeat/{_NAME}",
    rf"{API}/call/(v2/)?{_NAME}/{_NAME}",
)
_EVENTS = (rf"{API}/queue/join", rf"{API}/(run|call|call/v2)/{_NAME}")
_POST = ("/login", "/logout", *_EVENTS, rf"{API}/(cancel|reset)")
_UPLOAD, _UPLOAD_PROGRESS, _MCP = rf"{API}/upload", rf"{API}/upload_progress", "/mcp"


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One of them, with or without a slash at the end, never two."""
    return re.compile(f"({'|'.join(patterns)})((?<!/)/)?", re.ASCII)


_public, _events, _up = _any(_PUBLIC), _any((*_EVENTS, _MCP)), _any((_UPLOAD,))


class Routes:
    """What is open: always the page; uploads and the tools for language models where they are on."""

    def __init__(self, uploads: bool = False, mcp: bool = False) -> None:
        self.uploads = uploads
        tools = (_MCP,) * mcp
        get = _any((*_GET, *(_UPLOAD_PROGRESS,) * uploads, *tools))
        post = _any((*_POST, *(_UPLOAD,) * uploads, *tools))
        self._open = {"GET": get, "HEAD": get, "POST": post, "DELETE": _any(tools or ("(?!)",))}

    def is_open(self, method: str, path: str) -> bool:
        """`path` is decoded: a percent sign that is left in it, or a step upwards, fits no pattern."""
        return method in self._open and ".." not in path and bool(self._open[method].fullmatch(path))


def is_public(path: str) -> bool:
    """Served to who has not signed in: the form to do so, and whether the server lives."""
    return bool(_public.fullmatch(path))


def is_event(path: str) -> bool:
    """Where Gradio's events and the endpoints for programs begin, by POST."""
    return bool(_events.fullmatch(path))


def is_upload(path: str) -> bool:
    return bool(_up.fullmatch(path))


def is_held(method: str, path: str) -> bool:
    """The streams that an open page, or a tool, holds for as long as it is open."""
    return method == "GET" and (path.startswith(f"{API}/heartbeat/") or path.rstrip("/") == _MCP)
