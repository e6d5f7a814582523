"""The report as one file: nothing from other hosts, nothing that runs, everything escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from fakes import article

from qa.errors import DataError
from qa.evaluation.charts import bar_chart, histogram, line_chart
from qa.evaluation.compare import compare
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.html import render_report, run_names, worst, write_report
from qa.evaluation.runs import evaluate

EVIL = article("evil", 'The <script>alert("Moon")</script> is grey.\n\nThe Sun is <b>yellow</b>.', "<i>Evil</i>")
GOLD = Gold("evil", EVIL.text.index("grey"), EVIL.text.index("grey") + 4, "grey")
SUN = Gold("evil", EVIL.text.index("Sun"), EVIL.text.index("Sun") + 3, "Sun")
QUESTIONS = (
    Question("q1", "Is the Moon grey?", "fact", gold=(GOLD,)),
    Question("q2", "Who <u>sings</u>?", "fact", gold=(SUN,)),
    Question("q3", "Who dances?", "off-topic"),
)
SET = Dataset("evil & co", (EVIL,), QUESTIONS)


@pytest.fixture
def run(config, encoder):
    return evaluate(SET, config, encoder=encoder)


def test_a_report_is_one_file_that_needs_nothing_else(run):
    page = render_report([run], ["qa"])
    assert not re.search(r"<script|javascript:|\bon\w+=|src=|<link|@import|url\(", page.replace("&lt;script&gt;", ""))
    assert re.findall(r'(?:href|xmlns)="([^"]+)"', page) == ["http://www.w3.org/2000/svg"] * page.count("<svg")
    assert "default-src 'none'" in page


def test_text_from_articles_and_questions_is_escaped(run):
    page = render_report([run], ["qa"])
    for raw in ("<script>alert", "<u>sings", "<i>Evil", "<b>yellow"):
        assert raw not in page
    assert "Who &lt;u&gt;sings&lt;/u&gt;?" in page
    assert "evil &amp; co" in page


def test_the_report_shows_metrics_plots_and_the_worst_questions(run):
    page = render_report([run], ["qa"])
    assert page.count("<svg") == 4
    assert ">no_answer_F1<" in page
    assert "Who &lt;u&gt;sings" in page


def test_two_runs_are_told_apart_and_compared(run):
    comparison = compare(run, run, ("a.toml", "b.toml"))
    page = render_report([run, run], ["a.toml", "b.toml"], [comparison])
    assert "a.toml against b.toml on evil &amp; co" in page
    assert run_names([run, run], ["a", "b"]) == ["a", "b"]
    assert run_names([run], ["qa"]) == ["evil & co"]


def test_failures_come_first_among_the_worst(run):
    failed = replace(run.outcomes[0], error="ValueError: no", answer=None, withheld=None)
    assert [outcome.question.id for outcome in worst(replace(run, outcomes=(run.outcomes[1], failed)))][0] == "q1"


def test_what_was_answered_rightly_is_not_among_the_worst(run):
    right = replace(run.outcomes[0], answer="grey", withheld=None, hits=())
    assert worst(replace(run, outcomes=(right,))) == []


def test_a_hit_that_holds_the_answer_is_marked(run):
    page = render_report([replace(run, outcomes=(replace(run.outcomes[0], answer="no", withheld=None),))], ["qa"])
    assert "; the answer stands here)" in page


def test_a_report_that_cannot_be_written_is_named(run, tmp_path):
    with pytest.raises(DataError, match=r"no/report\.html cannot be written: No such file or directory \(give --html another file\)"):
        write_report(tmp_path / "no" / "report.html", [run], ["qa"])


def test_charts_are_well_formed_and_named():
    for chart in (
        line_chart("A < B", {"x & y": [(0, 0.0), (1, 1.0)], "z": []}, ("k", "share"), (0, 1), (0, 1), ideal=True),
        bar_chart("Times", {"x": [(0, 0.5), (10, 0.5)]}, ("ms", "share"), (0, 20)),
        bar_chart("None", {}, ("ms", "share"), (0, 20)),
    ):
        ElementTree.fromstring(chart)
    assert 'aria-label="A &lt; B"' in line_chart("A < B", {}, ("", ""), (0, 1), (0, 1))


def test_a_line_goes_where_its_points_are():
    chart = line_chart("t", {"x": [(0, 0), (1, 1)]}, ("", ""), (0, 1), (0, 1))
    assert 'points="52.0,256.0 400.0,34.0"' in chart


def test_histogram_counts_what_is_above_in_the_last_bin():
    assert histogram([1, 1, 5, 99], highest=10, bins=2) == [(0, 0.5), (5.0, 0.5)]
