"""The README's figures: those of the stored results, which are of what is there now. To renew them: python eval/figures.py"""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEncoder

from qa.evaluation.files import read_json, silent, write_json

EVAL = Path(__file__).parents[2] / "eval"
spec = importlib.util.spec_from_file_location("figures", EVAL / "figures.py")
figures = sys.modules["figures"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(figures)


def test_the_readme_has_the_figures_of_the_stored_results():
    text = figures.README.read_text(encoding="utf-8")
    assert text.count(figures.BEGIN) == text.count(figures.END) == 1
    assert figures.with_figures(text, figures.tables(figures.RESULTS)) == text


def test_the_readme_has_the_faults_of_the_stored_results():
    text = figures.README.read_text(encoding="utf-8")
    written = figures.fault_table(read_json(figures.FAULTS))
    assert figures.with_figures(text, written, figures.FAULTS_BEGIN, figures.FAULTS_END) == text
    assert "power failure" in written


def test_every_kind_of_fault_that_was_tried_has_a_row_even_where_something_was_lost():
    counts = {"tried": 1200, "survived": 1199}
    written = figures.fault_table(
        {"steps": {"by_kind": {"kill": counts}}, "damage": counts, "inputs": {"files": 650, "good_articles_lost": 0}}
    )
    assert written.splitlines()[2:] == [
        "| killed (SIGKILL) before a step | 1,200 | 1,199 |",
        "| bits flipped, files cut short, emptied or gone | 1,200 | 1,199 |",
        "",
        "650 hostile files beside good ones: 0 of the good articles lost.",
    ]


def test_no_figure_of_quality_stands_elsewhere_in_the_readme():
    text = figures.README.read_text(encoding="utf-8")
    section = text.partition("## How good it is")[2].partition("\n## ")[0]
    written = section.partition(figures.BEGIN)[2].partition(figures.END)[0]
    assert written
    assert re.findall(r"\b[01]?\.\d+", section.replace(written, "")) == []


@pytest.mark.parametrize("run", figures.RUNS, ids=lambda run: run.name)
def test_the_stored_results_are_of_what_is_there_now(run):
    dataset = None if run.squad else run.load(EVAL)
    assert figures.stale(run, read_json(figures.RESULTS / f"{run.name}.json"), dataset) is None


# The command itself, over a small set


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A small set, its results and its README in a folder of their own; and no model."""
    text = "Apollo landed on the grey Moon in July."
    (tmp_path / "eval" / "articles").mkdir(parents=True)
    (tmp_path / "eval" / "results").mkdir()
    (tmp_path / "eval" / "articles" / "moon.txt").write_text(text)
    gold = [{"article": "moon.txt", "start": text.index("July"), "end": text.index("July") + 4, "text": "July"}]
    write_json(tmp_path / "question", {"id": "q1", "question": "When did Apollo land?", "kind": "fact", "gold": gold})
    (tmp_path / "eval" / "questions.jsonl").write_text((tmp_path / "question").read_text().replace("\n", " "))
    (tmp_path / "README.md").write_text(f"Before.\n{figures.BEGIN}\nold\n{figures.END}\nAfter.\n")
    for name, value in (("HERE", "eval"), ("RESULTS", "eval/results"), ("README", "README.md")):
        monkeypatch.setattr(figures, name, tmp_path / value)
    for module in (figures, "qa.evaluation.runs"):
        monkeypatch.setattr(module if module == figures else sys.modules[module], "load_encoder", lambda _: FakeEncoder())
    own = figures.Declared("own", "ours, {questions} questions", "retrieval", kinds=("fact",))
    monkeypatch.setattr(figures, "KINDS", {"fact": "… {questions} facts"})
    monkeypatch.setattr(figures, "RUNS", (own, figures.Declared("squad", "SQuAD", "retrieval", squad=True)))
    return tmp_path


def test_the_command_measures_what_it_has_data_for_and_says_what_it_left(here, capsys):
    assert figures.main([]) == 1
    assert "left as it is for want of --squad FILE: qa eval FILE --retrieval-only: it has not been measured" in capsys.readouterr().err
    written = (here / "README.md").read_text()
    assert written.startswith("Before.\n")
    assert written.endswith("After.\n")
    assert "| ours, 1 questions: `qa eval eval/ --retrieval-only` | 1.000 ± 0.000 |" in written
    assert "| … 1 facts | 1.000 |" in written
    assert "old" not in written


def test_what_is_not_stale_is_not_measured_again_unless_asked(here, monkeypatch):
    monkeypatch.setattr(figures, "RUNS", figures.RUNS[:1])
    measured = []
    evaluate = figures.evaluate
    monkeypatch.setattr(figures, "evaluate", lambda *args, **more: measured.append(args) or evaluate(*args, **more))
    assert [figures.main([]), figures.main([]), figures.main(["--again"])] == [0, 0, 0]
    assert len(measured) == 2


def test_a_result_is_stale_when_data_settings_models_or_the_declaration_are_others(here, monkeypatch):
    own = figures.RUNS[0]
    list(figures.renew(own, here / "eval", False, silent))
    result, dataset = read_json(figures.RESULTS / "own.json"), own.load(here / "eval")

    def why(run=own, dataset=dataset, **changes):
        return figures.stale(run, {**result, **changes}, dataset)

    assert why() is None
    assert why(config={**result["config"], "reader": {}}) is None  # nothing was read
    assert figures.stale(own, {}, dataset) == "it has not been measured"
    assert why(config={**result["config"], "passages": {"size": 1}}) == "measured with another config"
    assert why(fingerprint="x", corpus_sha256="y") == "measured with another fingerprint and corpus_sha256"
    assert why(run=replace(own, sample=1)) == "measured with another command"
    monkeypatch.setattr(figures, "models", lambda *_: {"reader": "new"})
    assert why() == "measured with another models"


def test_figures_stand_with_half_their_interval():
    assert figures._cell(0.6642, (0.62, 0.71)) == "0.664 ± 0.045"
    assert figures._cell(0.05, None) == "0.050"
