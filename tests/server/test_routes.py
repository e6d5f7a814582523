from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.server.routes import Routes, is_event, is_public

CLOSED = (
    "/gradio_api/file=/etc/passwd", "/gradio_api/file//etc/passwd", "/file=/etc/passwd", "/gradio_api/file=app.py", "/gradio_api/stream/x",
    "/gradio_api/proxy=https://example.org/", "/proxy=http://example.org", "/gradio_api/component_server", "/gradio_api/process_recording",
    "/gradio_api/vibe-edit", "/gradio_api/vibe-code", "/gradio_api/runs", "/gradio_api/run-history/connect", "/gradio_api/dev/reload",
    "/gradio_api/deep_link", "/gradio_api/token", "/gradio_api/user", "/gradio_api/openapi.json", "/gradio_api/login_check",
    "/gradio_api/custom_component/x/client/component/../../secret", "/custom_component/x", "/monitoring", "/monitoring/summary",
    "/gradio_api/profiling/traces", "/svelte/x", "/pwa_icon", "/static/../config", "/assets/..%2f..%2fapp.py", "/assets/%2e%2e/app.py",
    "/assets/..\\app.py", "/assets//etc/passwd", "/qa-static/../page.py", "/qa-static/x/y",
    "//evil.example", "/\\evil.example", "/users.json",
    "/app.py", "/index/default/articles.sqlite", "/docs/../config", "/config\n", "/openapi.json", "/redoc", "/gradio_api/mcp/", "/mcp",
    "/gradio_api/upload", "/gradio_api/upload_progress", "/gradio_api/api/ask",
)  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_the_page_does_not_need_is_closed(path: str, method: str) -> None:
    assert not Routes().is_open(method, path)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_closed(method: str) -> None:
    assert not Routes(uploads=True).is_open(method, "/")


def test_the_page_and_the_endpoints_are_open() -> None:
    for path in ("/", "/config", "/config/", "/theme.css", "/assets/index-1.js", "/static/js/x.min.js", "/qa-static/page.js", "/docs"):
        assert Routes().is_open("GET", path)
    for path in (
        "/gradio_api/queue/join",
        "/gradio_api/run/predict",
        "/gradio_api/call/ask",
        "/gradio_api/call/v2/ask",
        "/login",
        "/logout",
    ):
        assert Routes().is_open("POST", path)


def test_uploads_and_tools_are_open_where_they_are_on() -> None:
    assert Routes(uploads=True).is_open("POST", "/gradio_api/upload")
    assert not Routes(mcp=True).is_open("POST", "/gradio_api/upload")
    assert all(Routes(mcp=True).is_open(method, "/mcp") for method in ("GET", "POST", "DELETE"))


def test_strangers_get_the_form_and_nothing_of_gradio() -> None:
    assert all(map(is_public, ("/login", "/healthz", "/readyz", "/qa-static/sign-in.css")))
    assert not any(
        map(is_public, ("/", "/config", "/docs", "/assets/x.js", "/gradio_api/info", "/gradio_api/startup-events", "/metrics", "/logout"))
    )


def test_events_begin_where_they_are_counted() -> None:
    assert all(map(is_event, ("/gradio_api/queue/join", "/gradio_api/run/ask/", "/gradio_api/call/v2/ask", "/mcp")))
    assert not is_event("/gradio_api/queue/data")


@given(
    st.text(alphabet="/.%\\:=?#@ab1_- \n\0é", max_size=30),
    st.sampled_from(["", "/assets/", "/static/", "/qa-static/", "/gradio_api/call/"]),
)
@example("//", "")
def test_no_open_path_steps_upwards_or_hides_a_character(path: str, before: str) -> None:
    if Routes(uploads=True, mcp=True).is_open("GET", before + path):
        assert not set(before + path) & set("%\\:=?#@ \n\0é") and ".." not in path and "//" not in before + path
