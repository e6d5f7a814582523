"""What the server takes from a browser: no body without end, and no file where nobody may add articles."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOADS = "/upload"  # the end of the path that takes files
LARGEST_BODY = 32 << 20  # bytes of anything else: a long conversation that comes along with its question


class Limits:
    """ASGI middleware. `uploads`: whether files are taken at all; how large they may be is Gradio's to check."""

    def __init__(self, app: ASGIApp, uploads: bool) -> None:
        self.app = app
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].rstrip("/").endswith(UPLOADS):
            if self.uploads:
                return await self.app(scope, receive, send)
            return await _refuse(403, "files are not taken here (ui.allow_changes)")(scope, receive, send)
        if _announced(scope) > LARGEST_BODY:
            return await _refuse(413, f"too large: at most {LARGEST_BODY >> 20} MiB are taken")(scope, receive, send)
        return await self.app(scope, _counted(receive), send)


def _announced(scope: Scope) -> int:
    size = dict(scope["headers"]).get(b"content-length", b"0")
    return int(size) if size.isdigit() else 0


def _counted(receive: Receive) -> Receive:
    """A body that was not announced ends, as if the browser had gone, when it has been too much."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= LARGEST_BODY else {"type": "http.disconnect"}

    return counted


def _refuse(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"detail": reason}, status)
