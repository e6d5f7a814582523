from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.config import Config
from qa.datatypes import Response
from qa.errors import ConfigError
from qa.server.record import Record
from qa.server.visitors import Visitor

ANN = Visitor("ann", "editor", "192.0.2.1")
RESPONSE = Response("Who?", "Who?", None, timings_ms={"read": 120.0, "total": 150.4})


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_log_says_who_did_what_and_not_what_was_asked(tmp_path: Path) -> None:
    file = tmp_path / "qa.log"
    record = Record(Config().replace("server.log", file))
    record.asked(ANN, "Who killed Kennedy?", "answered", RESPONSE)
    record.did(ANN, "removed", article="moon")
    record.refused(Visitor(address="192.0.2.2"), 403, "POST /x", "another site's page may not do this")
    asked, removed, refused = lines(file)
    assert [line.pop("at")[:2] for line in (asked, removed, refused)] == ["20"] * 3  # type: ignore[index]
    assert asked == {"user": "ann", "address": "192.0.2.1", "did": "asked", "outcome": "answered", "ms": 150}
    assert removed == {"user": "ann", "address": "192.0.2.1", "did": "removed", "article": "moon"}
    assert refused["user"] is None and refused["status"] == 403
    assert "Kennedy" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_questions_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    record = Record(Config().replace("server.log", tmp_path / "qa.log").replace("server.log_questions", True))
    record.asked(ANN, 'Who\n{"did": "removed"}?', "answered")
    (line,) = lines(tmp_path / "qa.log")  # text from outside begins no line of its own
    assert line["question"] == 'Who\n{"did": "removed"}?'


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    record = Record(Config().replace("server.log", tmp_path / "qa.log"))
    record.did(ANN, "indexed")
    (tmp_path / "qa.log").rename(tmp_path / "qa.log.1")
    record.did(ANN, "removed")
    assert [line["did"] for line in lines(tmp_path / "qa.log")] == ["removed"]
    assert (tmp_path / "qa.log").stat().st_mode & 0o777 == 0o600


def test_nothing_is_logged_where_one_person_asks_and_standard_error_has_it_where_users_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    Record(Config()).did(ANN, "removed")
    assert capsys.readouterr().err == ""
    Record(Config().replace("server.sign_in", True)).did(ANN, "removed")
    assert json.loads(capsys.readouterr().err)["did"] == "removed"


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^server.log: .* cannot be written: No such file or directory$"):
        Record(Config().replace("server.log", tmp_path / "none" / "qa.log"))


def test_the_metrics_count_by_outcome_and_time_the_stages() -> None:
    record = Record(Config())
    record.asked(ANN, "Who?", "answered", RESPONSE)
    record.asked(ANN, "Who?", "failed")
    record.watch("qa_waiting", "…", lambda: 7)
    told = record.metrics().decode()
    for line in ('qa_questions_total{outcome="answered"} 1.0', 'qa_questions_total{outcome="failed"} 1.0', "qa_waiting 7.0",
                 'qa_stage_seconds_bucket{le="0.25",stage="read"} 1.0', 'qa_stage_seconds_sum{stage="read"} 0.12'):  # fmt: skip
        assert line in told
    assert "Who" not in told and "ann" not in told
