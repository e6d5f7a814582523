"""Two runs side by side: settings, metrics with paired significance, costs, plots, and the questions that came out otherwise.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qa.errors import DataError
from qa.evaluation.compare import check_comparable
from qa.evaluation.html import charts, latencies
from qa.evaluation.report import SIGNIFICANT, number
from qa.evaluation.runs import Run
from qa.evaluation.stored import differing_settings, stored_comparison
from qa.render import escape
from qa.ui.evaluation_pieces import MODES, band, letter, moment, page_of, pager, plots, settings, short, signed, table
from qa.ui.places import Place, button
from qa.ui.views import count, notice

LESS_IS_BETTER = {"answered_unanswerable", "wrong_given", "ECE"}
NAMES = ("A", "B")


def differing(first: Run, second: Run) -> list[str]:
    """Ids of the questions that came out otherwise, the largest differences first."""
    return [row["id"] for row in stored_comparison(first.folder, second.folder)["differ"]]


def comparison(first: Run, second: Run, place: Place) -> str:
    """The whole comparison, or why there can be none."""
    try:
        check_comparable(first.result, second.result)
    except DataError as error:
        return _page("These runs cannot be compared", first, second, notice(str(error)) + _what_differs(first, second))
    found = stored_comparison(first.folder, second.folder)
    runs = dict(zip(NAMES, (first, second)))
    drawn = charts({name: run.result for name, run in runs.items()}) + [latencies(runs)]
    board = f'<div class="board"><div>{_metrics(found["metrics"])}</div><div>{plots(drawn)}{_costs(found["costs"])}</div></div>'
    return _page("Two runs compared", first, second, board + _differ(found, place))


def _page(title: str, first: Run, second: Run, body: str) -> str:
    here = Place("comparison", first.folder.name, second.folder.name)
    pairs = differing_settings(first.result, second.result)
    sides = "".join(
        _side(name, run, {key: pair[number] for key, pair in pairs.items()})
        for number, (name, run) in enumerate(zip(NAMES, (first, second)))
    )
    return f"""<section class="comparison"><nav class="trail">{button(Place(), "← Runs", focus=here.run)}
{button(Place("runs", here.run), "Compare A with another …")}{button(here.to(run=here.against, against=here.run), "Swap A and B")}</nav>
<h2 tabindex="-1">{title}</h2><div class="sides">{sides}</div>{body}</section>"""


def _side(name: str, run: Run, differing: Mapping[str, Any]) -> str:
    """A run, with its value of each setting that differs."""
    title = button(Place("run", run.folder.name), escape(run.result["dataset"]), css="title")
    return f"""<div class="side"><p>{letter(name)}{title}</p><p class="byline">{moment(run.result)}</p>
{settings(differing, "same settings in both")}</div>"""


def _what_differs(first: Run, second: Run) -> str:
    rows = {
        "set": [escape(run.result["dataset"]) for run in (first, second)],
        "articles": [f"{run.result['articles']:,}" for run in (first, second)],
        "articles, digest": [run.result["corpus_sha256"][:12] for run in (first, second)],
        "questions": [f"{run.result['questions']:,}" for run in (first, second)],
        "questions, digest": [run.result["questions_sha256"][:12] for run in (first, second)],
        "mode": [MODES[run.mode] for run in (first, second)],
    }
    marked = "".join(
        f'<tr{"" if one == other else " class=significant"}><th scope="row">{name}</th><td>{one}</td><td>{other}</td></tr>'
        for name, (one, other) in rows.items()
    )
    return f'<div class="refused">{table("What the runs are of", ("", *NAMES), marked)}</div>'


def _metrics(rows: Mapping[str, Mapping[str, Any]]) -> str:
    scale = max((abs(edge) for row in rows.values() for edge in row.get("interval") or [row["difference"]]), default=0) or 1
    drawn = "".join(_metric(name, row, scale) for name, row in rows.items())
    note = "p is Fisher’s randomisation test over the questions, paired; intervals are of the difference, by the bootstrap."
    head = ("metric", *NAMES, "B − A", "", "95 % interval", "p")
    return f'{table("Metrics", head, drawn)}<p class="byline">{note}</p>'


def _metric(name: str, row: Mapping[str, Any], scale: float) -> str:
    found, p = row.get("interval"), row.get("p")
    places = [0.5 + edge / scale / 2 for edge in found] if found else None
    clear = p is not None and p < SIGNIFICANT
    better = NAMES[(row["difference"] > 0) != (name in LESS_IS_BETTER)]
    told = f'<span class="tag good">{better} better</span>' if clear else ""
    return f"""<tr{' class="significant"' if clear else ""}><th scope="row">{name} {told}</th><td>{number(row["first"])}</td>
<td>{number(row["second"])}</td><td>{signed(row["difference"])}</td><td>{band(0.5 + row["difference"] / scale / 2, places, zero=True)}</td>
<td class="soft">{f"{signed(found[0])} to {signed(found[1])}" if found else ""}</td><td>{"" if p is None else f"{p:.4f}"}</td></tr>"""


def _costs(pairs: Mapping[str, tuple[float | None, float | None]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{number(one)}</td><td>{number(other)}</td></tr>' for name, (one, other) in pairs.items()
    )
    return table("Costs", ("", *NAMES), rows)


def _differ(found: Mapping[str, Any], place: Place) -> str:
    """The questions on which the runs differ, what each answered, and which did better."""
    rows = found["differ"]
    better = sum(row["better"] == NAMES[1] for row in rows)
    listed = "".join(_row(row, place) for row in page_of(rows, place))
    told = f"{count(len(rows), 'question')}: {better:,} better in B, {len(rows) - better:,} in A" if rows else "None."
    return f"""<h3>Questions that came out otherwise</h3><p class="count" role="status">{told}</p><ol class="questions">{listed}</ol>
{pager(place, len(rows))}"""


def _row(row: Mapping[str, Any], place: Place) -> str:
    sides = "".join(_said(name, row, side) for side, name in enumerate(NAMES))
    wanted = escape(short(" / ".join(row["gold"][:3]))) or "the articles don’t say"
    label = f'<b>{escape(row["question"])}</b><span class="byline">gold: {wanted}</span><span class="pair">{sides}</span>'
    return f"<li>{button(place.to(view='question', question=row['id']), label, css='row', key=row['id'])}</li>"


def _said(name: str, row: Mapping[str, Any], side: int) -> str:
    """'A “in July” · rank 1'. Only where something can be found is there a rank."""
    answer, rank = row["answers"][side], row["ranks"][side]
    words = f"“{escape(short(answer, 60))}”" if answer is not None else "refused" if row["measure"] != "RR@10" else ""
    found = (f"rank {rank}" if rank else "not among the first ten") if row["gold"] else ""
    better = ' <span class="tag good">better</span>' if row["better"] == name else ""
    return f"<span>{letter(name)}{' · '.join(part for part in (words, found) if part)}{better}</span>"
