"""The page's pieces as HTML: header, notices, conversation. Source cards and articles are in `qa.ui.sources`.

Pure functions, values in and markup out. All text goes through `qa.render`, which escapes it. A button with `data-event` reaches the
server as that event with its other data attributes; one with `data-do` is done in the browser (static/page.js).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa.datatypes import Answer, Citation, Filters, Response
from qa.render import Mark, date_text, escape, highlight_html
from qa.render import count as count
from qa.ui import feedback_views, honesty
from qa.ui.backend import State
from qa.ui.conversation import Conversation, citation_of

LONG_QUOTE = 260  # characters; longer ones are set a size smaller
CONFIDENCE = ((0.8, "High"), (0.6, "Good"), (0.0, "Low"))
STAGES = {"loading": "Loading the models", "searching": "Searching the articles", "reading": "Reading the passages"}

Faults = Mapping[int, str]  # citation number -> why it must not be shown


# --- header -------------------------------------------------------------------------------------------------------------------------


def header(title: str, state: State, models: str = "", user: str = "") -> str:
    """`user` is who has signed in, if one has to."""
    leave = f'<form method="post" action="logout"><span>{escape(user)}</span><button class="plain">Sign out</button></form>' if user else ""
    return f"""<header class="masthead"><h1>{escape(title)}</h1>
<p class="state" role="status">{_state(state)}</p>{models}
<a href="docs">API</a>
<button class="plain" data-do="theme" aria-label="Switch between light and dark">◐</button>{leave}</header>
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


def notice(problem: str) -> str:
    """A problem in one line, with the command that repairs it as the error gives it."""
    return f'<p class="notice" role="alert">{escape(problem)}</p>'


def empty(words: str) -> str:
    return f'<section class="empty"><p>{escape(words)}</p></section>'


# --- conversation -------------------------------------------------------------------------------------------------------------------


def welcome(suggestions: Sequence[str]) -> str:
    buttons = "".join(
        f'<li><button class="suggestion" data-event="submit" data-question="{escape(q)}">{escape(q)}</button></li>' for q in suggestions
    )
    examples = f'<h2 class="small">For example</h2><ul class="suggestions">{buttons}</ul>' if buttons else ""
    return f"""<section class="welcome"><p class="lead">Ask a question. The answer is a quotation from your articles,
with the place where it stands.</p>{examples}</section>"""


def conversation(past: Conversation, faults: Sequence[Faults], *, pending: str = "", judging: bool = False) -> str:
    """The whole log. `pending` is the markup of the question being answered; `judging`: answers may be marked right or wrong."""
    done = "".join(exchange(i, response, faults[i], judging) for i, response in enumerate(past.exchanges))
    return f'<div class="log" role="log" aria-live="polite" aria-label="Conversation">{done}{pending}</div>'


def pending(question: str, stage: str) -> str:
    words = STAGES.get(stage, stage)
    return f"""<article class="exchange pending">{_question(question)}
<p class="working" role="status"><span class="dot busy"></span>{escape(words)} …</p></article>"""


def failed(question: str, problem: str) -> str:
    return f'<article class="exchange">{_question(question)}{notice(problem)}</article>'


def exchange(index: int, response: Response, faults: Faults, judging: bool = False) -> str:
    body = _answer(index, response, faults) if response.answer else _nothing(index, response, faults)
    return f"""<article class="exchange" data-exchange="{index}" aria-label="Question {index + 1}">
{_question(response.question)}{_standalone(response)}{body}{feedback_views.buttons(index, response, faults) if judging else ""}</article>"""


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
    guess = f'<p class="guess" role="note">{escape(honesty.guess_warning(response))}</p>' if honesty.is_guess(response) else ""
    return f"""{guess}<figure class="answer{" below" if guess else ""}">
<blockquote class="quotation{size}"><p>{_quote(citation)}{chips}</p></blockquote>
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
    """A sentence is quoted once, however many answers were found in it."""
    shown: dict[str, str] = {}
    for answer in response.alternatives:
        citation = citation_of(response, answer.citations[0])
        if citation and citation.number not in faults:
            shown.setdefault(citation.quote, _alternative(index, response, answer, citation, faults))
    answered = citation_of(response, response.answer.citations[0]) if response.answer else None
    shown.pop(answered.quote if answered else "", None)
    rows = "".join(shown.values())
    return f'<details class="others"><summary>{count(len(shown), "other answer")}</summary><ol>{rows}</ol></details>' if rows else ""


def _alternative(index: int, response: Response, answer: Answer, citation: Citation, faults: Faults) -> str:
    return f"""<li><p class="quotation small">{_quote(citation)}{_chips(index, response, answer, faults)}</p>
<p class="byline"><cite>{escape(citation.title)}</cite> · {answer.confidence:.0%}</p></li>"""


def _actions(index: int, response: Response) -> str:
    count = len(response.citations)
    return f"""<div class="actions"><button class="plain" data-event="select" data-exchange="{index}">Sources ({count})</button>
<button class="plain" data-do="link" data-question="{escape(response.standalone_question)}">Copy link</button></div>"""


def _nothing(index: int, response: Response, faults: Faults) -> str:
    """What was searched, how near the best guess came, how to loosen, and the closest passages."""
    shown = [c for c in response.citations if c.number not in faults][:3]
    rows = "".join(
        f'<li><p class="quotation small">{_quote(c)}{_chip(index, c)}</p><p class="byline"><cite>{escape(c.title)}</cite></p></li>'
        for c in shown
    )
    closest = f'<h3 class="small">The closest passages, which don’t answer it</h3><ol class="closest">{rows}</ol>' if rows else ""
    return f"""<div class="nothing"><p class="quotation">The articles don’t say.</p>
<p>{escape(honesty.searched(response))} {escape(honesty.nearness(response))}</p>{_loosen(index, response)}{closest}</div>
{_actions(index, response)}"""


def _loosen(index: int, response: Response) -> str:
    """Buttons that ask the same again with less asked for."""
    ways = []
    if response.filters:
        ways.append(("everywhere", "Search all articles"))
    if response.withheld:
        ways.append(("guess", "Show the best guess anyway"))
    asks = f'data-event="submit" data-exchange="{index}" data-question="{escape(response.standalone_question)}"'
    buttons = "".join(f'<button class="loosen" {asks} data-loosen="{way}">{label}</button>' for way, label in ways)
    return f'<div class="actions">{buttons}</div>' if ways else ""


def history() -> str:
    """The conversations of this browser; static/page.js fills the list."""
    kinds = {"markdown": "Markdown", "html": "Web page", "json": "JSON"}
    exports = "".join(f'<button data-event="download" data-format="{kind}">{name}</button>' for kind, name in kinds.items())
    return f"""<nav class="history" aria-label="Conversations"><button class="plain" data-event="select">New conversation</button>
<details class="menu past"><summary>Earlier</summary><div class="choices"><ul></ul></div></details>
<details class="menu export"><summary>Export</summary><div class="choices">{exports}</div></details></nav>"""


CLEAR = '<button class="plain" data-event="clear">Clear</button>'


def filters_line(filters: Filters) -> str:
    words = escape(honesty.words_of(filters))
    return f'<p class="filters">Only articles {words}. {CLEAR}</p>' if words else ""


def filters_problem(problem: str) -> str:
    """Filters that cannot be understood, and a way out: no question is answered with them."""
    return f'<p class="notice" role="alert">{escape(problem)} {CLEAR}</p>'
