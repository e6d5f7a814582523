"""The questions of a run, narrowed by kind and verdict, and one question: what was answered, what was found, where the gold stands.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from qa.datatypes import Article
from qa.errors import DataError
from qa.evaluation.compare import relevant_rank
from qa.evaluation.datasets import Gold, Question
from qa.evaluation.metrics import Found, covers
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run
from qa.evaluation.verdicts import CAUSES, SEEN, verdicts
from qa.render import Mark, escape, highlight_html
from qa.sentences import paragraph_spans
from qa.ui.evaluation_pieces import PER_PAGE, moment, page_of, pager, short, tag, tone
from qa.ui.places import Place, button
from qa.ui.views import count, notice

AROUND = 320  # characters of a paragraph shown before and after the gold
ANY = "any"
SIDES = ("A", "B")

Articles = Mapping[str, Article]


# --- the list -------------------------------------------------------------------------------------------------------------------------


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
    return [outcome for outcome in run.outcomes if _is_kind(outcome, place.kind) and _has_verdict(outcome, run, place.verdict)]


def _is_kind(outcome: Outcome, kind: str) -> bool:
    return kind in ("", _kind(outcome))


def _has_verdict(outcome: Outcome, run: Run, verdict: str) -> bool:
    return not verdict or verdict in verdicts(outcome, run.mode)


def _kind(outcome: Outcome) -> str:
    return outcome.question.kind or "all"


def _filters(run: Run, place: Place) -> str:
    """Buttons with the number of questions that each would show, the other filter being as it is."""
    of_kind = [outcome for outcome in run.outcomes if _is_kind(outcome, place.kind)]
    with_verdict = [outcome for outcome in run.outcomes if _has_verdict(outcome, run, place.verdict)]
    found = Counter(verdict for outcome in of_kind for verdict in verdicts(outcome, run.mode))
    kinds = Counter(map(_kind, with_verdict))
    every = sorted({_kind(outcome) for outcome in run.outcomes})
    row = _choices(
        "Outcome", "verdict", [name for name in SEEN + CAUSES if found[name] or name == place.verdict], found, len(of_kind), place
    )
    return row + (_choices("Kind", "kind", every, kinds, len(with_verdict), place) if len(every) > 1 else "")


def _choices(label: str, name: str, values: Sequence[str], counts: Mapping[str, int], every: int, place: Place) -> str:
    now = getattr(place, name)
    options = [("", ANY, every), *((value, value, counts[value]) for value in values)]
    buttons = "".join(
        f"""<li>{
            button(
                place.to(page=0, **{name: value}),
                f"{escape(words)} <b>{number:,}</b>",
                css=f"chip-filter {tone(value)}",
                key=f"{name}-{value}",
                focus=f"{name}-{value}",
                pressed=value == now,
            )
        }</li>"""
        for value, words, number in options
    )
    return f'<div class="choose" role="group" aria-label="{label}"><span>{label}</span><ul>{buttons}</ul></div>'


def _row(outcome: Outcome, run: Run, place: Place) -> str:
    question = outcome.question
    facts = [_said(outcome), f"gold “{escape(short(question.gold[0].text, 60))}”" if question.gold else "", _rank_words(outcome, run)]
    label = f"""<b>{escape(question.question)}</b><span class="tags">{_tags(outcome, run)}<span class="kind">{escape(question.kind)}</span></span>
<span class="byline">{" · ".join(fact for fact in facts if fact)}</span>"""
    return f"<li>{button(place.to(view='question', question=question.id), label, css='row', key=question.id)}</li>"


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


def _tags(outcome: Outcome, run: Run) -> str:
    return "".join(map(tag, verdicts(outcome, run.mode)))


# --- one question ---------------------------------------------------------------------------------------------------------------------


def mentioned(runs: Sequence[Run], key: str) -> list[str]:
    """Ids of the articles that the question is about or that were found for it."""
    found = [_outcome(run, key) for run in runs]
    golds = [gold.article_id for gold in found[0].question.gold]
    return list(dict.fromkeys([*golds, *found[0].question.documents, *(hit.article_id for outcome in found for hit in outcome.hits)]))


def question(runs: Sequence[Run], place: Place, order: Sequence[str], articles: Articles) -> str:
    """One run: gold and answer beside what was found. Two: the gold above, and what each answered and found side by side."""
    found = [_outcome(run, place.question) for run in runs]
    asked = found[0].question
    lost = [key for key in mentioned(runs, place.question) if key not in articles]
    if len(runs) == 1:
        columns = f"""<div>{_answer(found[0], runs[0])}{_gold(asked, articles)}</div><div>{_hits(found[0], runs[0], articles)}</div>"""
        above = ""
    else:
        above = _gold(asked, articles)
        columns = "".join(_side(name, outcome, run, articles) for name, outcome, run in zip(SIDES, found, runs))
    tags = _tags(found[0], runs[0]) if len(runs) == 1 else ""
    kind = " · ".join(escape(part) for part in (asked.kind, asked.id) if part)
    return f"""<section class="opened">{_trail(place, order)}<h2 tabindex="-1">{escape(asked.question)}</h2>
<p class="tags">{tags}<span class="kind">{kind}</span></p>{_turns(asked)}{_missing(lost)}{above}<div class="beside">{columns}</div></section>"""


def _outcome(run: Run, key: str) -> Outcome:
    for outcome in run.outcomes:
        if outcome.question.id == key:
            return outcome
    raise DataError(f"{run.result['dataset']}: no question {key!r} in this run")


def _trail(place: Place, order: Sequence[str]) -> str:
    """Back to the list, and to the questions before and after in it."""
    at = order.index(place.question) if place.question in order else -1
    back = place.to(view="comparison" if place.against else "questions", question="", page=max(0, at) // PER_PAGE)
    before = button(place.to(question=order[at - 1]), "↑ Previous", key="previous", focus="previous") if at > 0 else ""
    after = button(place.to(question=order[at + 1]), "↓ Next", key="next", focus="next") if 0 <= at < len(order) - 1 else ""
    where = f"<span>{at + 1:,} of {len(order):,}</span>" if at >= 0 else ""
    label = "← Comparison" if place.against else "← Questions"
    return f'<nav class="trail" aria-label="Questions">{button(back, label, focus=place.question)}<span class="steps">{before}{where}{after}</span></nav>'


def _turns(asked: Question) -> str:
    rows = "".join(f"<li>{escape(turn.question)} — {escape(turn.answer) or 'the articles don’t say'}</li>" for turn in asked.turns)
    return f'<div class="turns"><h3 class="small">Asked before</h3><ul>{rows}</ul></div>' if rows else ""


def _missing(lost: Sequence[str]) -> str:
    if not lost:
        return ""
    return notice(
        f"{count(len(lost), 'article')} of this run can no longer be shown: not in the run’s own index, which is gone or was made anew, nor "
        "unchanged in the index in use. Places in it are given as article and characters."
    )


def _side(name: str, outcome: Outcome, run: Run, articles: Articles) -> str:
    head = f'<p class="tags"><span class="letter">{name}</span>{_tags(outcome, run)}</p>'
    return f'<div class="side">{head}{_answer(outcome, run)}{_hits(outcome, run, articles)}</div>'


def _answer(outcome: Outcome, run: Run) -> str:
    """What was said or withheld, with its confidence."""
    if outcome.error:
        return f"<h3>Answer</h3>{notice(outcome.error)}"
    if run.mode == "retrieval":
        return '<h3>Answer</h3><p class="soft">Nothing was read in this run.</p>'
    if not outcome.best:
        return '<h3>Answer</h3><p class="soft">Refused, without even a guess.</p>'
    refused = "" if outcome.answer is not None else '<p class="soft">Refused. It would have said:</p>'
    bar = f'<span class="confidence"><i style="--share:{outcome.confidence:.3f}"></i>Confidence {outcome.confidence:.0%}</span>'
    took = f"<span>{outcome.latency_ms:,.0f} ms</span>" if outcome.latency_ms is not None else ""
    return f"""<h3>Answer</h3>{refused}<blockquote class="quotation small">“{escape(outcome.best)}”</blockquote><p class="verdict">{bar}{took}</p>"""


def _gold(asked: Question, articles: Articles) -> str:
    """Where the answer stands: each paragraph with a gold in it, the gold marked."""
    heading = "<h3>Where the answer stands</h3>"
    if asked.documents:
        rows = "".join(f"<li>{_name(key, articles)} <span class='soft'>grade {grade}</span></li>" for key, grade in asked.documents.items())
        return f"<h3>Documents that answer</h3><ul class='documents'>{rows}</ul>"
    if not asked.gold:
        return f'{heading}<p class="soft">The articles don’t say.</p>'
    known = "".join(_excerpt(articles[key], start, end, asked.gold) for key, start, end in _windows(asked.gold, articles))
    unknown = "".join(_gold_place(gold) for gold in asked.gold if gold.article_id not in articles)
    return heading + known + unknown


def _windows(golds: Sequence[Gold], articles: Articles) -> list[tuple[str, int, int]]:
    """Article, start and end of each excerpt to show; golds of one paragraph share theirs where they are close."""
    windows: list[tuple[str, int, int]] = []
    for gold in sorted(golds, key=lambda gold: (gold.article_id, gold.start)):
        if gold.article_id not in articles or any(key == gold.article_id and a <= gold.start and gold.end <= b for key, a, b in windows):
            continue
        paragraphs = paragraph_spans(articles[gold.article_id].text)
        around = next(((a, b) for a, b in paragraphs if a <= gold.start < b), (gold.start, gold.end))
        start, end = max(around[0], gold.start - AROUND), min(max(around[1], gold.end), gold.end + AROUND)
        windows.append((gold.article_id, start, end))
    return windows


def _excerpt(article: Article, start: int, end: int, golds: Sequence[Gold]) -> str:
    return f"""<div class="passage"><h4>{escape(article.title or article.id)}</h4><p>{_marked(article, start, end, golds)}</p></div>"""


def _marked(article: Article, start: int, end: int, golds: Sequence[Gold], said: str = "") -> str:
    """A piece of an article with the golds in it marked, and the first place where the answer's words stand."""
    text = article.text[start:end]
    marks = [Mark(gold.start - start, gold.end - start, "gold") for gold in golds if gold.article_id == article.id]
    answer = _place_of(said, text)
    return highlight_html(text, [*marks, Mark(*answer, "said")] if answer else marks)


def _place_of(words: str, text: str) -> tuple[int, int] | None:
    """Where whole words stand in a text, or None."""
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) if words else None
    return found.span() if found else None


def _gold_place(gold: Gold) -> str:
    return f'<div class="passage"><h4>{_place(gold.article_id, gold.start, gold.end)}</h4><p><mark class="gold">{escape(gold.text)}</mark></p></div>'


def _place(article_id: str, start: int, end: int) -> str:
    return f'{escape(article_id)} <span class="soft">characters {start:,} to {end:,}</span>'


def _name(key: str, articles: Articles) -> str:
    return escape(articles[key].title or key) if key in articles else escape(key)


def _hits(outcome: Outcome, run: Run, articles: Articles) -> str:
    """What was found, best first: its text where it is to be had, and whether the answer is in it."""
    if run.mode == "reader":
        return '<h3>Passages</h3><p class="soft">The gold paragraph was given to the reader; nothing was searched.</p>'
    rank = relevant_rank(outcome)
    told = f'<p class="soft">{_rank_sentence(outcome, rank)}</p>'
    return f'<h3>What was found</h3>{told}<ol class="hits">{"".join(_hit_rows(outcome, rank, articles))}</ol>'


def _rank_sentence(outcome: Outcome, rank: int | None) -> str:
    if not outcome.question.answerable:
        return "No passage holds an answer."
    return f"The first passage that holds the gold is at rank {rank}." if rank else "No passage among the first ten holds the gold."


def _hit_rows(outcome: Outcome, rank: int | None, articles: Articles) -> Iterator[str]:
    said = outcome.best
    for number, hit in enumerate(outcome.hits, 1):
        article = articles.get(hit.article_id)
        body = ""
        if article:
            words = said if _place_of(said, article.text[hit.start : hit.end]) else ""
            said = "" if words else said  # only the first passage that has the words is marked: there they were most likely read
            body = f"<p>{_marked(article, hit.start, hit.end, outcome.question.gold, words)}</p>"
        title = escape(article.title or article.id) if article else _place(hit.article_id, hit.start, hit.end)
        holds = _holds(hit, outcome.question)
        mark = f'<span class="tag good">{"first with the gold" if number == rank else "has the gold"}</span>' if holds else ""
        yield f"""<li{' class="holds"' if holds else ""}><h4><span class="number">{number}</span>{title}
<span class="soft">{hit.score:.3f}</span>{mark}</h4>{body}</li>"""


def _holds(hit: Found, asked: Question) -> bool:
    return any(covers(hit, gold) for gold in asked.gold) or asked.documents.get(hit.article_id, 0) > 0
