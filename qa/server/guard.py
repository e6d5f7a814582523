"""The guard before the page: each request is looked at here first, by one check after the other, and most that is wrong ends here.

The order: where it comes from; whether it was meant for this page and by it (Host, Origin); whether the route is one of ours; whether the
server is closing; who sends it; how large it is; how often.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.config import Config
from qa.server import routes
from qa.server.addresses import is_served_name, networks, origin_of, shared, within
from qa.server.bodies import Unreadable, names_address, parsed
from qa.server.buckets import Buckets
from qa.server.record import Record
from qa.server.routes import Routes
from qa.server.sign_in import LARGEST_FORM, SignIn
from qa.server.visitors import Visitor, admit

LARGEST_BODY = 32 << 20  # bytes: a long conversation that comes along with its question

Kind = Literal["question", "change"]
KindOf = Callable[[str, object], Kind | None]  # path of an event and what it sends -> what it is, if it is counted


class Guard:
    """ASGI middleware. `sign_in` is None where nobody has to."""

    def __init__(self, app: ASGIApp, config: Config, record: Record, sign_in: SignIn | None, open_routes: Routes, kind_of: KindOf) -> None:
        self.app = app
        self.config = config
        self.record = record
        self.sign_in = sign_in
        self.routes = open_routes
        self.kind_of = kind_of
        self.closing = False
        self.answering = 0  # requests, apart from the streams that pages hold open
        self._shared = shared(config)
        self._proxies = networks(config.server.proxies, "server.proxies")
        self._metrics = networks(config.server.metrics, "server.metrics")
        self._rates = _rates(config, sign_in) if sign_in else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # no WebSocket is served
            return await send({"type": "websocket.close", "code": 1008})
        counted = not routes.is_held(scope["method"], scope["path"])
        self.answering += counted
        try:
            await self._answer(scope, receive, send)
        finally:
            self.answering -= counted

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._locate(scope)
        request = Request(scope)
        refusal = self._foreign(request) or self._closed(request) or await self._unknown(request)
        if refusal is None and request.method == "POST" and not routes.is_upload(request.url.path):
            largest = LARGEST_FORM if request.url.path.rstrip("/") in ("/login", "/logout") else LARGEST_BODY
            body = await _body(request, receive, largest)
            refusal = _refusal(413, f"too large: at most {_size(largest)} are taken") if body is None else self._unwanted(request, body)
            receive = _again(body or b"", receive)
        if refusal is None:
            return await self.app(scope, receive, send)
        if refusal.status_code >= 400 and refusal.status_code != 401:  # a page whose session is over goes on asking how things are
            visitor = scope["state"].get("visitor") or Visitor(address=_peer(scope))
            self.record.refused(visitor, refusal.status_code, f"{request.method} {request.url.path[:100]}", _reason(refusal))
        await refusal(scope, receive, send)

    def _locate(self, scope: Scope) -> None:
        """The client's own address and scheme where a proxy of ours tells them; nothing else that says so is believed, here or later on."""
        scope.setdefault("state", {})
        headers = MutableHeaders(scope=scope)
        peer = _peer(scope)
        forwarded = ", ".join(headers.getlist("x-forwarded-for"))  # a proxy may add a line of its own
        scheme = ", ".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip()
        scope["state"] = {**scope["state"], "forwarded": bool(forwarded or "forwarded" in headers)}
        for name in [name for name in headers if name.startswith("x-forwarded-") or name == "forwarded"]:
            del headers[name]
        if within(peer, self._proxies):
            scope["client"] = (origin_of(peer, forwarded, self._proxies), 0)
            scope["scheme"] = scheme if scheme in ("http", "https") else scope["scheme"]

    def _foreign(self, request: Request) -> Response | None:
        """Requests that another site's page has this browser make, and those for another name than ours."""
        host = request.headers.get("host", "")
        if not is_served_name(host, self.config):
            return _refusal(421, f"{host[:100]} is not served here (server.hosts names what is)")
        if request.scope["state"]["forwarded"] and not self._shared:
            return _refusal(403, "this page is for this machine alone, but a proxy passed this on (see: server.proxies)")
        if _from_elsewhere(request, host):
            return _refusal(403, "another site's page may not do this")
        return None

    def _closed(self, request: Request) -> Response | None:
        path = request.url.path
        if routes.is_upload(path) and not self.routes.uploads:
            return _refusal(403, "files are not taken here (ui.allow_changes)")
        if not self.routes.is_open(request.method, path):
            return _refusal(404, "there is nothing here")
        if self.closing and routes.is_event(path) and request.method == "POST":
            return _refusal(503, "the server is being stopped: try again in a moment", {"retry-after": "5"})
        return None

    async def _unknown(self, request: Request) -> Response | None:
        """Finds out who asks."""
        address = _peer(request.scope)
        if self.sign_in is None:
            admit(request.scope, Visitor(right="editor", address=address))
            return None
        tried = await self.sign_in.user(request)
        if tried.user:
            admit(request.scope, Visitor(tried.user.name, tried.user.right, address))
        elif tried.wait:
            return _refusal(429, "too many tries with a wrong password", {"retry-after": str(math.ceil(tried.wait))})
        elif not routes.is_public(request.url.path) and not self._may_measure(request):
            return self.sign_in.ask(request)
        else:
            admit(request.scope, Visitor(address=address))
        return None

    def _may_measure(self, request: Request) -> bool:
        return request.url.path == "/metrics" and within(_peer(request.scope), self._metrics)

    def _unwanted(self, request: Request, body: bytes) -> Response | None:
        """Of events: those that would have the server fetch an address, and too many."""
        if not routes.is_event(request.url.path):
            return None
        try:
            sent = parsed(body)
        except Unreadable:
            return _refusal(400, "this is not JSON")
        if names_address(sent):
            return _refusal(400, "no address is fetched here")
        kind = self.kind_of(request.url.path, sent) if self._rates else None
        return self._too_often(request, kind) if kind else None

    def _too_often(self, request: Request, kind: Kind) -> Response | None:
        wait = math.ceil(self._rates[kind].take(request.state.visitor.name))
        if not wait:
            return None
        return _refusal(429, f"too many {kind}s: wait {wait} second{'s' * (wait > 1)}, then go on", {"retry-after": str(wait)})


def _from_elsewhere(request: Request, host: str) -> bool:
    """Whether another site's page sends this, by what browsers say of it; programs say nothing. A link to the page may be followed."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] != host
    followed = request.method in ("GET", "HEAD") and request.headers.get("sec-fetch-mode") == "navigate"
    return not followed and request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _rates(config: Config, sign_in: SignIn) -> dict[Kind, Buckets]:
    """How often each user may ask, and change something, in a minute."""
    settings = config.server
    return {"question": Buckets(settings.questions, 60, sign_in.clock), "change": Buckets(settings.changes, 60, sign_in.clock)}


async def _body(request: Request, receive: Receive, largest: int) -> bytes | None:
    """The whole body, or None if it is too large: by what is announced, or by what comes."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > largest:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > largest:
            return None
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read, to be read once more; then whatever comes next, such as that the browser has gone."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return rest.pop() if rest else await receive()

    return again


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": reason}, status, {"cache-control": "no-store", **(headers or {})})


def _reason(refusal: Response) -> str:
    return bytes(refusal.body).decode().removeprefix('{"detail":"').removesuffix('"}')


def _peer(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else ""


def _size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
