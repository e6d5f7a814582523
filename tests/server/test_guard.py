"""The guard before an application that answers everything: what does not come through."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from qa.config import Config
from qa.server import guard as guarding
from qa.server import sign_in as signing
from qa.server.guard import Guard
from qa.server.headers import HEADERS, SecurityHeaders
from qa.server.record import Record
from qa.server.routes import Routes
from qa.server.sign_in import SignIn
from qa.server.users import Users

ASK = "/gradio_api/call/ask"
HERE = "http://127.0.0.1:7860"
PASSWORD = "correct horse battery"
Clients = Callable[..., TestClient]


async def seen(request: Request) -> JSONResponse:
    visitor = request.state.visitor
    told = {"name": visitor.name, "right": visitor.right, "address": visitor.address, "scheme": request.url.scheme}
    return JSONResponse({**told, "headers": sorted(request.headers), "body": (await request.body()).decode()})


def kind_of(path: str, sent: object) -> guarding.Kind | None:
    return {"q": "question", "c": "change"}.get(str(sent))  # type: ignore[return-value]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config().replace("server.users", tmp_path / "users.json").replace("server.log", tmp_path / "qa.log")


@pytest.fixture
def client(config: Config) -> Clients:
    """client(setting=value, …) -> a browser's client of the guarded application; with users where one has to sign in."""

    def serve(users: bool = False, peer: str = "127.0.0.1", base_url: str = HERE, **settings: object) -> TestClient:
        told = config
        for name, value in settings.items():
            told = told.replace(name.replace("__", "."), value)
        record = Record(told)
        sign_in = SignIn(told, record, clock=lambda: 0.0) if users else None
        if sign_in:
            Users(told.server.users).add("ann", PASSWORD, "editor")
            Users(told.server.users).add("bob", PASSWORD, "reader")
        routes = [*(sign_in.routes if sign_in else ()), Route("/{path:path}", seen, methods=["GET", "POST"])]
        app = SecurityHeaders(Guard(Starlette(routes=routes), told, record, sign_in, Routes(), kind_of))
        return TestClient(app, base_url=base_url, client=(peer, 40000), follow_redirects=False, raise_server_exceptions=False)

    return serve


def signed_in(client: TestClient, name: str = "ann") -> TestClient:
    assert client.post("/login", data={"username": name, "password": PASSWORD}).status_code == 200
    return client


# --- this machine alone --------------------------------------------------------------------------------------------------------


def test_whoever_sits_at_this_machine_does_everything_and_is_asked_nothing(client: Clients) -> None:
    told = client().post(ASK, content=f'"{"x" * 1000}"').json()
    assert (told["name"], told["right"], told["body"]) == ("", "editor", f'"{"x" * 1000}"')


def test_every_answer_has_the_headers_also_a_refusal(client: Clients) -> None:
    for response in (client().get("/"), client().get("/nowhere"), client().get("/", headers={"Host": "evil.example"})):
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in response.headers and "strict-transport-security" not in response.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.nip.io", ""])
def test_a_name_that_was_made_to_lead_here_is_refused(client: Clients, host: str) -> None:
    assert client().get("/config", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},  # another server on this machine
        {"Origin": "http://localhost:7860"},
        {"Origin": "http://127.0.0.1:7860.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},  # a form of another site
    ],
)
@pytest.mark.parametrize("path", [ASK, "/gradio_api/queue/join", "/gradio_api/cancel", "/login"])
def test_another_sites_page_changes_and_asks_nothing(client: Clients, path: str, headers: dict[str, str]) -> None:
    response = client().post(path, headers=headers)
    assert (response.status_code, response.json()) == (403, {"detail": "another site's page may not do this"})
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}])
def test_another_sites_page_reads_nothing(client: Clients, headers: dict[str, str]) -> None:
    assert client().get("/config", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": HERE}, {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Site": "none"}]
)
def test_the_page_and_programs_may(client: Clients, headers: dict[str, str]) -> None:
    assert client().post(ASK, headers=headers).status_code == 200


def test_a_link_from_another_site_opens_the_page(client: Clients) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client().get("/?q=Who", headers=headers).status_code == 200


def test_a_page_for_this_machine_alone_is_not_passed_on_by_a_proxy(client: Clients) -> None:
    for header in ("X-Forwarded-For", "Forwarded"):
        assert client().get("/", headers={header: "198.51.100.1"}).status_code == 403


def test_preflights_and_websockets_are_refused(client: Clients) -> None:
    response = client().options(ASK, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert response.status_code == 403
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/"):
        pass


def test_a_body_without_end_is_refused_announced_or_not(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "LARGEST_BODY", 1 << 20)
    chunks = (b"x" * 1000 for _ in range(2000))
    for content in (b"x" * (1 << 20) + b"x", chunks):
        response = client().post(ASK, content=content)
        assert (response.status_code, response.json()["detail"]) == (413, "too large: at most 1 MiB are taken")
    assert client().post("/login", content=b"x" * 9000).status_code == 413
    assert client().post(ASK, content=(b"7" * 1000 for _ in range(4))).json()["body"] == "7" * 4000


FILE = {"path": "http://127.0.0.1:9999/x", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"data": [FILE]}).encode(),
        json.dumps({"data": [[{"x": {"y": [FILE]}}]]}).encode(),
        json.dumps({"data": [FILE]}).encode().replace(b"FileData", b"\\u0046ileData").replace(b"http", b"\\u0068ttp"),
        json.dumps({"data": [FILE]}).encode("utf-16"),
        json.dumps({"data": [{**FILE, "path": "HTTPS://example.org"}]}).encode(),
        json.dumps({"data": [{**FILE, "path": "file:///etc/passwd"}]}).encode(),
    ],
)
def test_no_event_has_the_server_fetch_an_address(client: Clients, body: bytes) -> None:
    response = client().post(ASK, content=body)
    assert (response.status_code, response.json()) == (400, {"detail": "no address is fetched here"})


def test_a_file_that_was_uploaded_and_an_address_in_text_come_through(client: Clients) -> None:
    sent = {
        "data": [
            {**FILE, "path": "/tmp/gradio/x/a.txt"},
            {**FILE, "path": "C:/gradio/a.txt"},
            "http://example.org",
            {"path": "http://example.org"},
        ]
    }
    assert client().post(ASK, json=sent).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\xfd", b"[" * 200_000])
def test_what_is_no_json_is_told(client: Clients, body: bytes) -> None:
    assert client().post(ASK, content=body).json() == {"detail": "this is not JSON"}


# --- users ---------------------------------------------------------------------------------------------------------------------


def test_a_stranger_gets_the_form_and_nothing_else(client: Clients) -> None:
    strange = client(users=True)
    assert strange.get("/login").status_code == 200
    for path in ("/", "/config", "/docs", "/gradio_api/info", "/gradio_api/queue/data", "/assets/x.js", "/gradio_api/heartbeat/x"):
        assert strange.get(path).status_code == 401
    for path in (ASK, "/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/cancel", "/logout"):
        assert strange.post(path).status_code == 401
    assert strange.get("/", headers={"Accept": "text/html"}).headers["location"] == "login"
    assert strange.get("/docs?x=y", headers={"Accept": "text/html"}).headers["location"] == "login?next=docs%3Fx%3Dy"
    assert strange.get("/docs/schemas.json", headers={"Accept": "text/html"}).headers["location"].startswith("../login?next=")


def test_who_signs_in_is_known_by_name_and_right(client: Clients) -> None:
    for name, right in (("ann", "editor"), ("bob", "reader")):
        told = signed_in(client(users=True), name).post(ASK).json()
        assert (told["name"], told["right"]) == (name, right)


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_from_plain_http_where_there_is_https(client: Clients) -> None:
    form = {"username": "ann", "password": PASSWORD}
    cookie = client(users=True).post("/login", data=form).headers["set-cookie"]
    assert cookie.startswith("qa-session-") and "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    response = client(users=True, base_url="https://127.0.0.1:7860").post("/login", data=form)
    assert response.headers["set-cookie"].startswith("__Host-qa-session-") and "Secure" in response.headers["set-cookie"]
    assert response.headers["strict-transport-security"]


def test_signing_out_ends_the_session_also_elsewhere(client: Clients) -> None:
    here = signed_in(client(users=True))
    token = dict(here.cookies)
    response = here.post("/logout", headers={"Accept": "text/html"})
    assert response.headers["location"] == "login" and '"storage"' in response.headers["clear-site-data"]
    assert client(users=True).get("/config", cookies=token).status_code == 401
    assert client(users=True).get("/logout").status_code == 404  # no other site's picture signs anybody out


def test_a_wrong_password_is_told_without_saying_what_was_wrong(client: Clients) -> None:
    strange = client(users=True)
    told = [strange.post("/login", data={"username": name, "password": "wrong password"}) for name in ("ann", "nobody")]
    assert [response.status_code for response in told] == [401, 401]
    assert told[0].json() == told[1].json()


def test_tries_are_limited_and_the_right_password_must_wait_too(client: Clients) -> None:
    strange = client(users=True)
    wrong = [strange.post("/login", data={"username": "ann", "password": f"wrong password {n}"}).status_code for n in range(6)]
    assert wrong == [401] * 5 + [429]
    response = strange.post("/login", data={"username": "ann", "password": PASSWORD})
    assert (response.status_code, response.headers["retry-after"]) == (429, "60")
    signed_in(strange, "bob")  # another name is free until the address has tried too often


def test_an_address_cannot_try_many_names(client: Clients) -> None:
    strange = client(users=True)
    tried = [strange.post("/login", data={"username": f"user{n}", "password": "wrong password"}).status_code for n in range(21)]
    assert tried == [401] * 20 + [429]


def test_right_passwords_do_not_count_as_tries(client: Clients) -> None:
    here = client(users=True)
    for _ in range(7):
        signed_in(here)


def test_programs_send_name_and_password_with_every_request(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    program = client(users=True)
    program.auth = ("bob", PASSWORD)
    checked = []
    check = Users.check
    monkeypatch.setattr(Users, "check", lambda self, name, password: checked.append(name) or check(self, name, password))
    assert [program.post(ASK).json()["name"] for _ in range(3)] == ["bob"] * 3
    assert checked == ["bob"]  # the password was checked once
    program.auth = ("bob", "wrong password")
    assert program.post(ASK).status_code == 401


def test_a_programs_new_password_or_removal_is_noticed(client: Clients, config: Config) -> None:
    program = client(users=True)
    program.auth = ("bob", PASSWORD)
    assert program.post(ASK).status_code == 200
    Users(config.server.users).remove("bob")
    assert program.post(ASK).status_code == 401


@pytest.mark.parametrize("sent", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Bearer x", "Basic Og=="])
def test_what_is_no_name_and_password_is_nobodys(client: Clients, sent: str) -> None:
    assert client(users=True).post(ASK, headers={"Authorization": sent}).status_code == 401


def test_wrong_passwords_of_programs_are_limited(client: Clients) -> None:
    program = client(users=True)
    program.auth = ("bob", "wrong password")
    assert [program.post(ASK).status_code for _ in range(6)] == [401] * 5 + [429]


# --- how often -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("setting", "body", "kind"), [("server__questions", '"q"', "question"), ("server__changes", '"c"', "change")])
def test_too_many_are_told_how_long_to_wait(client: Clients, setting: str, body: str, kind: str) -> None:
    here = signed_in(client(users=True, **{setting: 2}))
    assert [here.post(ASK, content=body).status_code for _ in range(2)] == [200, 200]
    response = here.post(ASK, content=body)
    assert (response.status_code, response.headers["retry-after"]) == (429, "30")
    assert response.json() == {"detail": f"too many {kind}s: wait 30 seconds, then go on"}
    assert here.post(ASK, content='"light"').status_code == 200
    assert here.get("/config").status_code == 200


def test_one_users_many_questions_take_nothing_from_another(client: Clients) -> None:
    here = signed_in(client(users=True, server__questions=1))
    assert [here.post(ASK, content='"q"').status_code for _ in range(2)] == [200, 429]
    here.cookies.clear()
    assert signed_in(here, "bob").post(ASK, content='"q"').status_code == 200


def test_one_person_alone_is_not_counted(client: Clients) -> None:
    here = client(server__questions=1)
    assert {here.post(ASK, content='"q"').status_code for _ in range(5)} == {200}


# --- proxies -------------------------------------------------------------------------------------------------------------------


def test_what_a_named_proxy_tells_is_believed(client: Clients) -> None:
    proxy = client(users=True, peer="10.0.0.1", server__proxies=("10.0.0.1",))
    proxy.auth = ("ann", PASSWORD)
    told = proxy.post(ASK, headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.1", "X-Forwarded-Proto": "https"}).json()
    assert (told["address"], told["scheme"]) == ("198.51.100.1", "https")
    lines = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-For", "198.51.100.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Proto", "http"),
    ]
    told = proxy.post(ASK, headers=lines).json()  # of two lines the proxy added the second
    assert (told["address"], told["scheme"]) == ("198.51.100.1", "http")


def test_what_anybody_else_tells_is_not_believed_here_or_later_on(client: Clients) -> None:
    stranger = client(users=True, peer="203.0.113.9", server__proxies=("10.0.0.1",))
    stranger.auth = ("ann", PASSWORD)
    claimed = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "Forwarded": "for=::1"}
    told = stranger.post(ASK, headers=claimed).json()
    assert (told["address"], told["scheme"]) == ("203.0.113.9", "http")
    assert not [name for name in told["headers"] if "forwarded" in name]


def test_tries_are_counted_by_the_address_that_is_behind_the_proxy(client: Clients) -> None:
    proxy = client(users=True, peer="10.0.0.1", server__proxies=("10.0.0.1",))

    def tried(address: str) -> int:
        form = {"username": "ann", "password": "wrong password"}
        return proxy.post("/login", data=form, headers={"X-Forwarded-For": address}).status_code

    assert [tried("198.51.100.1") for _ in range(6)] == [401] * 5 + [429]
    assert tried("198.51.100.2") == 401


# --- metrics and the end -------------------------------------------------------------------------------------------------------


def test_metrics_are_for_named_addresses_and_for_who_signed_in(client: Clients) -> None:
    assert client(users=True).get("/metrics").status_code == 200
    stranger = client(users=True, peer="203.0.113.9")
    assert stranger.get("/metrics").status_code == 401
    assert signed_in(stranger).get("/metrics").status_code == 200
    assert client(users=True, peer="203.0.113.9", server__metrics=("203.0.113.0/24",)).get("/metrics").status_code == 200


def test_a_server_that_is_being_stopped_takes_no_new_questions(config: Config) -> None:
    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        await PlainTextResponse("ok")(scope, receive, send)

    guard = Guard(app, config, Record(config), None, Routes(), kind_of)
    guard.closing = True
    with_guard = TestClient(guard, base_url=HERE)
    response = with_guard.post(ASK)
    assert response.status_code == 503 and response.headers["retry-after"] == "5"
    assert with_guard.get("/gradio_api/queue/data").status_code == 200  # answers under way are still fetched


def test_refusals_are_in_the_log(client: Clients, config: Config) -> None:
    client().get("/gradio_api/file=/etc/passwd")
    assert config.server.log is not None
    assert '"did": "refused", "status": 404, "what": "GET /gradio_api/file=/etc/passwd"' in config.server.log.read_text()


# --- the form ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "there"),
    [
        ("", "./"),
        ("docs", "./docs"),
        ("?q=Who+was+it%3F&__theme=x", "./?q=Who+was+it%3F"),
        ("./?q=Who", "./?q=Who"),
        ("https://evil.example", "./"),
        ("//evil.example", "./"),
        ("/\\evil.example", "./"),
        ("\\\\evil.example", "./"),
        ("./https://evil.example", "./"),
        (".//evil.example", "./"),
        ("javascript:alert(1)", "./"),
        ("docs/../../x", "./"),
        ("?q=a\r\nSet-Cookie: x=y", "./?q=a%0D%0ASet-Cookie%3A+x%3Dy"),
        ("\r\n//evil.example", "./"),
        ("?" + "&".join(["q=a"] * 1000), "./"),
    ],
)
def test_after_signing_in_one_goes_to_the_page_and_nowhere_else(client: Clients, after: str, there: str) -> None:
    assert signing.safe_next(after) == there
    form = {"username": "ann", "password": PASSWORD, "next": after}
    response = client(users=True).post("/login", data=form, headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["location"]) == (303, there)


@pytest.mark.parametrize(
    "form", [b"", b"\xff\xfe=&&&;%zz=%", b"&".join([b"username=ann"] * 500), b'{"username": "ann"}', b"username=ann&password=%00"]
)
def test_a_form_that_is_none_is_a_wrong_password(client: Clients, form: bytes) -> None:
    assert client(users=True).post("/login", content=form).status_code == 401


def test_the_form_shows_what_was_typed_as_text_and_never_the_password(client: Clients) -> None:
    form = {"username": '"><script>alert(1)</script>', "password": "wrong <password>", "next": '"><script>'}
    text = client(users=True).post("/login", data=form, headers={"Accept": "text/html"}).text
    assert "<script>" not in text and "wrong <password>" not in text and "&lt;script&gt;" in text
