"""A run under way on disk: nothing that was computed is lost, and runs at once do not share what they write."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from qa.errors import StoreError
from qa.evaluation.datasets import Question
from qa.evaluation.journal import KEPT, Journal, finished_runs, read_details
from qa.evaluation.outcomes import Outcome

RESULT = {"dataset": "my set", "date": "2026-11-22T10:00:00+00:00"}
ONE, TWO = Question("1", "When?"), Question("2", "Where?")


def outcome(question, **more):
    return Outcome(question, answer="there", confidence=0.5, **more)


def test_an_interrupted_run_is_picked_up(tmp_path):
    first = Journal(tmp_path, "key")
    first.add(outcome(ONE))
    first.close()
    again = Journal(tmp_path, "key")
    assert again.kept(ONE) == outcome(ONE)
    assert again.kept(TWO) is None
    again.close()
    other = Journal(tmp_path, "another key")
    assert other.kept(ONE) is None
    other.close()


def test_a_line_that_was_cut_short_is_asked_again(tmp_path):
    (tmp_path / "runs").mkdir()
    first = Journal(tmp_path, "key")
    first.add(outcome(ONE))
    first.add(outcome(TWO))
    first.close()
    file = tmp_path / "runs" / "key.part.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    again = Journal(tmp_path, "key")
    assert (again.kept(ONE), again.kept(TWO)) == (outcome(ONE), None)
    again.add(outcome(TWO))
    again.close()
    assert Journal(tmp_path, "key").kept(TWO) == outcome(TWO)


def test_what_was_kept_is_there_at_every_moment(tmp_path, monkeypatch):
    first = Journal(tmp_path, "key")
    first.add(outcome(ONE))
    first.close()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        Journal(tmp_path, "key")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Journal, "_write", killed)
        Journal(tmp_path, "key").add(outcome(TWO))
    assert Journal(tmp_path, "key").kept(ONE) == outcome(ONE)


def test_a_question_that_failed_is_asked_again(tmp_path):
    first = Journal(tmp_path, "key")
    first.add(Outcome(ONE, error="ValueError: no"))
    first.close()
    assert Journal(tmp_path, "key").kept(ONE) is None


def test_a_finished_run_is_kept_with_its_details_and_not_picked_up(tmp_path):
    journal = Journal(tmp_path, "key")
    journal.add(outcome(ONE))
    folder = journal.finish(RESULT)
    journal.close()
    assert folder.name == "20261122T100000-my_set"
    assert [line["id"] for line in read_details(folder)] == ["1"]
    assert finished_runs(tmp_path) == [(folder, RESULT)]
    assert Journal(tmp_path, "key").kept(ONE) is None


def test_two_runs_of_one_key_at_once_both_finish(tmp_path):
    first, second = Journal(tmp_path, "key"), Journal(tmp_path, "key")
    first.add(outcome(ONE))
    second.add(outcome(ONE))
    second.add(outcome(TWO))
    folders = [first.finish(RESULT), second.finish(RESULT)]
    assert [len(list(read_details(folder))) for folder in folders] == [1, 2]
    first.close()
    second.close()


def test_finished_runs_are_listed_newest_first_and_the_oldest_go(tmp_path):
    for number in range(KEPT + 2):
        journal = Journal(tmp_path, "key")
        journal.finish({"dataset": "s", "date": f"2026-11-22T10:{number // 60:02}:{number % 60:02}+00:00"})
        journal.close()
    dates = [result["date"] for _, result in finished_runs(tmp_path)]
    assert len(dates) == KEPT
    assert dates == sorted(dates, reverse=True)
    assert dates[-1] == "2026-11-22T10:00:02+00:00"


def test_a_run_that_was_interrupted_goes_after_a_month(tmp_path):
    for key, days in (("old", 31), ("young", 29)):
        journal = Journal(tmp_path, key)
        journal.add(outcome(ONE))
        journal.close()
        then = time.time() - 86_400 * days
        os.utime(tmp_path / "runs" / f"{key}.part.jsonl", (then, then))
    journal = Journal(tmp_path, "key")
    journal.finish(RESULT)
    journal.close()
    assert [path.name for path in (tmp_path / "runs").glob("*.part.jsonl")] == ["young.part.jsonl"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(StoreError, match="runs cannot be written"):
        Journal(tmp_path, "key")
