"""`qa eval` as a program: what it prints, writes and refuses, and its exit codes."""

from __future__ import annotations

import json
import shutil

import pytest
from fakes import FakeEncoder
from typer.testing import CliRunner

from qa.cli import app
from qa.errors import ConfigError, DataError

TEXT = "Apollo landed on the grey Moon in July.\n\nTwo men walked there for hours."


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch):
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    for module in ("qa.encoder", "qa.evaluation.runs", "qa.evaluation.calibrate", "qa.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda settings: FakeEncoder(settings.model))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set" / "articles").mkdir(parents=True)
    (tmp_path / "set" / "articles" / "moon.txt").write_text(TEXT)
    start = TEXT.index("July")
    gold = [{"article": "moon.txt", "start": start, "end": start + 4, "text": "July"}]
    questions = [
        {"id": "q1", "question": "When did Apollo land on the Moon?", "kind": "fact", "split": "dev", "gold": gold},
        {"id": "q2", "question": "Who sings?", "kind": "off-topic", "split": "test", "gold": []},
    ]
    (tmp_path / "set" / "questions.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    return tmp_path / "set"


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["eval", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_json_is_one_document(folder):
    result = json.loads(run(folder, "--json").stdout)
    assert (result["dataset"], result["questions"], result["metrics"]["R@1"]) == ("set", 2, 1.0)


def test_a_table_is_printed_with_kinds_and_costs(folder):
    printed = run(folder).stdout
    assert "set: 2 questions (1 unanswerable) over 1 articles" in printed
    assert "R@1" in printed
    assert "off-topic" in printed
    assert "latency p50" in printed


def test_details_have_a_line_a_question(folder, tmp_path):
    run(folder, "--details", tmp_path / "d.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["q1", "q2"]
    assert set(lines[0]) >= {"id", "question", "gold", "hits", "answer", "confidence"}


def test_split_sample_and_modes(folder):
    assert json.loads(run(folder, "--json", "--split", "test").stdout)["questions"] == 1
    assert json.loads(run(folder, "--json", "--sample", 1, "--seed", 3).stdout)["questions"] == 1
    assert json.loads(run(folder, "--json", "--retrieval-only").stdout)["metrics"]["EM"] is None
    assert json.loads(run(folder, "--json", "--gold-passages").stdout)["metrics"]["R@1"] is None
    with pytest.raises(ConfigError, match="give one of them"):
        run(folder, "--retrieval-only", "--gold-passages")


def test_two_configurations_are_compared(folder, tmp_path):
    for name, model in (("a", "one"), ("b", "other")):
        (tmp_path / f"{name}.toml").write_text(f'[embedding]\nmodel = "{model}"\n')
    configs = ("--config", tmp_path / "a.toml", "--config", tmp_path / "b.toml")
    document = json.loads(run(folder, "--json", *configs, "--details", tmp_path / "d.jsonl").stdout)
    assert [result["run"] for result in document["runs"]] == ["a", "b"]
    assert [result["fingerprint"] for result in document["runs"]] == ["one", "other"]
    assert document["comparisons"][0]["runs"] == ["a", "b"]
    assert document["comparisons"][0]["metrics"]["R@1"]["difference"] == 0
    lines = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert [(line["run"], line["id"]) for line in lines] == [("a", "q1"), ("a", "q2"), ("b", "q1"), ("b", "q2")]
    assert "0 questions differ" in run(folder, *configs).stdout


def test_a_sweep_is_a_run_for_each_value(folder, tmp_path):
    document = json.loads(run(folder, "--json", "--retrieval-only", "--sweep", "retrieval.dense_weight=0,1").stdout)
    assert [result["run"] for result in document["runs"]] == ["retrieval.dense_weight=0", "retrieval.dense_weight=1"]
    assert [result["config"]["retrieval"]["dense_weight"] for result in document["runs"]] == [0.0, 1.0]


def test_html_report(folder, tmp_path):
    run(folder, "--html", tmp_path / "report.html")
    assert "<svg" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("option", ["--html", "--details"])
def test_a_file_that_cannot_be_written_stops_before_the_run(folder, tmp_path, option):
    with pytest.raises(DataError, match=f"cannot be written: .* \\(give {option} another file\\)"):
        run(folder, option, tmp_path / "no" / "file")
    assert not (tmp_path / "index").exists()


def test_a_faulty_set_stops_before_the_first_is_run(folder, tmp_path):
    with pytest.raises(DataError, match="not found"):
        run(folder, tmp_path / "missing.json")
    assert not (tmp_path / "index").exists()


def test_the_gate_holds_or_fails(folder):
    with pytest.raises(DataError, match="no floors"):
        run(folder, "--gate")
    assert not (folder.parent / "index").exists()  # told before anything is built
    assert CliRunner().invoke(app, ["baseline", str(folder)]).exit_code == 0
    assert "no metric is below its floor" in run(folder, "--gate").stderr
    baseline = json.loads((folder / "baseline.json").read_text())
    baseline["floors"]["EM"], baseline["well"]["EM"] = 0.9, ["q1"]
    (folder / "baseline.json").write_text(json.dumps(baseline))
    assert "EM is 0.0000, below its floor 0.9000; lost: q1" in run(folder, "--gate", code=1).stderr


def test_floors_of_another_mode_are_told_before_anything_is_built(folder):
    assert CliRunner().invoke(app, ["baseline", str(folder)]).exit_code == 0
    shutil.rmtree(folder.parent / "index")
    with pytest.raises(DataError, match="its mode is answers, the run has retrieval"):
        run(folder, "--gate", "--retrieval-only")
    assert not (folder.parent / "index").exists()


def test_calibrate_needs_enough_questions(folder, tmp_path):
    result = CliRunner().invoke(app, ["calibrate", str(folder), "--out", str(tmp_path / "mine.json")])
    assert isinstance(result.exception, DataError)
    assert "too few to fit a confidence" in str(result.exception)
