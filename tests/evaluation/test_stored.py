"""Runs read back from the disk: the same outcomes, the settings that differ, and the articles only where they are the run's."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from fakes import article

from qa.errors import DataError, StoreError
from qa.evaluation.compare import compare
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.indexes import eval_folder
from qa.evaluation.runs import evaluate
from qa.evaluation.stored import articles_of, changed_settings, differing_settings, stored_run

MOON = article("moon", "Apollo landed on the grey Moon in July.", "Moon")
SUN = article("sun", "The Sun is a yellow star.", "Sun")
GOLD = Gold("moon", MOON.text.index("July"), MOON.text.index("July") + 4, "July")
QUESTIONS = (Question("q1", "When did Apollo land?", "fact", gold=(GOLD,)), Question("q2", "Who sings?", "off-topic"))
SET = Dataset("tiny", (MOON, SUN), QUESTIONS)


@pytest.fixture
def run(config, encoder):
    return evaluate(SET, config, encoder=encoder)


def nowhere(article_id):
    raise StoreError(f"no article {article_id}")


def clear_cache(config):
    for folder in eval_folder(config).iterdir():
        if folder.name != "runs":
            shutil.rmtree(folder)


def test_a_run_is_read_back_as_it_was(run):
    stored = stored_run(run.folder)
    assert (stored.outcomes, stored.mode, stored.folder) == (run.outcomes, run.mode, run.folder)
    assert stored.result == json.loads(json.dumps(run.result))
    assert compare(stored, stored, "AB")["differ"] == []


def test_a_run_that_was_damaged_is_named(run):
    (run.folder / "details.jsonl").write_text('{"id": "q1"}\n')
    with pytest.raises(DataError, match=r"tiny: this run cannot be read: KeyError: 'gold' \(make it again: qa eval SET\)"):
        stored_run(run.folder)


def test_settings_that_are_not_the_default(config, encoder, run):
    assert changed_settings(run.result) == {"reader.model": "sentence"}
    other = evaluate(SET, config.replace("retrieval.dense_weight", 0.25), encoder=encoder)
    assert changed_settings(other.result) == {"reader.model": "sentence", "retrieval.dense_weight": 0.25}
    assert differing_settings(run.result, other.result) == {"retrieval.dense_weight": (0.6, 0.25)}


def test_articles_come_from_the_runs_own_index(config, run):
    found = articles_of(run, ["moon", "sun", "mars"], config, nowhere)
    assert {key: found[key].text for key in found} == {"moon": MOON.text, "sun": SUN.text}


def test_without_it_articles_of_the_index_in_use_serve_when_the_golds_stand_in_them(config, run):
    clear_cache(config)
    in_use = {"moon": MOON, "sun": SUN}
    assert articles_of(run, ["moon", "sun"], config, in_use.__getitem__) == {"moon": MOON}  # no gold tells about the Sun
    changed = replace(MOON, text="News: " + MOON.text)
    assert articles_of(run, ["moon"], config, {"moon": changed}.__getitem__) == {}
    assert articles_of(run, ["moon"], config, nowhere) == {}
