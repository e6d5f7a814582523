from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from fake_pipeline import MOON, FakePipeline
from huggingface_hub import constants

from qa.config import Config
from qa.datatypes import Response
from qa.errors import StoreError
from qa.pipeline import Pipeline
from qa.ui.asked import Asked
from qa.ui.backend import BUG, Backend


def backend_of(pipeline: object) -> Backend:
    return Backend(Config(), pipeline)  # type: ignore[arg-type]


def test_a_question_reports_its_stages_and_then_the_response() -> None:
    steps = list(backend_of(FakePipeline()).ask(Asked("When was Apollo 11 launched?")))
    assert steps[:2] == ["searching", "reading"]
    assert isinstance(steps[2], Response)


def test_a_question_before_the_models_are_loaded_says_so_first() -> None:
    pipeline = FakePipeline()
    pipeline.loaded.clear()
    steps = backend_of(pipeline).ask(Asked("When was Apollo 11 launched?"))
    assert next(steps) == "loading"
    pipeline.loaded.set()
    assert isinstance(list(steps)[-1], Response)


def test_closing_a_question_stops_it() -> None:
    pipeline = FakePipeline(seconds=60)
    steps = backend_of(pipeline).ask(Asked("When was Apollo 11 launched?"))
    next(steps)
    steps.close()
    deadline = time.monotonic() + 5
    while any(thread.name == "question" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(thread.name == "question" for thread in threading.enumerate())


def test_a_problem_is_raised_where_the_question_was_asked() -> None:
    with pytest.raises(StoreError, match="no index"):
        list(backend_of(FakePipeline(problem=StoreError("no index"))).ask(Asked("x")))


def test_the_state_follows_the_index() -> None:
    pipeline = FakePipeline(problem=StoreError("no index in x (make one: qa index PATH)"))
    backend = backend_of(pipeline)
    assert backend.state.loading
    assert backend._look().problem == "no index in x (make one: qa index PATH)"
    pipeline.problem = None
    assert backend._look().info["articles"] == 3


def test_a_bug_is_told_without_its_traceback_and_does_not_stop_the_looking(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakePipeline):
        def info(self) -> dict[str, object]:
            raise RuntimeError("boom")

    assert backend_of(Broken())._look().problem == BUG
    assert "boom" in caplog.text


def test_a_missing_model_is_told_at_every_look(filled: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    config = filled(MOON).replace("embedding.model", "no-such-model")
    backend = backend_of(Pipeline(config))
    first = backend._look().problem
    assert first is not None
    assert "no-such-model" in first
    assert backend._look().problem == first


def test_what_is_missing_before_questions_can_be_answered_is_named() -> None:
    backend = backend_of(FakePipeline())
    assert backend.waits_for() == "the models"
    backend.look()
    assert backend.waits_for() == ""
    without = backend_of(FakePipeline(problem=StoreError("there is no index")))
    without.look()
    assert without.waits_for() == "the index"


def test_a_page_for_others_tells_that_there_is_a_problem_and_not_where() -> None:
    pipeline = FakePipeline(problem=StoreError("there is no index in /srv/secret (make one: qa index PATH)"))
    backend = Backend(Config().replace("server.hosts", ("qa.example.org",)), pipeline)  # type: ignore[arg-type]
    backend.look()
    assert backend.state.problem == "The articles cannot be reached just now; the server's log says why."


def test_a_bug_while_examples_are_made_does_not_stop_the_look_at_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> tuple[str, ...]:
        raise IndexError

    monkeypatch.setattr("qa.ui.backend.suggest", broken)
    assert backend_of(FakePipeline())._suggest() == ()
