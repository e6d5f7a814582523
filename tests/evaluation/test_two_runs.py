"""Two evaluations at once, in processes of their own, over one cache: what one gets alone, and an index built once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import FakeEncoder

from qa.evaluation.journal import finished_runs, read_details
from qa.evaluation.load import load_dataset
from qa.evaluation.runs import evaluate

TESTS = Path(__file__).parents[1]
MEASURED = ("metrics", "intervals", "kinds", "curves", "questions", "passages", "corpus_sha256")


@pytest.fixture
def folder(tmp_path):
    """Eight articles and a question to each."""
    (tmp_path / "set" / "articles").mkdir(parents=True)
    questions = []
    for number, word in enumerate("grey red blue old deep wide cold tall".split()):
        text = f"The {word} ship sailed.\n\nIt came back in spring, after {number + 3} months."
        (tmp_path / "set" / "articles" / f"{word}.txt").write_text(text)
        gold = [{"article": f"{word}.txt", "start": 4, "end": 4 + len(word), "text": word}]
        questions.append({"id": word, "question": f"Which ship, the {word} one?", "gold": gold if number else []})
    (tmp_path / "set" / "questions.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    return tmp_path / "set"


@pytest.fixture
def start(folder, config):
    started = []

    def run(*wait):
        command = [sys.executable, str(TESTS / "evaluation" / "evaluator.py"), str(folder), str(config.index.path), *wait]
        path = os.pathsep.join([str(TESTS.parent), str(TESTS), os.environ["PYTHONPATH"]])
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        started.append(subprocess.Popen(command, **pipes, text=True, env={**os.environ, "PYTHONPATH": path}))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_run_waits_for_the_index_and_says_so_and_both_find_what_one_finds_alone(folder, start, config, tmp_path):
    first = start("wait")
    assert first.stdout.readline() == "encoding\n"
    second = start()
    assert second.stderr.readline() == "another run is building this index; waiting\n"
    (out, first_errors), (other, second_errors) = first.communicate("\n"), second.communicate()
    assert (first_errors, second_errors) == ("", "")
    done, also_done = json.loads(out), json.loads(other)
    passages = done["encoded"][: done["result"]["passages"]]
    assert len(set(passages)) == 8
    assert not set(passages) & set(also_done["encoded"])

    alone = evaluate(load_dataset(folder), config.replace("index.path", tmp_path / "alone" / "index"), encoder=FakeEncoder())
    expected = json.loads(json.dumps({name: alone.result[name] for name in MEASURED}))
    for run in (done, also_done):
        assert {name: run["result"][name] for name in MEASURED} == expected
        assert lines(Path(run["folder"])) == lines(alone.folder)
    assert {folder for folder, _ in finished_runs(config.index.path.parent / "eval")} == {Path(done["folder"]), Path(also_done["folder"])}
    assert done["folder"] != also_done["folder"]


def lines(run):
    """The details, without the times that questions took."""
    return [{name: value for name, value in line.items() if name != "latency_ms"} for line in read_details(run)]
