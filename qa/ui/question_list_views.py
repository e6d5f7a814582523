"""The questions of a run: narrowed by kind and verdict, a page at a time, each with what was said and where the gold was found.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from qa.evaluation.compare import relevant_rank
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run
from qa.evaluation.stored import stored_verdicts
from qa.evaluation.verdicts import CAUSES, SEEN
from qa.render import escape
from qa.ui.evaluation_pieces import moment, page_of, pager, short, tags, tone
from qa.ui.places import Place, button
from qa.ui.views import count

ANY = "any"


def questions(run: Run, place: Place) -> str:
    found = chosen(run, place)
    rows = "".join(_row(outcome, run, place) for outcome in page_of(found, place))
    total = count(len(run.outcomes), "question")
    told = total if len(found) == len(run.outcomes) else f"{len(found):,} of {total}"
    return f"""<section class="listing"><nav class="trail">{button(Place("run", place.run), "← Run")}</nav>
<h2 tabindex="-1">Questions of {escape(run.result["dataset"])} <span class="byline">{moment(run.result)}</span></h2>
{_filters(run, place)}<p class="count" role="status">{told}</p><ol class="questions">{rows}</ol>{pager(place, len(found))}</section>"""


def chosen(run: Run, place: Place) -> list[Outcome]:
    """The outcomes of a kind and with a verdict, in the order of the set."""
    return [outcome for outcome, found in _judged(run) if _is_kind(outcome, place.kind) and place.verdict in ("", *found)]


def _judged(run: Run) -> Iterator[tuple[Outcome, tuple[str, ...]]]:
    return zip(run.outcomes, stored_verdicts(run.folder))


def _is_kind(outcome: Outcome, kind: str) -> bool:
    return kind in ("", _kind(outcome))


def _kind(outcome: Outcome) -> str:
    return outcome.question.kind or "all"


def _filters(run: Run, place: Place) -> str:
    """Buttons with the number of questions that each would show, the other filter being as it is; none that would show nothing."""
    of_kind = [found for outcome, found in _judged(run) if _is_kind(outcome, place.kind)]
    found = Counter(verdict for both in of_kind for verdict in both)
    kinds = Counter(_kind(outcome) for outcome in chosen(run, place.to(kind="")))
    every = sorted({*kinds, place.kind} - {""})
    outcomes = [name for name in SEEN + CAUSES if found[name] or name == place.verdict]
    row = _choices("Outcome", "verdict", outcomes, found, len(of_kind), place)
    return row + (_choices("Kind", "kind", every, kinds, kinds.total(), place) if len(every) > 1 or place.kind else "")


def _choices(label: str, name: str, values: Sequence[str], counts: Mapping[str, int], every: int, place: Place) -> str:
    options = [("", ANY, every), *((value, value, counts[value]) for value in values)]
    buttons = "".join(f"<li>{_choice(name, value, f'{escape(words)} <b>{number:,}</b>', place)}</li>" for value, words, number in options)
    return f'<div class="choose" role="group" aria-label="{label}"><span>{label}</span><ul>{buttons}</ul></div>'


def _choice(name: str, value: str, label: str, place: Place) -> str:
    """A button that narrows the list; it keeps the focus."""
    there, key = place.to(page=0, **{name: value}), f"{name} {value}"
    return button(there, label, css=f"chip-filter {tone(value)}", key=key, focus=key, pressed=value == getattr(place, name))


def _row(outcome: Outcome, run: Run, place: Place) -> str:
    asked = outcome.question
    gold = f"gold “{escape(short(asked.gold[0].text, 60))}”" if asked.gold else ""
    facts = " · ".join(fact for fact in (_said(outcome), gold, _rank_words(outcome, run)) if fact)
    verdict = f'<span class="tags">{tags(outcome, run.mode)}<span class="kind">{escape(asked.kind)}</span></span>'
    label = f'<b>{escape(asked.question)}</b>{verdict}<span class="byline">{facts}</span>'
    return f"<li>{button(place.to(view='question', question=asked.id), label, css='row', key=asked.id)}</li>"


def _said(outcome: Outcome) -> str:
    if outcome.error:
        return escape(short(outcome.error))
    word = "said" if outcome.answer is not None else "withheld"
    return f"{word} “{escape(short(outcome.best, 60))}” ({outcome.confidence:.0%})" if outcome.best else ""


def _rank_words(outcome: Outcome, run: Run) -> str:
    if run.mode == "reader" or not outcome.question.answerable or outcome.error:
        return ""
    rank = relevant_rank(outcome)
    return f"found at rank {rank}" if rank else "not among the first ten"
