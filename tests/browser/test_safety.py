"""Text from outside never runs and nothing leaves this machine: `context` fails on dialogs, page errors and foreign requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from browser.pages import Serve, ask, open_page
from browser.payloads import PAYLOADS, SCHEMES
from fake_pipeline import FakePipeline
from markdown_it import MarkdownIt
from playwright.sync_api import BrowserContext, Locator, Page, expect

import qa.ui.backend
from qa.datatypes import Article, Filters, Refusal

AT_ONCE = 4  # payloads in one question: as many as the pipeline cites


def poisoned(number: int, payload: str) -> Article:
    """An article whose every field carries the payload."""
    return Article(
        id=f"{number}-{payload}",
        title=f"Zeppelin {payload}",
        text=f"The zeppelin{number} landed {payload} in Lakehurst.\n\nNobody {payload} was hurt.",
        source=f"site {payload}",
        sha256="0" * 64,
        author=f"Ann {payload}",
        published=date(1937, 5, 6),
        url=payload if payload in SCHEMES else f"https://example.org/{payload}",
    )


class Poisoned(FakePipeline):
    """Answers with the articles that the question names by number, a sentence of each."""

    def _ranked(self, question: str, filters: Filters) -> list[tuple[Article, int, int, float]]:
        named = [place for place in super()._ranked(question, filters) if place[0].text.split()[1] in question.split()]
        first = {place[0].id: place for place in reversed(named)}
        return [(article, start, end, 1.0) for article, start, end, _ in sorted(first.values(), key=lambda place: place[0].title)]


@pytest.fixture
def poisoned_page(context: BrowserContext, serve_page: Serve, monkeypatch: pytest.MonkeyPatch) -> Page:
    pipeline = Poisoned([poisoned(number, payload) for number, payload in enumerate(PAYLOADS)])
    pipeline.refused = [Refusal(f"/news/{payload}.pdf", f"damaged {payload}") for payload in PAYLOADS]
    monkeypatch.setattr(qa.ui.backend, "suggest", lambda *_: tuple(f"Who {payload}?" for payload in PAYLOADS))
    return open_page(context, serve_page(pipeline))


def rounds() -> Iterator[list[tuple[int, str]]]:
    numbered = list(enumerate(PAYLOADS))
    return (numbered[at : at + AT_ONCE] for at in range(0, len(numbered), AT_ONCE))


def shown(texts: Locator) -> list[str]:
    """As a reader sees it: runs of white space are one."""
    return [" ".join(text.split()) for text in texts.all_text_contents()]


def told(*texts: str) -> list[str]:
    return [" ".join(text.split()) for text in texts]


def test_there_are_sixty_payloads() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 60
    assert set(SCHEMES) <= set(PAYLOADS)


def test_markup_in_articles_questions_and_file_names_is_shown_as_text_and_never_runs(poisoned_page: Page, tmp_path: Path) -> None:
    page = poisoned_page
    page.locator("#welcome .suggestion").first.wait_for()
    assert shown(page.locator("#welcome .suggestion")) == told(*(f"Who {payload}?" for payload in PAYLOADS))
    questions = []
    for payloads in rounds():
        questions.append(" ".join(f"zeppelin{number} {payload}" for number, payload in payloads))
        ask(page, questions[-1])
        assert sorted(shown(page.locator("#sources .card h3"))) == sorted(told(*(f"Zeppelin {payload}" for _, payload in payloads)))
        quotes = "".join(shown(page.locator("#sources .excerpt > p")))
        assert all(told(f"landed {payload} in Lakehurst")[0] in quotes for _, payload in payloads)
    assert shown(page.locator("#chat .question")) == told(*questions)
    for link in page.locator("#sources a, #article a").all():
        assert (link.get_attribute("href") or "").startswith("https://example.org/")
    page.locator("#history .past summary").click()
    assert shown(page.locator("#history .past .title")) == told(questions[0][:80])
    check_exports(page, tmp_path)
    check_library(page)


def check_exports(page: Page, folder: Path) -> None:
    """What was exported, as a browser shows it: the web page as it is, Markdown by a renderer that lets HTML through."""
    for kind, render in (("Web page", str), ("Markdown", MarkdownIt("commonmark", {"html": True}).render)):
        page.locator("#history .export").evaluate("menu => (menu.open = true)")
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        download.value.save_as(folder / kind)
        exported = page.context.new_page()
        exported.set_content(render((folder / kind).read_text(encoding="utf-8")))
        body = " ".join((exported.locator("body").text_content() or "").split())
        assert [payload for payload in PAYLOADS if told(f"landed {payload} in Lakehurst")[0] not in body] == []
        links = [link.get_attribute("href") or "" for link in exported.locator("a").all()]
        assert all(link.startswith("https://example.org/") for link in links)
        assert exported.locator("body script, body img, body svg, body iframe, body style, body form").count() == 0
        exported.close()


def check_library(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.locator("#list li").first.wait_for()
    assert sorted(shown(page.locator("#list li b"))) == sorted(told(*(f"Zeppelin {payload}" for payload in PAYLOADS)))
    page.locator("#refused summary").click()
    assert len(shown(page.locator("#refused li"))) == len(PAYLOADS)
    assert "".join(shown(page.locator("#refused li"))).count("alert(1)") >= len(PAYLOADS)
    page.locator("#shelves").get_by_label("Source").click()
    expect(page.get_by_role("option")).to_have_count(len(PAYLOADS) + 1)
    page.keyboard.press("Escape")
    for number in (1, 2, 3):
        row = page.locator("#list li button").nth(number)
        title = " ".join((row.locator("b").text_content() or "").split())
        row.click()
        expect(page.locator("#page h2")).to_have_text(title)


def test_a_link_with_markup_in_its_question_runs_nothing(context: BrowserContext, address: str) -> None:
    page = open_page(context, f"{address}?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.locator("#chat .question")).to_have_text("<img src=x onerror=alert(1)>")


def test_a_conversation_in_the_browser_that_was_tampered_with_runs_nothing(context: BrowserContext, address: str) -> None:
    page = open_page(context, address)
    ask(page, "When was Apollo 11 launched?")
    page.wait_for_function("JSON.parse(localStorage.getItem('qa-history') ?? '[]').length")  # kept a moment after it is shown
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


def test_the_page_forbids_other_hosts_inline_scripts_and_handlers_to_the_browser(context: BrowserContext, address: str) -> None:
    first, second = (context.request.get(address).headers["content-security-policy"] for _ in range(2))
    policy = dict(rule.partition(" ")[::2] for rule in first.split("; "))
    assert policy["default-src"] == policy["script-src-attr"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"] and "blob" not in first and "http" not in first
    assert first != second  # the number that lets a script run is of one response


def test_a_script_without_the_number_of_its_response_does_not_run(context: BrowserContext, address: str) -> None:
    page = open_page(context, address)
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))")
    assert page.evaluate("window.ran") is None


def test_files_of_the_machine_are_not_served(context: BrowserContext, address: str) -> None:
    for path in ("gradio_api/file=/etc/passwd", "gradio_api/file=pyproject.toml", "qa-static/../page.py", "qa-static/%2e%2e/page.py"):
        assert context.request.get(address + path).status in (403, 404)
