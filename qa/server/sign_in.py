"""Signing in and out: a form for browsers, the same by plain POST for programs, or name and password with every request (Basic).

A wrong password costs as much work as a right one, and tries are counted by address, by name, and by both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa.config import Config
from qa.render import escape
from qa.server.addresses import household
from qa.server.buckets import Buckets
from qa.server.record import Record
from qa.server.sessions import Sessions
from qa.server.users import LONGEST, User, Users
from qa.server.visitors import Visitor

LARGEST_FORM = 8 << 10  # bytes
AT_ONCE = 2  # passwords checked side by side: each takes 64 MiB
REMEMBERED = 1000  # programs that send name and password with every request
AFTER = ("", "docs")  # where one may go from the form, relative to it


@dataclass(frozen=True)
class Tried:
    """What came of a name and a password: the user, or none and the seconds until the next try."""

    user: User | None = None
    wait: float = 0.0


class SignIn:
    """One per server."""

    def __init__(self, config: Config, record: Record, clock: Callable[[], float] = time.monotonic) -> None:
        self.title = config.ui.title
        self.clock = clock
        self.users = Users(config.server.users)
        self.sessions = Sessions(self.users, config.server.session_hours)
        self.record = record
        self._tries = Buckets(5, 300, clock), Buckets(20, 600, clock), Buckets(100, 3600, clock)  # by name and address, address, name
        self._at_once = anyio.CapacityLimiter(AT_ONCE)
        self._secret = secrets.token_bytes(32)
        self._programs: OrderedDict[str, tuple[str, str]] = OrderedDict()  # digest of what was sent -> name, hash of its password

    async def user(self, request: Request) -> Tried:
        """Who sends this request, by the session's cookie or by Basic."""
        token = request.cookies.get(self.cookie(request), "")
        user = self.sessions.user(token) if token else None
        if user:
            return Tried(user)
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        return await self._program(request, sent) if kind.lower() == "basic" else Tried()

    async def _program(self, request: Request, sent: str) -> Tried:
        """Checking a password is slow by design, so one that was right is remembered, as a digest, for as long as it is."""
        digest = hashlib.blake2b(sent.encode(), key=self._secret).hexdigest()
        name, password_hash = self._programs.get(digest, ("", ""))
        user = self.users.get(name)
        if user and user.password == password_hash:
            return Tried(user)
        try:
            name, _, password = base64.b64decode(sent, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return Tried()
        tried = await self.check(_address(request), name, password)
        if tried.user:
            self._programs[digest] = tried.user.name, tried.user.password
            while len(self._programs) > REMEMBERED:
                self._programs.popitem(last=False)
        return tried

    async def check(self, address: str, name: str, password: str) -> Tried:
        keys = f"{name[:64]} {household(address)}", household(address), name[:64]
        waits = [tries.take(key) for tries, key in zip(self._tries, keys)]
        user = None
        if not any(waits):
            user = await to_thread.run_sync(self.users.check, name, password, limiter=self._at_once)
        if user or any(waits):
            self._give_back(keys, waits)
        visitor = Visitor(user.name if user else "", address=address)
        if user:
            self.record.did(visitor, "signed in")
        else:
            self.record.refused(visitor, 429 if any(waits) else 401, "sign in", f"tried as {name[:64]}")
        return Tried(user, max(waits))

    def _give_back(self, keys: Sequence[str], waits: Sequence[float]) -> None:
        """Only a wrong password counts."""
        for tries, key, wait in zip(self._tries, keys, waits):
            if not wait:
                tries.give_back(key)

    # --- the form -----------------------------------------------------------------------------------------------------------------

    @property
    def routes(self) -> list[BaseRoute]:
        return [Route("/login", self.form), Route("/login", self.submit, methods=["POST"]), Route("/logout", self.leave, methods=["POST"])]

    async def form(self, request: Request) -> Response:
        return HTMLResponse(self._page(request.query_params.get("next", "")), headers=_UNKEPT)

    async def submit(self, request: Request) -> Response:
        fields = dict(_fields((await request.body()).decode(errors="replace")))
        name, password, after = (fields.get(field, "") for field in ("username", "password", "next"))
        tried = await self.check(_address(request), name.strip(), password)
        if not tried.user:
            return self._not_in(request, tried, name, after)
        browser = _is_browser(request)
        there = RedirectResponse(safe_next(after), 303, _UNKEPT) if browser else JSONResponse({"success": True}, headers=_UNKEPT)
        there.set_cookie(
            self.cookie(request),
            self.sessions.begin(tried.user),
            max_age=int(self.sessions.seconds),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return there

    async def leave(self, request: Request) -> Response:
        """Signs the user out everywhere, and has the browser forget what the page kept in it."""
        user = self.users.get(request.state.visitor.name)
        if user:
            await to_thread.run_sync(self.sessions.end, user)
            self.record.did(request.state.visitor, "signed out")
        there = RedirectResponse("login", 303, {**_UNKEPT, "clear-site-data": '"cache", "storage"'})
        there.delete_cookie(self.cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")
        return there

    def cookie(self, request: Request) -> str:
        """Its name. A browser takes `__Host-` only over https and from the host itself; two pages on one host have two keys."""
        name = f"qa-session-{hashlib.blake2b(self.users.key, digest_size=4).hexdigest()}"
        return f"__Host-{name}" if request.url.scheme == "https" else name

    def ask(self, request: Request) -> Response:
        """The answer to who has not signed in."""
        if request.method == "GET" and _is_browser(request):
            path = request.url.path
            asked = path.strip("/") + (f"?{request.url.query}" if request.url.query else "")
            form = "../" * (path.count("/") - 1) + "login"
            return RedirectResponse(form + (f"?next={quote(asked)}" if asked else ""), 303, _UNKEPT)
        reason = "you are not signed in: load the page again (programs: POST username and password to /login)"
        return JSONResponse({"detail": reason}, 401, _UNKEPT)

    def _not_in(self, request: Request, tried: Tried, name: str, after: str) -> Response:
        wait = math.ceil(tried.wait)
        problem = f"Too many tries. Wait {_duration(wait)}, then try again." if wait else "Name and password don’t match."
        status, headers = (429, {**_UNKEPT, "retry-after": str(wait)}) if wait else (401, _UNKEPT)
        if _is_browser(request):
            return HTMLResponse(self._page(after, name, problem), status, headers)
        return JSONResponse({"detail": problem}, status, headers)

    def _page(self, after: str, name: str = "", problem: str = "") -> str:
        """The form; `after` is where one goes from it."""
        told = f'<p class="notice" role="alert">{escape(problem)}</p>' if problem else ""
        focus = ("", " autofocus") if name else (" autofocus", "")
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(self.title)}: sign in</title><link rel="stylesheet" href="qa-static/sign-in.css"></head>
<body><main><h1>{escape(self.title)}</h1>
<p class="lead">Ask a question. The answer is a quotation from the articles, with the place where it stands.</p>
<form method="post" action="login">{told}
<input type="hidden" name="next" value="{escape(safe_next(after))}">
<label for="name">Name</label><input id="name" name="username" value="{escape(name[:64])}" autocomplete="username" autocapitalize="none"
spellcheck="false" maxlength="64" required{focus[0]}>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password"
maxlength="{LONGEST}" required{focus[1]}>
<button>Sign in</button></form></main></body></html>"""


_UNKEPT = {"cache-control": "no-store"}


def safe_next(after: str) -> str:
    """Where to go from the form: the page or its docs, with a question if there was one. Anything else is the page."""
    path, _, query = after.removeprefix("./").partition("?")
    if path not in AFTER:
        return "./"
    kept = urlencode([(key, value) for key, value in _fields(query) if key == "q"])
    return f"./{path}" + (f"?{kept}" if kept else "")


def _fields(text: str) -> list[tuple[str, str]]:
    """Of a form or a query; none when there are more than any of ours has."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return []


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
