"""The evaluation tab as a reader of runs meets it: each place in it as markup. The browser's side is in tests/browser."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from fake_pipeline import FakePipeline
from fakes import FakeEncoder, article

from qa.config import Config
from qa.datatypes import Turn
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.indexes import eval_folder
from qa.evaluation.journal import Journal
from qa.evaluation.metrics import Found
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run, evaluate
from qa.evaluation.summary import summarise
from qa.server.visitors import Visitor, present
from qa.ui.evaluation import Evaluation
from qa.ui.places import Place, place_from

MOON = article("moon", "Apollo landed on the grey Moon in July.\n\nTwo men walked <b>there</b> for hours.", "The <i>Moon</i>")
SUN = article("sun", "The Sun is a yellow star.\n\nIt warms the Earth.", "Sun")


def gold(source, words):
    return Gold(source.id, source.text.index(words), source.text.index(words) + len(words), words)


def whole(source, score=0.5):
    return Found(source.id, 0, len(source.text), score)


RIGHT = Question("q1", "When did Apollo land <u>there</u>?", "fact", gold=(gold(MOON, "July"),), turns=(Turn("Who landed?", "Apollo"),))
MISREAD = Question("q2", "What does the Sun warm?", "fact", gold=(gold(SUN, "Earth"),))
LOST = Question("q3", "Who walked?", "paraphrase", gold=(gold(MOON, "Two men"),))
NOWHERE = Question("q4", "Who discovered penicillin?", "off-topic")
TALKED = Question("q5", "Which penguin sang?", "off-topic")
BROKEN = Question("q6", "Why?", "fact", gold=(gold(SUN, "yellow"),))
SHY = Question("q7", "What colour is the Sun?", "fact", gold=(gold(SUN, "yellow"),))
SET = Dataset("tiny & co", (MOON, SUN), (RIGHT, MISREAD, LOST, NOWHERE, TALKED, BROKEN, SHY))
OUTCOMES = (
    Outcome(RIGHT, (whole(SUN, 0.9), whole(MOON, 0.8)), answer="in July", confidence=0.9, latency_ms=12.0),
    Outcome(MISREAD, (whole(SUN), whole(MOON)), answer="a yellow star", confidence=0.6, latency_ms=8.0),
    Outcome(LOST, (whole(SUN),), answer="Apollo", confidence=0.5, latency_ms=9.0),
    Outcome(NOWHERE, (whole(SUN),), withheld="Earth", confidence=0.1, latency_ms=7.0),
    Outcome(TALKED, (whole(MOON),), answer="Two men", confidence=0.7, latency_ms=7.5),
    Outcome(BROKEN, error="ValueError: no <sun>"),
    Outcome(SHY, (whole(SUN),), withheld="yellow", confidence=0.2, latency_ms=6.0),
)
VERDICTS = {
    "right": ["q1"],
    "refused rightly": ["q4"],
    "wrong": ["q2", "q3", "q5"],
    "refused wrongly": ["q7"],
    "failed": ["q6"],
    "retrieved but misread": ["q2"],
    "not retrieved": ["q3"],
}


@pytest.fixture(autouse=True)
def asked_by_an_editor() -> Iterator[None]:
    token = present.set(Visitor(right="editor"))
    yield
    present.reset(token)


@pytest.fixture
def made(config: Config, encoder: FakeEncoder) -> Run:
    """A real run over the set: its index is in the cache."""
    return evaluate(SET, config, encoder=encoder)


@pytest.fixture
def name(config: Config, made: Run) -> str:
    """A run in which every verdict occurs."""
    return keep(config, made, OUTCOMES, "2030-01-02T10:20:00+00:00")


@pytest.fixture
def tab(config: Config) -> Evaluation:
    return opened(config)


def opened(config: Config, *articles) -> Evaluation:
    with gr.Blocks(), gr.Tab("Evaluation") as tab:
        return Evaluation(config, FakePipeline(articles), tab)  # type: ignore[arg-type]


def keep(config: Config, like: Run, outcomes, date: str, /, **more: object) -> str:
    """Puts a run with these outcomes among the finished ones."""
    journal = Journal(eval_folder(config), "key")
    for outcome in outcomes:
        journal.add(outcome)
    counts = {"questions": len(outcomes), "unanswerable": sum(not outcome.question.answerable for outcome in outcomes)}
    folder = journal.finish(like.result | summarise(outcomes, like.mode) | counts | {"date": date} | more)
    journal.close()
    return folder.name


def text(markup: str) -> str:
    """What is read: without tags, white space as single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def listed(markup: str) -> list[str]:
    """Ids of the questions of a list."""
    return re.findall(r'class="row"[^>]* data-question="([^"]*)"', markup)


def test_runs_are_shown_to_editors_only(tab, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qa.ui.evaluation.current_visitor", lambda: Visitor("ann", "reader"))
        assert text(tab.show(Place())) == "Runs are for editors to see."
        assert name not in tab.show(Place(view="run", run=name))
    assert name in tab.show(Place())


def test_without_runs_the_command_that_makes_one_is_told(tab, config):
    shown = tab.show(Place())
    assert f"qa eval eval/ --index {config.index.path}" in text(shown)
    assert "No evaluation has been run yet" in text(shown)


def test_runs_are_listed_newest_first_with_settings_and_figures(tab, name, config, made):
    weighted = config.replace("retrieval.dense_weight", 0.25)
    keep(weighted, made, OUTCOMES, "2031-01-01T00:00:00+00:00", config=made.result["config"] | {"retrieval": {"dense_weight": 0.25}})
    shown = text(tab.show(Place()))
    assert shown.index("1 January 2031, 00:00") < shown.index("2 January 2030, 10:20")
    assert "retrieval.dense_weight = 0.25" in shown
    assert shown.count("reader.model = sentence") == 3
    low, high = made.result["intervals"]["R@1"]
    assert f"R@1 {made.result['metrics']['R@1']:.3f} {low:.3f}–{high:.3f}" in shown


def test_many_runs_are_paged(tab, config, made):
    for number in range(30):
        keep(config, made, OUTCOMES[:1], f"2030-01-01T00:00:{number:02}+00:00")
    assert tab.show(Place()).count('class="title"') == 25
    assert tab.show(Place(page=1)).count('class="title"') == 6
    assert "26–31 of 31" in text(tab.show(Place(page=1)))


def test_a_run_shows_metrics_kinds_plots_and_verdicts(tab, name):
    shown = tab.show(Place("run", name))
    assert shown.count("<svg") == 4
    for title in (
        "Answer among the first k passages",
        "Wrong answers by how many",
        "Confidence against share right",
        "Time a question takes",
    ):
        assert f'aria-label="{title}' in shown
    words = text(shown)
    assert "7 questions (2 unanswerable) over 2 articles" in words
    assert "no_answer_AUROC confidence tells what the articles say from what not" in words
    assert "fact 4" in words and "off-topic 2" in words
    for verdict, ids in VERDICTS.items():
        assert f"{verdict} {len(ids)}" in words


@pytest.mark.parametrize(("verdict", "ids"), VERDICTS.items())
def test_questions_are_narrowed_by_outcome(tab, name, verdict, ids):
    assert listed(tab.show(Place("questions", name, verdict=verdict))) == ids


def test_questions_are_narrowed_by_kind_and_both(tab, name):
    assert listed(tab.show(Place("questions", name))) == [question.id for question in SET.questions]
    assert listed(tab.show(Place("questions", name, kind="fact"))) == ["q1", "q2", "q6", "q7"]
    both = tab.show(Place("questions", name, kind="fact", verdict="wrong"))
    assert listed(both) == ["q2"]
    assert "1 of 7 questions" in text(both)
    assert "wrong 1" in text(both) and "off-topic 1" in text(both)


def test_questions_are_paged(tab, config, made):
    many = tuple(replace(OUTCOMES[0], question=replace(RIGHT, id=f"n{number}")) for number in range(60))
    name = keep(config, made, many, "2030-01-01T00:00:00+00:00")
    assert listed(tab.show(Place("questions", name, page=2))) == [f"n{number}" for number in range(50, 60)]
    assert "51–60 of 60" in text(tab.show(Place("questions", name, page=2)))
    opened_last = tab.show(Place("question", name, question="n59"))
    assert "60 of 60" in text(opened_last)
    assert re.search(r'data-view="questions"[^>]* data-page="2"[^>]*>← Questions', opened_last)


def test_a_question_shows_answer_confidence_and_hits_with_the_gold_in_its_passage(tab, name):
    shown = tab.show(Place("question", name, question="q1"))
    words = text(shown)
    assert "“in July” Confidence 90% 12 ms" in words
    assert "Asked before Who landed? — Apollo" in words
    assert "The first passage that holds the gold is at rank 2." in words
    assert words.index("1 Sun 0.900") < words.index("2 The <i>Moon</i> 0.800 holds the gold")
    first, second = re.findall(r"<li[^>]*><h4>.*?</li>", shown, re.DOTALL)
    assert "<mark" not in first
    assert '<mark class="said">in </mark><mark class="gold said">July</mark>' in second
    assert "1 of 7" in words


def test_of_a_long_paragraph_whole_words_around_the_gold_are_shown(tab, config, encoder):
    long = article("long", "Short.\n\n" + "wordy " * 200 + "gold " + "wordy " * 200 + "end.\n\nLast.", "Long")
    asked = Question("q", "What glitters?", gold=(gold(long, "gold"),))
    run = evaluate(Dataset("long", (long,), (asked,)), config, encoder=encoder)
    (shown,) = re.findall(r'<div class="passage">.*?</div>', tab.show(Place("question", run.folder.name, question="q")))
    words = text(shown).split()
    assert words[:3] == ["Long", "…", "wordy"] and words[-2:] == ["wordy", "…"]
    assert set(words) == {"Long", "…", "wordy", "gold"}


def test_what_was_withheld_is_told_as_such(tab, name):
    words = text(tab.show(Place("question", name, question="q7")))
    assert "refused wrongly" in words
    assert "Refused. It would have said: “yellow” Confidence 20%" in words
    assert "The articles don’t say." in text(tab.show(Place("question", name, question="q4")))


def test_a_question_that_failed_says_how(tab, name):
    assert "ValueError: no <sun>" in text(tab.show(Place("question", name, question="q6")))


def test_what_comes_from_articles_and_questions_is_escaped(tab, name):
    places = [Place(), Place("run", name), Place("questions", name), Place("question", name, question="q1")]
    for place in [*places, Place("question", name, question="q6"), Place("comparison", name, name)]:
        shown = tab.show(place)
        assert not re.search(r"<u>|<i>Moon|<b>there|<sun>|tiny & co", shown)
    assert "<b>there</b>" in text(tab.show(places[3]))


def test_articles_that_are_gone_are_given_by_id_and_characters(tab, name, config):
    forget_indexes(config)
    shown = text(tab.show(Place("question", name, question="q1")))
    assert "2 articles of this run cannot be shown" in shown
    assert f"moon characters 0 to {len(MOON.text)}" in shown
    assert "moon characters 34 to 38 July" in shown
    assert "walked" not in shown


def test_articles_of_the_index_in_use_serve_when_they_are_unchanged(name, config):
    forget_indexes(config)
    assert "Two men walked" in text(opened(config, MOON, SUN).show(Place("question", name, question="q1")))
    changed = replace(MOON, text="News: " + MOON.text)
    shown = text(opened(config, changed, SUN).show(Place("question", name, question="q1")))
    assert "walked" not in shown and "1 article of this run cannot be shown" in shown


def test_two_runs_are_compared_in_pairs(tab, name, config, made):
    better = tuple(replace(o, answer="Earth", confidence=0.8) if o.question is MISREAD else o for o in OUTCOMES)
    settings = made.result["config"] | {"retrieval": {"dense_weight": 0.25}}
    other = keep(config, made, better, "2030-01-03T00:00:00+00:00", config=settings)
    shown = tab.show(Place("comparison", name, other))
    words = text(shown)
    assert "retrieval.dense_weight = 0.6" in words and "retrieval.dense_weight = 0.25" in words
    assert re.search(r"no_answer_F1 .* \+0\.143 \+0\.000 to \+0\.429 1\.0000", words)
    assert "latency p50, ms" in words
    assert shown.count("<svg") == 4
    assert "1 question: 1 better in B, 0 in A" in words
    assert listed(shown) == ["q2"]
    both = text(tab.show(Place("question", name, other, question="q2")))
    assert "“a yellow star”" in both and "“Earth”" in both
    assert "1 of 1" in both


@pytest.mark.parametrize(("key", "what"), [("corpus_sha256", "corpora"), ("questions_sha256", "questions")])
def test_runs_of_other_articles_or_questions_are_refused(tab, name, config, made, key, what):
    other = keep(config, made, OUTCOMES, "2030-01-03T00:00:00+00:00", **{key: "f" * 64})
    assert f"other {what}" in text(tab.show(Place("runs", name)))
    words = text(tab.show(Place("comparison", name, other)))
    assert f"runs cannot be compared: their {what} differ" in words
    assert "ffffffffffff" in words
    assert "B − A" not in words


def test_a_run_that_only_searched_has_its_own_verdicts(tab, config, encoder):
    run = evaluate(SET, config, "retrieval", encoder=encoder)
    words = text(tab.show(Place("run", run.folder.name)))
    assert "searched only" in words and "nothing to find 2" in words and "refused" not in words.split("Metrics")[0]
    assert "Nothing was read in this run." in text(tab.show(Place("question", run.folder.name, question="q1")))


def test_judged_documents_are_named(tab, config, encoder):
    judged = Question("d1", "When did Apollo land on the Moon?", documents={"moon": 1, "sun": 0})
    run = evaluate(Dataset("beir", (MOON, SUN), (judged,)), config, encoder=encoder)
    words = text(tab.show(Place("question", run.folder.name, question="d1")))
    assert "Documents that answer The <i>Moon</i> What was found" in words
    assert "1 The <i>Moon</i>" in words and "holds the gold" in words


@pytest.mark.parametrize("asked", ["..", "../..", "", "gone", "/etc"])
def test_only_runs_that_are_kept_are_opened(tab, name, asked):
    assert "is not there any more" in text(tab.show(Place("run", asked)))


def test_a_question_or_a_run_that_cannot_be_read_is_one_line(tab, name, config):
    assert "no question 'nine' in this run" in text(tab.show(Place("question", name, question="nine")))
    damaged = eval_folder(config) / "runs" / name / "details.jsonl"
    damaged.write_text("half a li", encoding="utf-8")
    from qa.evaluation.stored import stored_run

    stored_run.cache_clear()
    assert "this run cannot be read" in text(tab.show(Place("questions", name)))


def test_places_from_the_browser_are_taken_with_care():
    place = Place("questions", "run <1>", kind="a & b", page=2)
    assert place_from({"view": "questions", "run": "run <1>", "kind": "a & b", "page": "2", "event": "select", "key": "x"}) == place
    assert place_from({"page": "-1"}) == place_from({"page": "²"}) == place_from(None) == place_from([1]) == Place()


def test_nothing_that_evaluates_is_loaded_before_the_tab_is_opened():
    code = """
import sys
from fake_pipeline import FakePipeline
import qa.ui
from qa.config import Config
page = qa.ui.serve(Config().replace("ui.port", 0), FakePipeline(), block=False)
heavy = ("qa.evaluation.runs", "qa.evaluation.statistics", "ir_measures", "scipy", "sklearn")
print([name for name in heavy if name in sys.modules])
page.close()
"""
    tests = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tests)
    assert done.stdout.splitlines()[-1] == "[]"


def forget_indexes(config: Config) -> None:
    for folder in eval_folder(config).iterdir():
        if folder.name != "runs":
            shutil.rmtree(folder)
