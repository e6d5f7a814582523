"""What every response tells the browser: nothing from or to other hosts, no frame around the page, no script but its own.

Gradio builds functions from text in the browser, so the page needs `unsafe-eval`; its inline scripts are let through by a number that each
response has anew. Inline event handlers (`onerror=`) never run.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN = {
    "default-src": "'none'",
    "base-uri": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "img-src": "'self' data:",
    "manifest-src": "'self'",
    "script-src-attr": "'none'",
    "style-src": "'self'",
}


def _policy(sources: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {allowed}" for name, allowed in sources.items())


HEADERS = {
    "content-security-policy": _policy(_OWN),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
SECURE_HEADERS = {"strict-transport-security": "max-age=31536000"}  # where the page is served by https
SCRIPT = b"<script"


def page_policy(nonce: str) -> str:
    """For Gradio's page, whose components bring styles of their own."""
    scripts = f"'self' 'nonce-{nonce}' 'unsafe-eval'"
    return _policy({**_OWN, "script-src": scripts, "style-src": "'self' 'unsafe-inline'"})


class SecurityHeaders:
    """ASGI middleware: HEADERS on every response that does not have them already."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        told: Mapping[str, str] = {**HEADERS, **SECURE_HEADERS} if scope["scheme"] == "https" else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.lower().startswith("access-control-")]:
                    del headers[name]  # of what Gradio lets other sites read: none may read anything
                for name, value in told.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Nonces:
    """ASGI middleware around Gradio's own pages, before they are compressed: their scripts get this response's number."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        held: list[Message] = []
        nonce = secrets.token_urlsafe(16)

        async def send_with_nonce(message: Message) -> None:
            if message["type"] == "http.response.start" and Headers(scope=message).get("content-type", "").startswith("text/html"):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body"):
                    await _send_numbered(held, nonce, send)

        await self.app(scope, receive, send_with_nonce)


async def _send_numbered(held: list[Message], nonce: str, send: Send) -> None:
    start, *parts = held
    body = b"".join(part.get("body", b"") for part in parts).replace(SCRIPT, SCRIPT + f' nonce="{nonce}"'.encode())
    headers = MutableHeaders(scope=start)
    headers["content-security-policy"] = page_policy(nonce)
    headers["content-length"] = str(len(body))
    headers["cache-control"] = "no-store"  # the number is for once, and nobody goes back to it after signing out
    await send(start)
    await send({"type": "http.response.body", "body": body})
