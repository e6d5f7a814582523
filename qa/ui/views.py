"""The page's pieces as HTML: conversation, source cards, article view, header, notices.

Pure functions, values in and markup out. All text goes through `qa.render`, which escapes it. A button with `data-event` reaches the
server as that event with its other data attributes; one with `data-do` is done in the browser (static/page.js).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qa.datatypes import Answer, Article, Citation, Filters, Hit, Response
from qa.render import (
    Mark,
    date_text,
    escape,
    highlight_html,
    paragraphs_html,
    quote_markdown,
    quote_text,
    reference,
    safe_url,
    text_fragment_url,
)
from qa.ui.backend import State
from qa.ui.conversation import Conversation, answers, citation_of

LONG_QUOTE = 260  # characters; longer ones are set a size smaller
CONFIDENCE = ((0.8, "High"), (0.6, "Good"), (0.0, "Low"))
STAGES = {"loading": "Loading the models", "searching": "Searching the articles", "reading": "Reading the passages"}

Faults = Mapping[int, str]  # citation number -> why it must not be shown


# --- header -------------------------------------------------------------------------------------------------------------------------


def header(title: str, state: State) -> str:
    return f"""<header class="masthead"><h1>{escape(title)}</h1>
<p class="state" role="status">{_state(state)}</p>
<a href="?view=api">API</a>
<button class="plain" data-do="theme" aria-label="Switch between light and dark">◐</button></header>
{notice(state.problem) if state.problem else ""}"""


def _state(state: State) -> str:
    if state.problem:
        return '<span class="dot bad"></span>No usable index'
    if state.loading:
        return '<span class="dot busy"></span>Loading the models … you can ask already'
    info = state.info
    counts = f"<b>{count(info.get('articles'), 'article')}</b> · {count(info.get('passages'), 'passage')}"
    words = " · ".join(part for part in [counts, escape(info.get("encoder", ""))] if part) + _indexed(info.get("indexed_at"))
    return f'<span class="dot good"></span>{words}'


def _indexed(moment: object) -> str:
    return f'<span class="when"> · indexed {escape(str(moment)[:16].replace("T", " "))}</span>' if moment else ""


def count(number: object, noun: str) -> str:
    count = number if isinstance(number, int) else 0
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def notice(problem: str) -> str:
    """A problem in one line, with the command that repairs it as the error gives it."""
    return f'<p class="notice" role="alert">{escape(problem)}</p>'


# --- conversation -------------------------------------------------------------------------------------------------------------------


def welcome(suggestions: Sequence[str]) -> str:
    buttons = "".join(
        f'<li><button class="suggestion" data-event="submit" data-question="{escape(q)}">{escape(q)}</button></li>' for q in suggestions
    )
    examples = f'<h2 class="small">For example</h2><ul class="suggestions">{buttons}</ul>' if buttons else ""
    return f"""<section class="welcome"><p class="lead">Ask a question. The answer is a quotation from your articles,
with the place where it stands.</p>{examples}</section>"""


def conversation(past: Conversation, faults: Sequence[Faults], *, pending: str = "") -> str:
    """The whole log. `pending` is the markup of the question being answered."""
    done = "".join(exchange(i, response, faults[i]) for i, response in enumerate(past.exchanges))
    return f'<div class="log" role="log" aria-live="polite" aria-label="Conversation">{done}{pending}</div>'


def pending(question: str, stage: str) -> str:
    words = STAGES.get(stage, stage)
    return f"""<article class="exchange pending">{_question(question)}
<p class="working" role="status"><span class="dot busy"></span>{escape(words)} …</p></article>"""


def failed(question: str, problem: str) -> str:
    return f'<article class="exchange">{_question(question)}{notice(problem)}</article>'


def exchange(index: int, response: Response, faults: Faults) -> str:
    body = _answer(index, response, faults) if response.answer else _nothing(index, response, faults)
    return f"""<article class="exchange" data-exchange="{index}" aria-label="Question {index + 1}">
{_question(response.question)}{_standalone(response)}{body}</article>"""


def _question(question: str) -> str:
    return f'<h2 class="question">{escape(question)}</h2>'


def _standalone(response: Response) -> str:
    if response.standalone_question.strip() == response.question.strip():
        return ""
    asked, standalone = escape(response.question), escape(response.standalone_question)
    return f"""<p class="standalone">Understood as <q>{standalone}</q>
<button class="plain" data-do="edit" data-question="{standalone}">Edit</button>
<button class="plain" data-event="submit" data-question="{asked}" data-alone="yes">Ask only what I wrote</button></p>"""


def _answer(index: int, response: Response, faults: Faults) -> str:
    assert response.answer is not None
    citation = citation_of(response, response.answer.citations[0])
    if citation is None or citation.number in faults:
        return notice(faults.get(citation.number, "") if citation else "The answer has no citation.")
    size = " long" if len(citation.quote) > LONG_QUOTE else ""
    chips = _chips(index, response, response.answer, faults)
    return f"""<figure class="answer"><blockquote class="quotation{size}"><p>{_quote(citation)}{chips}</p></blockquote>
<figcaption>{_byline(citation)}</figcaption></figure>
<p class="verdict">{_confidence(response.answer.confidence)}{_agreement(response, response.answer)}</p>
{_others(index, response, faults)}{_actions(index, response)}"""


def _quote(citation: Citation) -> str:
    """The quote with the answer's own words emphasised, when they are not the whole of it."""
    span = citation.span if citation.span != (citation.start, citation.end) else None
    marks = [Mark(span[0] - citation.start, span[1] - citation.start, "span")] if span else []
    return f"“{highlight_html(citation.quote, marks)}”"


def _byline(citation: Citation) -> str:
    parts = [citation.author, citation.source, date_text(citation.published)]
    rest = " · ".join(escape(part) for part in parts if part)
    return f'<cite>{escape(citation.title)}</cite> <span class="byline">{rest}</span>'


def _chips(index: int, response: Response, answer: Answer, faults: Faults) -> str:
    cited = [citation_of(response, number) for number in answer.citations]
    return "".join(_chip(index, c) for c in cited if c and c.number not in faults)


def _chip(index: int, citation: Citation) -> str:
    mark = Mark(citation.start - citation.excerpt_start, citation.end - citation.excerpt_start)
    return f"""<span class="chip"><button data-event="select" data-exchange="{index}" data-citation="{citation.number}"
aria-label="Source {citation.number}: {escape(citation.title)}, open the article">{citation.number}</button>\
<span class="tip" aria-hidden="true"><b>{escape(citation.title)}</b>{highlight_html(citation.excerpt, [mark])}</span></span>"""


def _confidence(confidence: float) -> str:
    word = next(word for least, word in CONFIDENCE if confidence >= least)
    return f"""<span class="confidence {word.lower()}"><i style="--share:{confidence:.3f}"></i>{word} confidence, {confidence:.0%}</span>"""


def _agreement(response: Response, answer: Answer) -> str:
    articles = {c.article_id for c in response.citations if c.number in answer.citations}
    return f'<span class="agree">{len(articles)} articles agree</span>' if len(articles) > 1 else ""


def _others(index: int, response: Response, faults: Faults) -> str:
    rows = "".join(_alternative(index, response, answer, faults) for answer in response.alternatives)
    count = len(response.alternatives)
    label = "1 other answer" if count == 1 else f"{count} other answers"
    return f'<details class="others"><summary>{label}</summary><ol>{rows}</ol></details>' if rows else ""


def _alternative(index: int, response: Response, answer: Answer, faults: Faults) -> str:
    citation = citation_of(response, answer.citations[0])
    if citation is None or citation.number in faults:
        return ""
    return f"""<li><p class="quotation small">{_quote(citation)}{_chips(index, response, answer, faults)}</p>
<p class="byline"><cite>{escape(citation.title)}</cite> · {answer.confidence:.0%}</p></li>"""


def _actions(index: int, response: Response) -> str:
    count = len(response.citations)
    return f"""<div class="actions"><button class="plain" data-event="select" data-exchange="{index}">Sources ({count})</button>
<button class="plain" data-do="link" data-question="{escape(response.standalone_question)}">Copy link</button></div>"""


def _nothing(index: int, response: Response, faults: Faults) -> str:
    shown = [c for c in response.citations if c.number not in faults][:3]
    rows = "".join(
        f'<li><p class="quotation small">{_quote(c)}{_chip(index, c)}</p><p class="byline"><cite>{escape(c.title)}</cite></p></li>'
        for c in shown
    )
    closest = f'<h3 class="small">The closest passages</h3><ol class="closest">{rows}</ol>' if rows else ""
    return f"""<div class="nothing"><p class="quotation">The articles don’t say.</p>
<p>No passage answers this well enough to be quoted. {_loosen(response)}</p>{closest}</div>{_actions(index, response)}"""


def _loosen(response: Response) -> str:
    if response.withheld:
        likely = f"{response.withheld.confidence:.0%}"
        return f"The best guess, {likely} likely, was held back; a lower <code>reader.threshold</code> would show it."
    return "Try other words, or widen the filters."


def history() -> str:
    """The conversations of this browser; static/page.js fills the list."""
    kinds = {"markdown": "Markdown", "html": "Web page", "json": "JSON"}
    exports = "".join(f'<button data-event="download" data-format="{kind}">{name}</button>' for kind, name in kinds.items())
    return f"""<nav class="history" aria-label="Conversations"><button class="plain" data-event="select">New conversation</button>
<details class="menu past"><summary>Earlier</summary><div class="choices"><ul></ul></div></details>
<details class="menu export"><summary>Export</summary><div class="choices">{exports}</div></details></nav>"""


# --- sources ------------------------------------------------------------------------------------------------------------------------


def sources(index: int, response: Response | None, faults: Faults) -> str:
    """The cards of one answer, an article each, in the order of the citations."""
    if response is None:
        return empty("The sources of an answer appear here.")
    by_article: dict[str, list[Citation]] = {}
    for citation in response.citations:
        by_article.setdefault(citation.article_id, []).append(citation)
    cited = response.answer.citations if response.answer else tuple(c.number for c in response.citations)
    cards = "".join(_card(index, group, cited, faults) for group in by_article.values())
    heading = "Sources" if response.answer else "Closest passages"
    return f"""<section class="sources" aria-label="{heading}"><h2 tabindex="-1">{heading}</h2>
<p class="for">{escape(response.standalone_question)}</p>{cards or "<p>Nothing was found.</p>"}</section>"""


def empty(words: str) -> str:
    return f'<section class="empty"><p>{escape(words)}</p></section>'


def _card(index: int, citations: Sequence[Citation], cited: Sequence[int], faults: Faults) -> str:
    first = citations[0]
    return f"""<article class="card"><h3>{escape(first.title)}</h3><p class="byline">{_origin(first)}</p>{_also(first)}
{"".join(_excerpt(index, citation, citation.number in cited, faults) for citation in citations)}</article>"""


def _origin(citation: Citation) -> str:
    parts = [citation.author, citation.source, date_text(citation.published)]
    return " · ".join(escape(part) for part in parts if part)


def _also(citation: Citation) -> str:
    names = ", ".join(escape(name) for name in citation.also_in)
    return f'<p class="also">Also in {names}</p>' if names else ""


def _excerpt(index: int, citation: Citation, cited: bool, faults: Faults) -> str:
    """A passage that the answer does not cite (another answer does) is marked more lightly."""
    if citation.number in faults:
        return notice(faults[citation.number])
    number = citation.number
    return f"""<div class="excerpt{"" if cited else " light"}"><p><span class="number">{number}</span>{_marked_excerpt(citation)}</p>
<div class="actions"><button class="open" data-event="select" data-exchange="{index}" data-citation="{number}">Open in the article</button>
{_live_link(citation)}{_copy_menu(citation)}{_why(citation)}</div></div>"""


def _marked_excerpt(citation: Citation) -> str:
    def moved(place: tuple[int, int], kind: str) -> Mark:
        return Mark(place[0] - citation.excerpt_start, place[1] - citation.excerpt_start, kind)

    marks = [moved((citation.start, citation.end), "quote")]
    if citation.span and citation.span != (citation.start, citation.end):
        marks.append(moved(citation.span, "span"))
    return highlight_html(citation.excerpt, marks)


def _live_link(citation: Citation) -> str:
    link = text_fragment_url(citation.url, citation.quote)
    return f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">On the web ↗</a>' if link else ""


def _copy_menu(citation: Citation) -> str:
    kinds = {"Quote": quote_text(citation), "Markdown": quote_markdown(citation), "Reference": reference(citation)}
    buttons = "".join(f'<button data-do="copy" data-text="{escape(text)}">{name}</button>' for name, text in kinds.items())
    return f'<details class="menu"><summary>Copy</summary><span class="choices">{buttons}</span></details>'


def _why(citation: Citation) -> str:
    rows = [("Reader", f"{citation.score:.2f}", "how well the quote answers")]
    if citation.hit:
        hit: Hit = citation.hit
        rows += [
            ("Search, together", f"{hit.score:.2f}", "meaning and words"),
            ("Meaning", f"{hit.dense_score:.2f}", f"rank {hit.dense_rank}" if hit.dense_rank else "not found"),
            ("Words", f"{hit.lexical_score:.2f}", f"rank {hit.lexical_rank}" if hit.lexical_rank else "not found"),
        ]
    cells = "".join(f"<tr><th scope=row>{name}</th><td>{value}</td><td>{note}</td></tr>" for name, value, note in rows)
    return f'<details class="why"><summary>Why this passage</summary><table>{cells}</table></details>'


# --- article ------------------------------------------------------------------------------------------------------------------------


def article(shown: Article, opened: Citation | None, others: Iterable[Citation] = (), *, removable: bool = False) -> str:
    """The whole article. The opened quote is marked strongly, the conversation's other quotes in it lightly."""
    marks = [Mark(c.start, c.end, "other", f"{c.start}-{c.end}") for c in others if opened is None or c.start != opened.start]
    if opened:
        marks.append(Mark(opened.start, opened.end, "quote", f"{opened.start}-{opened.end}"))
        if opened.span and opened.span != (opened.start, opened.end):
            marks.append(Mark(*opened.span, "span"))
    link = text_fragment_url(shown.url, opened.quote) if opened else safe_url(shown.url)
    live = f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">On the web ↗</a>' if link else ""
    byline = " · ".join(escape(part) for part in (shown.author, shown.source, date_text(shown.published)) if part)
    return f"""<section class="reading" aria-label="Article"><div class="bar"><button class="plain back" data-do="back">← Back</button>
<span class="marks" hidden><button class="plain" data-do="previous" aria-label="Previous mark">↑</button><output></output>\
<button class="plain" data-do="next" aria-label="Next mark">↓</button></span>
<input type="search" class="find" placeholder="Find in the article" aria-label="Find in the article"></div>
<article lang="{escape(shown.language)}"><h2 tabindex="-1">{escape(shown.title)}</h2><p class="byline">{byline} {live}</p>
{_removal(shown) if removable else ""}
<div class="body">{paragraphs_html(shown.text, marks)}</div></article></section>"""


def _removal(shown: Article) -> str:
    return f"""<details class="menu"><summary>Remove</summary><span class="choices">
<button data-event="delete" data-article="{escape(shown.id)}">Yes, remove it from the index</button></span></details>"""


def quotes_of(past: Conversation, article_id: str) -> list[Citation]:
    """Everything that this conversation quoted from the article in answers."""
    cited = [(e, answer) for e in past.exchanges for answer in answers(e)]
    found = [citation_of(e, number) for e, answer in cited for number in answer.citations]
    return [c for c in found if c and c.article_id == article_id]


def filters_line(filters: Filters) -> str:
    parts = [
        filters.source and f"from {filters.source}",
        filters.author and f"by {filters.author}",
        filters.since and f"since {date_text(filters.since)}",
        filters.until and f"until {date_text(filters.until)}",
    ]
    words = escape(", ".join(part for part in parts if part))
    return f'<p class="filters">Only articles {words}. <button class="plain" data-event="clear">Clear</button></p>' if words else ""
