"""The list of embedding models and the hits of two of them side by side, as HTML.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa.datatypes import Hit
from qa.render import count, escape
from qa.ui.switching import Listed

SHOWN = 240  # characters of a passage; the rest is folded
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


def disclosure(rows: Sequence[Listed], changeable: bool, presses: int) -> str:
    """The list behind "Models". `presses` makes it new after each press, so that a button stops saying that it is at work."""
    items = "".join(_item(row, changeable, any(row.done is not None for row in rows)) for row in rows)
    compare = '<button class="plain" data-tab="Compare">Compare side by side</button>' if len(rows) > 1 else ""
    return f"""<details class="menu models" data-presses="{presses}"><summary>Models</summary><div class="choices">
<h2 class="small">Embedding models</h2><ul>{items}</ul><p class="hint">{_hint(rows, changeable)}</p>{compare}</div></details>"""


def _hint(rows: Sequence[Listed], changeable: bool) -> str:
    if len(rows) == 1:
        return "Others that <code>embedding.others</code> lists could be compared and used here."
    if not changeable:
        return "To switch here, set <code>ui.allow_changes</code> and serve the page on 127.0.0.1."
    return "A switch holds for everybody who asks this server, until it is started again."


def _item(row: Listed, changeable: bool, building: bool) -> str:
    tag = '<span class="tag">answers</span>' if row.answers else ""
    prompts = " and ".join(f"“{escape(prompt)}”" for prompt in row.prompts if prompt)
    before = f'<p class="with">Before texts: {prompts}</p>' if prompts else ""
    reads = f'<p class="with">Reads the first {row.reads} tokens of a passage</p>' if row.reads else ""
    problem = f'<p class="problem">{escape(row.problem)}</p>' if row.problem else ""
    return f"""<li{' class="used"' if row.answers else ""}><p class="model"><b>{escape(row.name)}</b>{tag}</p>
<p class="covered" role="status">{_covered(row)}</p>{before}{reads}{problem}{_button(row, building) if changeable else ""}</li>"""


def _covered(row: Listed) -> str:
    if row.done is not None:
        name = f"Vectors of {escape(row.name)}"
        bar = f'<progress max="{row.to_do}" value="{row.done}" aria-label="{name}"></progress>' if row.to_do else ""
        return f"Building vectors, {row.done:,} of {row.to_do:,} …{bar}" if row.to_do else "Building vectors …"
    if row.covered is None or row.passages is None:
        return "" if row.problem else "Looking at its files …"
    if row.complete:
        return f"Vectors of all {count(row.passages, 'passage')}"
    return f"Vectors of {row.covered:,} of {count(row.passages, 'passage')}"


def _button(row: Listed, building: bool) -> str:
    """Only one is built at a time, and what answers already has nothing to be pressed."""
    if row.answers or row.done is not None or (building and not row.complete):
        return ""
    if row.problem:
        label = "Try again"
    elif row.complete:
        label = "Answer with it"
    elif row.covered:
        label = "Build the rest and answer with it"
    else:
        label = "Build its vectors and answer with it"
    return f'<button data-event="apply" data-encoder="{row.number}" aria-label="{label}: {escape(row.name)}">{label}</button>'


# --- side by side -------------------------------------------------------------------------------------------------------------------


def side_by_side(question: str, names: Sequence[str], columns: Sequence[Sequence[Hit]], filters: str = "") -> str:
    """Two lists of hits, best first, each hit with its place in the other one; `filters` in words."""
    ranks = [{hit.passage.number: rank for rank, hit in enumerate(hits, 1)} for hits in columns]
    only = f" Only articles {escape(filters)}." if filters else ""
    left, right = (_column(name, hits, other) for name, hits, other in zip(names, columns, reversed(ranks), strict=True))
    return f"""<section class="compared" aria-label="Hits side by side">
<p class="sum">“{escape(question)}”: {_sum(columns, ranks)}{only}</p><div class="columns">{left}{right}</div></section>"""


def _sum(columns: Sequence[Sequence[Hit]], ranks: Sequence[Mapping[int, int]]) -> str:
    shared = len(ranks[0].keys() & ranks[1].keys())
    if not any(columns):
        return "Neither finds anything."
    same = all(columns) and columns[0][0].passage.number == columns[1][0].passage.number
    first = "The first hit is the same." if same else "The first hits differ."
    return f"<b>{shared} of {max(map(len, columns))}</b> hits are in both lists. {first}"


def _column(name: str, hits: Sequence[Hit], other: Mapping[int, int]) -> str:
    rows = "".join(_hit(rank, hit, other.get(hit.passage.number)) for rank, hit in enumerate(hits, 1))
    return f"<section><h2>{escape(name)}</h2><ol>{rows or '<li>Nothing was found.</li>'}</ol></section>"


def _hit(rank: int, hit: Hit, there: int | None) -> str:
    where = f'<span class="tag">{_ordinal(there)} there</span>' if there else '<span class="tag only">only here</span>'
    return f"""<li><p class="model"><span class="number">{rank}</span><b>{escape(hit.passage.title)}</b>{where}</p>
{_text(hit.passage.text)}<p class="scores">Score <b>{hit.score:.2f}</b> · meaning {hit.dense_score:.2f}, {_rank(hit.dense_rank)} ·
words {hit.lexical_score:.1f}, {_rank(hit.lexical_rank)}</p></li>"""


def _text(text: str) -> str:
    if len(text) <= SHOWN:
        return f'<p class="words">{escape(text)}</p>'
    start = text[:SHOWN].rsplit(None, 1)[0]
    return (
        f"""<details class="words"><summary>{escape(start)} <span>… more</span></summary>{escape(text[len(start) :].lstrip())}</details>"""
    )


def _rank(rank: int | None) -> str:
    return f"rank {rank}" if rank else "not found"


def _ordinal(number: int) -> str:
    return ORDINALS.get(number, f"{number}th")
