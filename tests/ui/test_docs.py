from __future__ import annotations

from fake_pipeline import FakePipeline
from pydantic import TypeAdapter

from qa.config import Config
from qa.server.record import Record
from qa.ui.api import Api
from qa.ui.docs import EXAMPLES, docs_page, schemas
from qa.ui.line import Line
from qa.ui.schemas import ArticleGiven, CitationGiven, HitGiven, ResponseGiven, SummaryGiven

API = Api(Config(), FakePipeline(), Line(), Record(Config()))  # type: ignore[arg-type]
DESCRIBED = schemas(API.endpoints)
QUESTION = "When was Apollo 11 launched?"


def test_the_endpoints_and_their_parameters_are_stable() -> None:
    filters = ["source", "author", "since", "until"]
    assert {name: list(about["parameters"]["properties"]) for name, about in DESCRIBED.items()} == {
        "ask": ["question", "turns", *filters, "threshold"],
        "search": ["question", "limit", *filters],
        "articles": [],
        "article": ["id"],
    }
    assert {name: about["parameters"].get("required", []) for name, about in DESCRIBED.items()} == {
        "ask": ["question"],
        "search": ["question"],
        "articles": [],
        "article": ["id"],
    }


def test_what_is_given_has_exactly_the_fields_of_its_schema() -> None:
    response = API.ask(QUESTION)
    given = [
        (ResponseGiven, response),
        (CitationGiven, response["citations"][0]),
        (HitGiven, API.search(QUESTION)[0]),
        (SummaryGiven, API.articles()[0]),
        (ArticleGiven, API.article("moon")),
    ]
    for kind, value in given:
        assert TypeAdapter(kind).validate_python(value) == value
        assert set(value) == set(kind.__annotations__)


def test_the_docs_have_a_description_and_an_example_of_every_endpoint_and_parameter() -> None:
    page = docs_page(Config(), DESCRIBED, "http://127.0.0.1:7860/")
    for name, about in DESCRIBED.items():
        assert about["description"]
        assert all(schema["description"] for schema in about["parameters"]["properties"].values())
        assert f"api_name=&quot;/{name}&quot;" in page
        assert f"http://127.0.0.1:7860/gradio_api/call/v2/{name}" in page
        assert set(EXAMPLES[name]) <= set(about["parameters"]["properties"])


def test_the_docs_escape_what_the_settings_and_the_browser_say() -> None:
    page = docs_page(Config().replace("ui.title", "<script>alert(1)</script>"), DESCRIBED, "http://x/<script>alert(2)</script>/")
    assert "<script>" not in page


def test_the_docs_tell_programs_to_sign_in_where_one_has_to():
    assert "auth=" not in docs_page(Config(), DESCRIBED, "http://127.0.0.1:7860/")
    assert "auth=(name, password)" in docs_page(Config().replace("server.hosts", ("qa.example.org",)), DESCRIBED, "https://qa.example.org/")
