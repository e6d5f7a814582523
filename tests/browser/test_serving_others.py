"""A page that is served to others, as somebody outside finds it: what is open, what each may do, and that no file of the machine is had."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from browser.pages import PATIENCE, Serve, ask
from browser.test_accessibility import faults
from fake_pipeline import MOON
from fakes import FakeEncoder
from gradio_client import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from qa.config import Config
from qa.indexer import index_articles
from qa.pipeline import Pipeline
from qa.server.users import Users
from qa.store import Store

PASSWORD = "correct horse battery"
QUESTION = "When was Apollo 11 launched from Florida?"
SECRET = "the secret of this machine"


@dataclass(frozen=True)
class Site:
    """A page with two users, ann who may change things and bob who may ask."""

    address: str
    config: Config
    folder: Path

    @property
    def articles(self) -> list[str]:
        with Store.open(self.config.index.path) as store:
            return [article.id for article in store.summaries()]


@pytest.fixture(scope="module")
def site(serve_page: Serve, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    (folder / "secret.txt").write_text(f"A secret\n\n{SECRET}, which nobody is to have. It has two sentences.\n")
    config = Config()
    for name, value in {
        "index.path": folder / "index",
        "reader.model": "sentence",
        "server.users": folder / "users.json",
        "server.log": folder / "qa.log",
        "server.hosts": ("qa.example.org",),
        "server.folders": (folder / "drop",),
        "server.questions": 1000,
        "server.changes": 1000,
        "ui.allow_changes": True,
        "ui.mcp": True,
    }.items():
        config = config.replace(name, value)
    index_articles(config, [MOON], encoder=FakeEncoder())
    users = Users(config.server.users)
    users.add("ann", PASSWORD, "editor")
    users.add("bob", PASSWORD, "reader")
    return Site(serve_page(Pipeline(config, encoder=FakeEncoder()), config), config, folder)


class Caller:
    """Raw HTTP, so that no client tidies a path up. Signed in, if `name` is given."""

    def __init__(self, site: Site, name: str = "") -> None:
        self.place = urlsplit(site.address).netloc
        self.cookie = ""
        if name:
            form = urlencode({"username": name, "password": PASSWORD})
            status, _, headers = self.call("POST", "/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
            assert status == 200
            self.cookie = headers["set-cookie"].split(";")[0]

    def call(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection(self.place, timeout=60)
        sent = {**({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        connection.putrequest(method, path, skip_host=False)
        for name, value in {**sent, "Content-Length": str(len((body or "").encode()))}.items():
            connection.putheader(name, value)
        connection.endheaders((body or "").encode())
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        text = response.read().decode(errors="replace")
        connection.close()
        return response.status, text, told

    def raise_event(self, name: str, data: list[object], event_data: object = None) -> str:
        """What somebody can do who sends the page's events without the page, by each way that Gradio has for it."""
        functions = json.loads(self.call("GET", "/config")[1])["dependencies"]
        number = next(function["id"] for function in functions if function["api_name"] == name)
        body = {"data": data, "fn_index": number, "session_hash": "stranger", "event_data": event_data}
        sent = {"Content-Type": "application/json"}
        told = self.call("POST", "/gradio_api/run/predict", json.dumps(body), sent)[1]
        if self.call("POST", "/gradio_api/queue/join", json.dumps(body), sent)[0] == 200:
            told += self.call("GET", "/gradio_api/queue/data?session_hash=stranger")[1]
        told += self.call("POST", f"/gradio_api/call/{name}", json.dumps({"data": data}), sent)[1]
        return told


@pytest.fixture(params=["", "bob", "ann"], ids=["stranger", "reader", "editor"])
def caller(site: Site, request: pytest.FixtureRequest) -> Caller:
    return Caller(site, request.param)


# --- no file of the machine ------------------------------------------------------------------------------------------------------


ROUTES = (
    "/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/assets/", "/qa-static/", "/svelte/", "/", "/docs/", "/theme.css/",
    "/gradio_api/custom_component/1/client/component/", "/custom_component/1/client/component/", "/gradio_api/proxy=",
    "/gradio_api/stream/",
    "/gradio_api/deep_link?deep_link=",
)  # fmt: skip
STEPS = ("../", "..%2f", "%2e%2e/", "%252e%252e%252f", "..%5c", "..%c0%af", "....//")


def ways(file: Path) -> Iterator[str]:
    """Paths by which servers have been talked out of a file."""
    name = str(file)
    for written in (name, name.replace("/", "%2f"), *(step * 12 + name.lstrip("/") for step in STEPS)):
        yield from (route + written for route in ROUTES)
    yield f"/?deep_link={'../' * 12}{name.lstrip('/')}"


@pytest.mark.parametrize("part", ["secret.txt", "users.json", "index/articles.sqlite", "link.txt"])
def test_no_file_of_the_machine_is_had(site: Site, caller: Caller, part: str) -> None:
    link = site.folder / "link.txt"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    file = next(iter(site.folder.glob(part)), site.folder / "index" / "writer.lock")
    had = file.read_bytes()[:200].decode(errors="replace").strip()[:40]
    for path in ways(file):
        status, text, _ = caller.call("GET", path)
        assert status in (400, 401, 403, 404) or (status == 200 and path.startswith("/?deep_link=")), path
        assert (not had or had not in text) and SECRET not in text and "root:" not in text, path


OTHERS = (
    "/gradio_api/component_server", "/gradio_api/upload", "/gradio_api/process_recording", "/gradio_api/vibe-edit", "/monitoring",
    "/gradio_api/run-history/connect", "/gradio_api/reset/../upload", "/gradio_api/token", "/gradio_api/stream/x", "/gradio_api/dev/reload",
)  # fmt: skip


@pytest.mark.parametrize("path", OTHERS)
def test_gradios_other_routes_are_closed(caller: Caller, path: str) -> None:
    assert caller.call("POST", path, "{}", {"Content-Type": "application/json"})[0] in (401, 403, 404)
    assert caller.call("GET", path)[0] in (401, 403, 404)


def test_a_file_that_a_browser_claims_to_have_uploaded_is_not_read(site: Site) -> None:
    claimed = {"path": str(site.folder / "secret.txt"), "meta": {"_type": "gradio.FileData"}, "orig_name": "x.txt"}
    told = Caller(site, "ann").raise_event("add", [[claimed], ""])
    assert SECRET not in told and site.articles == ["moon"]


def test_nobody_has_the_server_fetch_an_address(site: Site) -> None:
    """The tests' network fails on any connection that is not to this machine; here one to this machine would be seen as well."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x.txt"
        ann = Caller(site, "ann")
        for path in (f"/gradio_api/file={url}", f"/gradio_api/proxy={url}", f"/?__theme=dark&deep_link={url}", f"/docs?url={url}"):
            ann.call("GET", path)
        for name in ("add", "open", "answer"):
            claimed = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}
            ann.raise_event(name, [[claimed], url, url, url, url, url], {"article": url, "question": url})
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()


# --- rights ----------------------------------------------------------------------------------------------------------------------


def test_only_an_editor_changes_anything_by_whatever_way(site: Site) -> None:
    conversation = {"id": "x", "exchanges": []}
    for name in ("", "bob"):
        caller = Caller(site, "ann")  # for the numbers of the events, which a stranger may guess
        caller.cookie = Caller(site, name).cookie if name else ""
        numbers = Caller(site, "ann").call("GET", "/config")[1]
        for event, data, about in (
            ("add", [None, str(site.folder)], None),
            ("remove", [], {"article": "moon"}),
            ("use", [], {"encoder": "0"}),
            ("judge", [conversation], {"exchange": 0, "verdict": "right"}),
        ):
            number = next(one["id"] for one in json.loads(numbers)["dependencies"] if one["api_name"] == event)
            for path, key in (("run/predict", number), ("run/predict", str(number)), ("queue/join", number), (f"call/{event}", number)):
                body = {"data": data, "fn_index": key, "session_hash": "s" + name, "event_data": about}
                status, told, _ = caller.call("POST", f"/gradio_api/{path}", json.dumps(body), {"Content-Type": "application/json"})
                assert status == 401 if not name else "added" not in told and "Removed" not in told
        if name:
            told = caller.call("GET", f"/gradio_api/queue/data?session_hash=s{name}")[1]
            assert "you are a reader" in told and "indexed" not in told
    assert site.articles == ["moon"]
    assert not (site.config.index.path / "feedback.sqlite").exists()


def test_an_editor_adds_only_from_the_folders_that_are_named(site: Site) -> None:
    told = Caller(site, "ann").raise_event("add", [None, str(site.folder / "secret.txt")])
    assert "this is in none of them" in told and SECRET not in told
    assert site.articles == ["moon"]


def test_programs_sign_in_by_gradios_client(site: Site) -> None:
    found = Client(site.address, auth=("bob", PASSWORD), verbose=False).predict(question=QUESTION, api_name="/ask")
    assert found["citations"][0]["article_id"] == "moon"
    with pytest.raises(Exception, match="Could not login"):
        Client(site.address, auth=("bob", "wrong password"), verbose=False)


def test_tools_for_language_models_are_for_who_signs_in(site: Site) -> None:
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "articles", "arguments": {}}})
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    assert Caller(site).call("POST", "/mcp", call, sent)[0] == 401
    status, told, _ = Caller(site, "bob").call("POST", "/mcp", call, sent)
    assert status == 200 and "Eagle lands on the Moon" in told


def test_a_problem_names_nothing_of_the_machine(site: Site) -> None:
    bob = Caller(site, "bob")
    told = bob.raise_event("open", [], {"article": "nope"}) + bob.raise_event("article", ["nope"])
    assert "There is no such article here" in told
    told += bob.raise_event("answer", [QUESTION, {"broken": 1}, "", "", "soon", ""]) + bob.call("POST", "/gradio_api/run/predict", "{")[1]
    told += bob.raise_event("go", [], {"view": "run", "run": "../../etc"})
    assert "Traceback" not in told and ".py" not in told and str(site.folder) not in told and "site-packages" not in told


def test_only_editors_are_told_where_articles_are_added_from(site: Site) -> None:
    told = {name: Caller(site, name).call("GET", "/config")[1] + Caller(site, name).raise_event("rights", []) for name in ("bob", "ann")}
    assert str(site.folder) not in told["bob"]
    assert str(site.folder / "drop") in told["ann"]


def test_the_log_says_who_did_what_and_not_what_was_asked(site: Site) -> None:
    Caller(site, "bob").raise_event("ask", [QUESTION, [], "", "", "", "", None])
    lines = [json.loads(line) for line in (site.folder / "qa.log").read_text().splitlines()]
    assert {"user": "bob", "did": "asked", "outcome": "answered"}.items() <= [line for line in lines if line["did"] == "asked"][-1].items()
    assert "Florida" not in (site.folder / "qa.log").read_text()


# --- the form, in a browser --------------------------------------------------------------------------------------------------------


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def form(context: BrowserContext, site: Site) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(f"{site.address}?q={QUESTION.replace(' ', '+')}")
    return page


def test_a_reader_signs_in_asks_and_signs_out(form: Page, site: Site) -> None:
    page = form
    sign_in(page, "bob", "wrong password")
    expect(page.get_by_role("alert")).to_have_text("Name and password don’t match.")
    expect(page.get_by_label("Name")).to_have_value("bob")
    sign_in(page, "bob")
    expect(page.locator("#chat .exchange:not(.pending)")).to_contain_text("16 July 1969")  # the question of the link
    expect(page.locator(".judging")).to_have_count(0)
    expect(page.get_by_role("tab", name="Evaluation")).to_have_count(0)
    page.get_by_role("tab", name="Library").click()
    page.locator("#list li").first.wait_for()
    expect(page.get_by_role("button", name="Add articles")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    page.goto(site.address)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_editor_marks_answers_and_sees_the_runs(form: Page) -> None:
    sign_in(form, "ann")
    expect(form.locator(".judging")).to_have_count(1)
    expect(form.get_by_role("tab", name="Evaluation")).to_have_count(1)


def test_too_many_questions_are_told_on_the_page(context: BrowserContext, site: Site, serve_page: Serve) -> None:
    config = site.config.replace("server.questions", 1)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(serve_page(Pipeline(config, encoder=FakeEncoder()), config))
    sign_in(page, "bob")
    page.locator("#header .state").wait_for()
    ask(page, QUESTION)
    page.get_by_role("textbox", name="Question").fill("And who stepped onto the surface first?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("too many questions: wait")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 375])
def test_the_form_has_no_accessibility_fault(chromium: Browser, site: Site, width: int, theme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(site.address)
    assert faults(page) == []
    sign_in(page, "bob", "wrong password")
    page.get_by_role("alert").wait_for()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
