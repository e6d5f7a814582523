"""One HTML file that tells a whole evaluation: metrics, plots, comparisons, and the worst questions beside their gold.

It needs nothing else: styles and plots are inside, no script runs, and all text from articles and questions is escaped (the
template in report.html.j2 escapes by default).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa.evaluation.charts import bar_chart, histogram, line_chart
from qa.evaluation.compare import relevant_rank
from qa.evaluation.datasets import Question
from qa.evaluation.files import unwritable, writable
from qa.evaluation.metrics import Found, covers
from qa.evaluation.outcomes import Outcome, score
from qa.evaluation.report import KIND_COLUMNS, costs, heading, number
from qa.evaluation.runs import Run
from qa.evaluation.summary import METRICS

WORST = 40
SHOWN_HITS = 3
DIFFERENCES = 100
EXCERPT = 300  # characters of a passage
AROUND_GOLD = 120  # characters on either side


def write_report(file: Path, runs: Sequence[Run], labels: Sequence[str], comparisons: Sequence[Mapping[str, Any]] = ()) -> None:
    """All runs in one file; `labels` name their configurations."""
    page = render_report(runs, labels, comparisons)
    try:
        with writable(file, "--html", "w") as out:
            out.write(page)
    except OSError as error:
        raise unwritable(file, "--html", error) from None


def render_report(runs: Sequence[Run], labels: Sequence[str], comparisons: Sequence[Mapping[str, Any]] = ()) -> str:
    from jinja2 import Environment, PackageLoader

    templates = Environment(loader=PackageLoader("qa.evaluation", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    templates.filters["number"] = number
    names = run_names(runs, labels)
    return templates.get_template("report.html.j2").render(
        runs=[_section(name, run) for name, run in zip(names, runs)],
        comparisons=[{**comparison, "differ": comparison["differ"][:DIFFERENCES]} for comparison in comparisons],
        charts=charts({name: run.result for name, run in zip(names, runs)}) + [latencies(dict(zip(names, runs)))],
        metrics=METRICS,
        kind_columns=KIND_COLUMNS,
    )


def charts(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Recall by k, risk against coverage, and reliability, a line for each result."""
    curves = {name: result["curves"] for name, result in results.items()}
    recall = {
        name: list(enumerate(curve["recall"], 1)) for name, curve in curves.items() if curve.get("recall") and None not in curve["recall"]
    }
    risk = {name: curve["risk_coverage"] for name, curve in curves.items() if "risk_coverage" in curve}
    trust = {
        name: [(bin_["confidence"], bin_["right"]) for bin_ in curve["reliability"]]
        for name, curve in curves.items()
        if "reliability" in curve
    }
    drawn = []
    if recall:
        drawn.append(line_chart("Answer among the first k passages", recall, ("k", "share of questions"), (1, 10), (0, 1), rising=True))
    if risk:
        drawn.append(line_chart("Wrong answers by how many are given", risk, ("share answered", "share wrong"), (0, 1), (0, 1)))
    if trust:
        labels = ("confidence", "share right")
        drawn.append(line_chart("Confidence against share right", trust, labels, (0, 1), (0, 1), ideal=True, rising=True))
    return drawn


def latencies(runs: Mapping[str, Run]) -> str:
    """How long questions took, up to the slowest in a hundred."""
    times = {name: [outcome.latency_ms for outcome in run.outcomes if outcome.latency_ms is not None] for name, run in runs.items()}
    every = [time for several in times.values() for time in several]
    highest = float(np.percentile(every, 99)) if every else 1.0
    bars = {name: histogram(several, highest) for name, several in times.items()}
    return bar_chart("Time a question takes", bars, ("milliseconds", "share of questions"), (0, highest))


def worst(run: Run) -> list[Outcome]:
    """The questions that went worst: failures, then wrong answers by their confidence, then what was refused or not found."""
    scores = score(run.outcomes, run.mode)

    def badness(row: int) -> float:
        outcome, wrong = run.outcomes[row], scores["wrong_given"][row] if "wrong_given" in scores else np.nan
        if outcome.error:
            return 4.0
        if wrong == 1:
            return 2.0 + outcome.confidence
        if wrong == 0 or not outcome.question.answerable:
            return 0.0  # answered rightly, or rightly refused
        lost = 1.0 if "wrong_given" in scores and outcome.answer is None else 0.0
        return lost + (0.0 if run.mode == "reader" else 0.9 - 0.9 / (relevant_rank(outcome) or 1000))

    rows = sorted(range(len(run.outcomes)), key=badness, reverse=True)
    return [run.outcomes[row] for row in rows[:WORST] if badness(row) > 0]


def _section(name: str, run: Run) -> dict[str, Any]:
    texts = {article.id: article for article in run.dataset.articles}
    return {
        "name": name,
        "heading": heading(run.result),
        "costs": costs(run.result),
        "result": run.result,
        "worst": [_shown(outcome, texts) for outcome in worst(run)],
    }


def _shown(outcome: Outcome, articles: Mapping[str, Any]) -> dict[str, Any]:
    """A question as the template shows it: gold in its surroundings, and the first passages that were found."""
    question = outcome.question
    golds = []
    for gold in question.gold[:SHOWN_HITS]:
        text = articles[gold.article_id].text
        before, after = text[max(0, gold.start - AROUND_GOLD) : gold.start], text[gold.end : gold.end + AROUND_GOLD]
        golds.append({"before": before, "text": gold.text, "after": after, "article": gold.article_id})
    return {
        "outcome": outcome,
        "question": question,
        "golds": golds,
        "documents": [key for key, grade in question.documents.items() if grade > 0],
        "rank": relevant_rank(outcome),
        "hits": [_hit(hit, articles, question) for hit in outcome.hits[:SHOWN_HITS]],
    }


def _hit(hit: Found, articles: Mapping[str, Any], question: Question) -> dict[str, Any]:
    article = articles[hit.article_id]
    text = article.text[hit.start : hit.end]
    return {
        "title": article.title or hit.article_id,
        "score": hit.score,
        "text": text[:EXCERPT] + ("…" if len(text) > EXCERPT else ""),
        "holds": question.documents.get(hit.article_id, 0) > 0 or any(covers(hit, gold) for gold in question.gold),
    }


def run_names(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """Set and configuration, as far as they differ: "eval", "mpnet", "eval, mpnet"."""
    sets = [run.result["dataset"] for run in runs]
    if len(set(labels)) == 1:
        return sets if len(set(sets)) == len(sets) else [f"{name} ({place})" for place, name in enumerate(sets, 1)]
    return list(labels) if len(set(sets)) == 1 else [f"{name}, {label}" for name, label in zip(sets, labels)]
