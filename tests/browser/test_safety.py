"""Text from outside never runs and nothing leaves this machine: `context` fails on dialogs, page errors and foreign requests."""

from __future__ import annotations

from datetime import date

import pytest
from browser.pages import Serve, ask, open_page
from fake_pipeline import FakePipeline
from playwright.sync_api import BrowserContext, expect

from qa.datatypes import Article

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "javascript:alert(1)",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "</p></article><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "<details open ontoggle=alert(1)>",
    "<style>@import 'http://192.0.2.1/x.css';</style>",
    "<img src=http://192.0.2.1/x.png>",
    "</script><script>alert(1)</script>",
    "<math><mi xlink:href='data:x,<script>alert(1)</script>'></mi></math>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<mark onclick=alert(1)>",
    "`-alert(1)-`",
]


def poisoned(payload: str) -> Article:
    """An article whose every field carries the payload."""
    text = f"The zeppelin landed {payload} in Lakehurst.\n\nNobody {payload} was hurt."
    return Article(
        id=f"bad-{payload}",
        title=f"Zeppelin {payload}",
        text=text,
        source=f"site {payload}",
        sha256="0" * 64,
        author=f"Ann {payload}",
        published=date(1937, 5, 6),
        url=payload if payload.startswith("javascript") else f"https://example.org/{payload}",
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_an_article_or_a_question_is_shown_and_never_runs(context: BrowserContext, serve_page: Serve, payload: str) -> None:
    page = open_page(context, _address(serve_page, payload))
    ask(page, f"Where landed the zeppelin {payload}?")
    expect(page.locator("#chat .question")).to_have_text(f"Where landed the zeppelin {payload}?")
    expect(page.locator("#sources .card h3").first).to_have_text(f"Zeppelin {payload}")
    page.locator("#sources").get_by_role("button", name="Open in the article").first.click()
    expect(page.locator("#article h2")).to_have_text(f"Zeppelin {payload}")
    expect(page.locator("#article .body p").first).to_have_text(f"The zeppelin landed {payload} in Lakehurst.")
    for link in page.locator("#sources a, #article a").all():
        assert (link.get_attribute("href") or "").startswith("https://example.org/")
        assert "noopener" in (link.get_attribute("rel") or "")
    page.locator("#chat .chip button").first.hover()
    page.wait_for_timeout(200)


_served: dict[int, tuple[str, FakePipeline]] = {}


def _address(serve_page: Serve, payload: str) -> str:
    """One server for all payloads: its pipeline is given another article each time."""
    if not _served:
        pipeline = FakePipeline([])
        _served[0] = (serve_page(pipeline), pipeline)
    address, pipeline = _served[0]
    pipeline.by_id.clear()
    pipeline.by_id["bad"] = poisoned(payload)
    pipeline.by_id[poisoned(payload).id] = pipeline.by_id.pop("bad")
    return address


def test_a_link_with_markup_in_its_question_runs_nothing(context: BrowserContext, address: str) -> None:
    page = open_page(context, f"{address}?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.locator("#chat .question")).to_have_text("<img src=x onerror=alert(1)>")


def test_a_conversation_in_the_browser_that_was_tampered_with_runs_nothing(context: BrowserContext, address: str) -> None:
    page = open_page(context, address)
    ask(page, "When was Apollo 11 launched?")
    page.evaluate(
        """() => {
          const payload = "<img src=x onerror=alert(1)>";
          const poison = (value) => typeof value === "string" && !/^[0-9a-f-]+$|^moon$/.test(value) ? payload : value;
          localStorage.setItem("qa-history", JSON.stringify(JSON.parse(localStorage.getItem("qa-history")), (_, value) => poison(value)));
        }"""
    )
    page.reload()
    expect(page.locator("#chat .question")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#chat .notice")).to_contain_text("no longer stands in the stored article")


def test_the_page_forbids_other_hosts_and_inline_handlers_to_the_browser(context: BrowserContext, address: str) -> None:
    response = context.request.get(address)
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src-attr 'none'" in policy
    assert "http" not in policy


def test_files_of_the_machine_are_not_served(context: BrowserContext, address: str) -> None:
    for path in ("gradio_api/file=/etc/passwd", "gradio_api/file=pyproject.toml", "qa-static/../page.py", "qa-static/%2e%2e/page.py"):
        assert context.request.get(address + path).status in (403, 404)
