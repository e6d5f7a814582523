from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from qa.config import Config
from qa.server.health import health_routes
from qa.server.record import Record


@pytest.fixture
def record() -> Record:
    return Record(Config())


def client(record: Record, missing: str = "") -> TestClient:
    return TestClient(Starlette(routes=health_routes(record, lambda: missing)))


def test_a_server_that_waits_for_its_models_lives_and_is_not_ready(record: Record) -> None:
    waiting = client(record, "the models")
    assert waiting.get("/healthz").status_code == 200
    assert (waiting.get("/readyz").status_code, waiting.get("/readyz").json()) == (503, {"ready": False, "waits_for": "the models"})


def test_one_that_has_everything_is_ready(record: Record) -> None:
    assert (client(record).get("/readyz").status_code, client(record).get("/readyz").json()) == (200, {"ready": True})


def test_metrics_are_in_the_format_of_prometheus(record: Record) -> None:
    response = client(record).get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE qa_questions_total counter" in response.text
