"""One question of a run, or of two: what was answered, what was found, and where the gold stands, next to each other.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qa.datatypes import Article
from qa.errors import DataError
from qa.evaluation.compare import relevant_rank
from qa.evaluation.datasets import Gold, Question
from qa.evaluation.metrics import Found, covers
from qa.evaluation.outcomes import Outcome
from qa.evaluation.runs import Run
from qa.render import Mark, escape, highlight_html
from qa.sentences import paragraph_spans
from qa.ui.evaluation_pieces import PER_PAGE, letter, tags
from qa.ui.places import Place, button
from qa.ui.views import count, notice

AROUND = 320  # characters of a paragraph shown before and after the gold
SIDES = ("A", "B")

Articles = Mapping[str, Article]


def mentioned(runs: Sequence[Run], key: str) -> list[str]:
    """Ids of the articles that the question is about or that were found for it."""
    found = [_outcome(run, key) for run in runs]
    golds = [gold.article_id for gold in found[0].question.gold]
    return list(dict.fromkeys([*golds, *found[0].question.documents, *(hit.article_id for outcome in found for hit in outcome.hits)]))


def question(runs: Sequence[Run], place: Place, order: Sequence[str], articles: Articles) -> str:
    """Of one run: answer and gold beside what was found. Of two: the gold, then what each answered and found side by side."""
    found = [_outcome(run, place.question) for run in runs]
    asked = found[0].question
    lost = [key for key in mentioned(runs, place.question) if key not in articles]
    labels = " · ".join(escape(part) for part in (asked.kind, asked.id) if part)
    verdict = tags(found[0], runs[0].mode) if len(runs) == 1 else ""
    body = _alone(found[0], runs[0], articles) if len(runs) == 1 else _together(found, runs, articles)
    return f"""<section class="opened">{_trail(place, order)}<h2 tabindex="-1">{escape(asked.question)}</h2>
<p class="tags">{verdict}<span class="kind">{labels}</span></p>{_turns(asked)}{_missing(lost)}{body}</section>"""


def _alone(outcome: Outcome, run: Run, articles: Articles) -> str:
    left = _answer(outcome, run) + _gold(outcome.question, articles)
    return f'<div class="beside"><div class="kept">{left}</div><div>{_hits(outcome, run, articles)}</div></div>'


def _together(found: Sequence[Outcome], runs: Sequence[Run], articles: Articles) -> str:
    sides = "".join(
        f"""<div class="side"><p class="tags">{letter(name)}{tags(outcome, run.mode)}</p>{_answer(outcome, run)}
{_hits(outcome, run, articles)}</div>"""
        for name, outcome, run in zip(SIDES, found, runs)
    )
    return f'{_gold(found[0].question, articles)}<div class="beside two">{sides}</div>'


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
    leave = button(back, "← Comparison" if place.against else "← Questions", focus=place.question)
    return f'<nav class="trail" aria-label="Questions">{leave}<span class="steps">{before}{where}{after}</span></nav>'


def _turns(asked: Question) -> str:
    rows = "".join(f"<li>{escape(turn.question)} — {escape(turn.answer) or 'the articles don’t say'}</li>" for turn in asked.turns)
    return f'<div class="turns"><h3 class="small">Asked before</h3><ul>{rows}</ul></div>' if rows else ""


def _missing(lost: Sequence[str]) -> str:
    if not lost:
        return ""
    return notice(
        f"{count(len(lost), 'article')} of this run cannot be shown: the run’s own index is gone from the cache, and the index in use does "
        "not hold the same text. Places are given by article and characters; running the evaluation again brings the text back."
    )


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
    words = f'<blockquote class="quotation small">“{escape(outcome.best)}”</blockquote>'
    return f'<h3>Answer</h3>{refused}{words}<p class="verdict">{bar}{took}</p>'


def _gold(asked: Question, articles: Articles) -> str:
    """Where the answer stands: each paragraph with a gold in it, the gold marked."""
    if asked.documents:
        names = [_title(key, articles) for key, grade in asked.documents.items() if grade > 0]
        return f"<h3>Documents that answer</h3><ul>{''.join(f'<li>{name}</li>' for name in names)}</ul>"
    if not asked.gold:
        return '<h3>Where the answer stands</h3><p class="soft">The articles don’t say.</p>'
    known = "".join(_excerpt(articles[key], start, end, asked.gold) for key, start, end in _windows(asked.gold, articles))
    unknown = "".join(_unseen(gold) for gold in asked.gold if gold.article_id not in articles)
    return f"<h3>Where the answer stands</h3>{known}{unknown}"


def _windows(golds: Sequence[Gold], articles: Articles) -> list[tuple[str, int, int]]:
    """Article, start and end of each excerpt to show, whole words; golds that are close share one."""
    windows: list[tuple[str, int, int]] = []
    for gold in sorted(golds, key=lambda gold: (gold.article_id, gold.start)):
        if gold.article_id not in articles or any(key == gold.article_id and a <= gold.start and gold.end <= b for key, a, b in windows):
            continue
        windows.append((gold.article_id, *_around(gold, articles[gold.article_id].text)))
    return windows


def _around(gold: Gold, text: str) -> tuple[int, int]:
    """The gold's paragraph, as much of it as is near."""
    first, last = next(((a, b) for a, b in paragraph_spans(text) if a <= gold.start < b), (gold.start, gold.end))
    start, end = gold.start - AROUND, gold.end + AROUND
    start = first if start <= first else text.find(" ", start, gold.start) + 1 or gold.start
    end = max(last, gold.end) if end >= last else max(text.rfind(" ", gold.end, end), gold.end)
    return start, end


def _excerpt(article: Article, start: int, end: int, golds: Sequence[Gold]) -> str:
    """Dots tell that the paragraph goes on: it would end at the end of a line."""
    before = "… " if start and article.text[start - 1] != "\n" else ""
    after = " …" if article.text[end : end + 1] not in ("", "\n") else ""
    text = f"{before}{_marked(article, start, end, golds)}{after}"
    return f'<div class="passage"><h4>{escape(article.title or article.id)}</h4><p>{text}</p></div>'


def _unseen(gold: Gold) -> str:
    """A gold whose article is not to be had: its words are all that the run has kept."""
    place = _characters(gold.article_id, gold.start, gold.end)
    return f'<div class="passage"><h4>{place}</h4><p><mark class="gold">{escape(gold.text)}</mark></p></div>'


def _marked(article: Article, start: int, end: int, golds: Sequence[Gold], said: str = "") -> str:
    """A piece of an article with the golds in it marked, and the words of the answer where they first stand."""
    text = article.text[start:end]
    marks = [Mark(gold.start - start, gold.end - start, "gold") for gold in golds if gold.article_id == article.id]
    place = _place_of(said, text)
    return highlight_html(text, [*marks, Mark(*place, "said")] if place else marks)


def _place_of(words: str, text: str) -> tuple[int, int] | None:
    """Where whole words first stand in a text, or None."""
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) if words else None
    return found.span() if found else None


def _characters(article_id: str, start: int, end: int) -> str:
    return f'{escape(article_id)} <span class="soft">characters {start:,} to {end:,}</span>'


def _title(key: str, articles: Articles) -> str:
    return escape((articles[key].title if key in articles else "") or key)


def _hits(outcome: Outcome, run: Run, articles: Articles) -> str:
    """What was found, best first: its text where it is to be had, the gold in it marked."""
    if run.mode == "reader":
        return '<h3>What was found</h3><p class="soft">Nothing was searched: the reader was given the gold paragraph.</p>'
    rank, read_from = relevant_rank(outcome), _read_from(outcome, articles)
    rows = "".join(
        _hit(number, hit, outcome, articles, outcome.best if number == read_from else "") for number, hit in enumerate(outcome.hits, 1)
    )
    return f'<h3>What was found</h3><p class="soft">{_rank_words(outcome, rank)}</p><ol class="hits">{rows}</ol>'


def _rank_words(outcome: Outcome, rank: int | None) -> str:
    if not outcome.hits:
        return "Nothing."
    if not outcome.question.answerable:
        return "No passage holds the answer. The words that were taken for it are underlined."
    where = f"The first passage that holds the gold is at rank {rank}." if rank else "None of these passages holds the gold."
    return f"{where} Gold is marked, the words of the answer are underlined."


def _read_from(outcome: Outcome, articles: Articles) -> int | None:
    """The rank of the first passage with the words of the answer: most likely they were read there, which the run does not keep."""
    ranked = enumerate(outcome.hits, 1)
    texts = ((rank, articles[hit.article_id].text[hit.start : hit.end]) for rank, hit in ranked if hit.article_id in articles)
    return next((rank for rank, text in texts if _place_of(outcome.best, text)), None)


def _hit(rank: int, hit: Found, outcome: Outcome, articles: Articles, said: str) -> str:
    article, golds = articles.get(hit.article_id), outcome.question.gold
    title = escape(article.title or article.id) if article else _characters(hit.article_id, hit.start, hit.end)
    body = f"<p>{_marked(article, hit.start, hit.end, golds, said)}</p>" if article else ""
    holds = any(covers(hit, gold) for gold in golds) or outcome.question.documents.get(hit.article_id, 0) > 0
    mark = '<span class="tag good">holds the gold</span>' if holds else ""
    return f"""<li{' class="holds"' if holds else ""}><h4><span class="number">{rank}</span>{title}
<span class="soft">{hit.score:.3f}</span>{mark}</h4>{body}</li>"""
