"""The endpoints for programs, through gradio_client and through plain HTTP, as the README shows them. No browser is needed."""

from __future__ import annotations

import json
import urllib.request

import pytest
from gradio_client import Client

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
        ({"question": "x", "since": "soon", "api_name": "/ask"}, "since = 'soon' is not a date: expected YYYY-MM-DD, such as 2024-03-05"),
    ],
)
def test_a_problem_of_the_callers_is_one_line(client: Client, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(Exception, match="^" + message.split(" (")[0]):
        client.predict(**arguments)


def test_ask_by_plain_http(address: str) -> None:
    body = json.dumps({"question": QUESTION}).encode()
    request = urllib.request.Request(f"{address}gradio_api/call/v2/ask", body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    lines = urllib.request.urlopen(f"{address}gradio_api/call/ask/{event}").read().decode().splitlines()
    assert lines[0] == "event: complete"
    assert json.loads(lines[1].removeprefix("data: "))[0]["answer"]["text"] == "16 July 1969"
