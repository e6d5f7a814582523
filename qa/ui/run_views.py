"""The list of finished runs, and one run: its verdicts, metrics, plots, kinds, and how it was made.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qa.evaluation.compare import SAME
from qa.evaluation.html import charts, latencies
from qa.evaluation.report import KIND_COLUMNS, costs, number
from qa.evaluation.runs import Run
from qa.evaluation.stored import changed_settings, stored_verdicts
from qa.evaluation.summary import CONFIDENCE, READING, REFUSING, RETRIEVAL
from qa.evaluation.verdicts import CAUSES, SEEN
from qa.render import escape
from qa.ui.evaluation_pieces import MODES, band, interval, moment, page_of, pager, plots, settings, table, tone
from qa.ui.places import Place, button
from qa.ui.views import count

MAIN = ("R@1", "R@5", "RR@10", "F1", "no_answer_F1", "no_answer_AUROC")
GROUPS = {"Retrieval": RETRIEVAL, "Answers": READING, "Refusing": REFUSING, "Confidence": CONFIDENCE}
MEANING = {
    "R@1": "the first passage holds the answer",
    "R@5": "one of the first five does",
    "R@10": "one of the first ten does",
    "RR@10": "1 by the rank of the first that does",
    "nDCG@10": "the same, falling more slowly with rank",
    "EM": "the gold words exactly; a refusal counts as empty",
    "F1": "words shared with the gold; a refusal counts as empty",
    "EM_forced": "as EM, of the best answer, shown or not",
    "F1_forced": "as F1, of the best answer, shown or not",
    "no_answer_EM": "as EM; refusing is right where the articles don’t say",
    "no_answer_F1": "as F1; refusing is right where the articles don’t say",
    "answered_answerable": "answered, of what the articles say",
    "answered_unanswerable": "answered, of what they don’t; less is better",
    "wrong_given": "wrong, of the answers given; less is better",
    "no_answer_AUROC": "confidence tells what the articles say from what not",
    "right_AUROC": "confidence tells right answers from wrong ones",
    "ECE": "how far confidence is from the share right; less is better",
}

Result = Mapping[str, Any]


def runs(found: Sequence[tuple[str, Result]], place: Place, command: str) -> str:
    """The runs, newest first. When the place names one, the others offer themselves for a comparison with it."""
    if not found:
        return f"""<section class="empty"><div><h2 tabindex="-1">No evaluation has been run yet</h2>
<p>This makes one, of the questions that came along: <code>{escape(command)}</code></p></div></section>"""
    first = dict(found).get(place.run)
    rows = "".join(_row(name, result, place, first) for name, result in page_of(found, place))
    choosing = _choosing(first) if first else '<p class="lead">Finished runs of <code>qa eval</code>, the newest first.</p>'
    return f"""<section class="runs"><h2 tabindex="-1">Evaluation</h2>{choosing}<ol class="runs">{rows}</ol>
{pager(place, len(found))}</section>"""


def _choosing(first: Result) -> str:
    what = f"<b>{escape(first['dataset'])}</b>, {moment(first)}"
    return f"""<p class="lead" role="status">Compare {what} with which run? {button(Place(), "Cancel")}</p>"""


def _row(name: str, result: Result, place: Place, first: Result | None) -> str:
    title = button(Place("run", name), escape(result["dataset"]), css="title", key=name)
    asked = f"{count(result['questions'], 'question')}, {MODES[result['mode']]}"
    return f"""<li{' class="chosen"' if name == place.run else ""}><div class="what">{title}
<p class="byline">{moment(result)}<br>{asked}</p>{settings(changed_settings(result))}</div>
<dl class="main">{_main(result)}</dl>{_compare(name, result, place, first)}</li>"""


def _main(result: Result) -> str:
    figures = [(name, result["metrics"][name], result["intervals"].get(name)) for name in MAIN if result["metrics"].get(name) is not None]
    return "".join(
        f"<div><dt>{name}</dt><dd>{number(value)}{band(value, found)}<small>{interval(found)}</small></dd></div>"
        for name, value, found in figures
    )


def _compare(name: str, result: Result, place: Place, first: Result | None) -> str:
    if first is None:
        return button(Place("runs", name, page=place.page), "Compare …", css="open", focus="heading")
    if name == place.run:
        return '<span class="byline">this one</span>'
    differs = [words for key, words in SAME.items() if first[key] != result[key]]
    if differs:
        return button(Place("comparison", place.run, name), f"other {escape(' and '.join(differs))}", css="plain other")
    return button(Place("comparison", place.run, name), "with this", css="open")


def run(shown: Run) -> str:
    """One run on a page."""
    result, here = shown.result, Place("run", shown.folder.name)
    drawn = charts({"": result}) + [latencies({"": shown})]
    return f"""<section class="run"><nav class="trail">{button(Place(), "← Runs", focus=here.run)}</nav>
<header><h2 tabindex="-1">{escape(result["dataset"])}</h2><p class="byline">{_heading(result)}</p>{settings(changed_settings(result))}
<p class="actions">{button(here.to(view="questions"), "All questions", css="open")}
{button(Place("runs", here.run), "Compare with another run …", css="open")}</p></header>{_verdicts(shown, here)}
<div class="board"><div>{_metrics(result)}</div><div>{plots(drawn)}{_kinds(result, here)}</div></div>{_origin(result)}</section>"""


def _heading(result: Result) -> str:
    unanswerable = f" ({result['unanswerable']:,} unanswerable)" if result["unanswerable"] else ""
    over = f"over {count(result['articles'], 'article')}, {count(result['passages'], 'passage')}"
    return f"{moment(result)} · {count(result['questions'], 'question')}{unanswerable} {over} · {MODES[result['mode']]}"


def _verdicts(shown: Run, here: Place) -> str:
    """How many questions had which verdict: a bar of what was seen, and buttons to the questions."""
    found = stored_verdicts(shown.folder)
    counts, parts = Counter(verdict for both in found for verdict in both), Counter(both[0] for both in found)
    bar = "".join(f'<i class="{tone(name)}" style="flex-grow:{parts[name]}"></i>' for name in SEEN + CAUSES if parts[name])
    chips = "".join(f"<li>{_chip(name, counts[name], here)}</li>" for name in SEEN + CAUSES if counts[name])
    return f'<div class="outcomes"><div class="bar" aria-hidden="true">{bar}</div><ul>{chips}</ul></div>'


def _chip(verdict: str, questions: int, here: Place) -> str:
    return button(here.to(view="questions", verdict=verdict), f"{verdict} <b>{questions:,}</b>", css=f"chip-filter {tone(verdict)}")


def _metrics(result: Result) -> str:
    rows = "".join(row for group, names in GROUPS.items() for row in _group(result, group, names))
    return table("Metrics", ("metric", "value", "", "95 % interval"), rows)


def _group(result: Result, group: str, names: Sequence[str]) -> Iterator[str]:
    told = [name for name in names if result["metrics"].get(name) is not None]
    if told:
        yield f'<tr class="group"><th colspan="4" scope="colgroup">{group}</th></tr>'
    for name in told:
        value, found = result["metrics"][name], result["intervals"].get(name)
        yield f"""<tr><th scope="row">{name}<small>{MEANING[name]}</small></th><td>{number(value)}</td>
<td>{band(value, found)}</td><td class="soft">{interval(found)}</td></tr>"""


def _kinds(result: Result, here: Place) -> str:
    if len(result["kinds"]) < 2:
        return ""
    columns = [name for name in KIND_COLUMNS if any(name in row for row in result["kinds"].values())]
    rows = "".join(_kind(kind, row, columns, here) for kind, row in result["kinds"].items())
    return table("By kind of question", ("kind", "questions", *columns), rows)


def _kind(kind: str, row: Mapping[str, float], columns: Sequence[str], here: Place) -> str:
    """No answer can be right where there is none: `right` is left out there."""
    told = [number(row[name]) if name in row and (name != "right" or "EM" in row) else "" for name in columns]
    title = button(here.to(view="questions", kind=kind), escape(kind))
    return f'<tr><th scope="row">{title}</th><td>{row["questions"]:,}</td>{"".join(f"<td>{cell}</td>" for cell in told)}</tr>'


def _origin(result: Result) -> str:
    facts = {
        "Costs": costs(result),
        "Encoder": f"{result['config']['embedding']['model']} ({result['fingerprint']})",
        "Reader": result.get("reader") or result["config"]["reader"]["model"],
        "Corpus": result["corpus_sha256"],
        "Questions": result["questions_sha256"],
        "Took": f"{result['seconds']:,} s",
        "Versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
    }
    rows = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<details class="origin"><summary>How it was made</summary><dl>{rows}</dl></details>'
