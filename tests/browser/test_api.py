"""The endpoints for programs, through gradio_client and through plain HTTP, as the README shows them. No browser is needed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from browser.pages import Serve
from fake_pipeline import FakePipeline
from gradio_client import Client

import qa.ui.backend
from qa.config import Config
from qa.server.guard import LARGEST_BODY
from qa.ui.line import Line

QUESTION = "When was Apollo 11 launched?"


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_the_endpoints_have_their_stable_names_and_no_others(client: Client) -> None:
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {"/ask", "/search", "/articles", "/article"}


def test_ask_answers_as_the_command_line_does(client: Client) -> None:
    found = client.predict(question=QUESTION, api_name="/ask")
    assert list(found) == ["question", "standalone_question", "answer", "citations", "alternatives", "timings_ms"]
    assert found["answer"] == {"text": "16 July 1969", "confidence": 0.97, "citations": [1]}
    assert found["citations"][0]["quote"] == "Apollo 11 was launched from Florida on 16 July 1969."
    assert found["citations"][0]["published"] == "1969-07-25"


def test_ask_takes_earlier_turns(client: Client) -> None:
    turns = [{"question": QUESTION, "answer": "16 July 1969"}]
    found = client.predict(question="How long were they in quarantine?", turns=turns, api_name="/ask")
    assert found["standalone_question"] == "How long were Apollo 11 in quarantine?"


def test_search_keeps_to_the_filters(client: Client) -> None:
    found = client.predict(question="Apollo crew", source="quarantine.md", limit=1, api_name="/search")
    assert [(hit["article_id"], hit["dense_rank"]) for hit in found] == [("quarantine.md", 1)]


def test_articles_and_article(client: Client) -> None:
    assert [article["id"] for article in client.predict(api_name="/articles")] == ["moon", "quarantine.md", "tower.txt"]
    assert client.predict("tower.txt", api_name="/article")["text"].startswith("The Eiffel Tower was completed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"id": "nope", "api_name": "/article"}, "no article nope in the index (see: qa list)"),
        ({"question": "x" * 20_001, "api_name": "/ask"}, "the question is too long: 20,001 characters, at most 20,000 are taken"),
        ({"question": "x" * 20_001, "api_name": "/search"}, "the question is too long: 20,001 characters, at most 20,000 are taken"),
        ({"question": 7, "api_name": "/ask"}, "the question must be text"),
        ({"question": "x", "turns": [{}] * 201, "api_name": "/ask"}, "there are too many turns: 201, at most 200 are taken"),
        ({"question": "x", "turns": [{"answer": "y" * 20_001}], "api_name": "/ask"}, "a turn is too long: at most 20,000 characters"),
        ({"question": "x", "since": "soon", "api_name": "/ask"}, "since = 'soon' is not a date: expected YYYY-MM-DD, such as 2024-03-05"),
    ],
)
def test_a_problem_of_the_callers_is_one_line(client: Client, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(Exception, match="^" + message.split(" (")[0]):
        client.predict(**arguments)


def test_ask_by_plain_http(address: str) -> None:
    body = json.dumps({"question": QUESTION}).encode()
    request = urllib.request.Request(f"{address}gradio_api/call/v2/ask", body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    lines = urllib.request.urlopen(f"{address}gradio_api/call/ask/{event}").read().decode().splitlines()
    assert lines[0] == "event: complete"
    assert json.loads(lines[1].removeprefix("data: "))[0]["answer"]["text"] == "16 July 1969"


def test_a_question_may_ask_for_less_confidence(client: Client) -> None:
    question = "Which penguins play the violin in the Pacific?"
    assert client.predict(question=question, api_name="/ask")["answer"] is None
    assert client.predict(question=question, threshold=0.0, api_name="/ask")["answer"]["confidence"] == pytest.approx(0.24, abs=0.01)


def status_of(request: urllib.request.Request) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    return refused.value.code, refused.value.read().decode()


def test_a_body_without_end_is_refused(address: str) -> None:
    request = urllib.request.Request(f"{address}gradio_api/call/v2/ask", b"x", {"Content-Type": "application/json"})
    request.add_unredirected_header("Content-Length", str(LARGEST_BODY + 1))
    assert status_of(request) == (413, '{"detail":"too large: at most 32 MiB are taken"}')


def upload(address: str, size: int) -> urllib.request.Request:
    start = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    body = start + b"x" * size + b"\r\n--b--\r\n"
    return urllib.request.Request(f"{address}gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=b"})


def test_files_are_not_taken_where_nobody_may_add_articles(address: str) -> None:
    assert status_of(upload(address, 10)) == (403, '{"detail":"files are not taken here (ui.allow_changes)"}')


def test_a_file_that_is_too_large_is_not_taken(serve_page: Serve) -> None:
    config = Config().replace("ui.allow_changes", True).replace("index.max_file_mb", 1)
    changeable = serve_page(FakePipeline(), config)
    assert urllib.request.urlopen(upload(changeable, 1000)).status == 200
    assert status_of(upload(changeable, 2 << 20)) == (413, "File size exceeded maximum allowed size of 1048576 bytes.")


def test_a_full_queue_says_so_and_those_in_it_are_answered(serve_page: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(at_once=1, waiting=2)
    monkeypatch.setattr(qa.ui.backend, "Line", lambda: line)
    pipeline = FakePipeline()
    pipeline.loaded.clear()
    address = serve_page(pipeline)
    clients = [Client(address, verbose=False) for _ in range(4)]
    jobs = []
    for number, client in enumerate(clients[:3]):
        jobs.append(client.submit(question=QUESTION, api_name="/ask"))
        wait_until(lambda many=number: line.waiting == many)
    with pytest.raises(Exception, match="^the queue is full: 2 questions are waiting"):
        clients[3].predict(question=QUESTION, api_name="/ask")
    pipeline.loaded.set()
    assert [job.result(timeout=60)["answer"]["text"] for job in jobs] == ["16 July 1969"] * 3


def wait_until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert done()
