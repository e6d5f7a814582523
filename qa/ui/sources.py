"""The right side of the page as HTML: the cards of an answer's sources, and whole articles with their quotes marked.

Written as `qa.ui.views` is: values in, markup out, all text through `qa.render`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qa.datatypes import Article, Citation, Hit, Response
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
from qa.ui.conversation import Conversation, answers, citation_of
from qa.ui.feedback_views import strip
from qa.ui.views import Faults, empty, notice


def cards(index: int, response: Response | None, faults: Faults) -> str:
    """The cards of one answer, an article each, in the order of the citations."""
    if response is None:
        return empty("The sources of an answer appear here.")
    by_article: dict[str, list[Citation]] = {}
    for citation in response.citations:
        by_article.setdefault(citation.article_id, []).append(citation)
    cited = response.answer.citations if response.answer else tuple(c.number for c in response.citations)
    shown = "".join(_card(index, group, cited, faults) for group in by_article.values())
    heading = "Sources" if response.answer else "Closest passages"
    return f"""<section class="sources" aria-label="{heading}"><button class="plain back" data-do="back">← Back</button>
<h2 tabindex="-1">{heading}</h2>
<p class="for">{escape(response.standalone_question)}</p>{shown or "<p>Nothing was found.</p>"}</section>"""


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


def whole_article(
    shown: Article, opened: Citation | None, others: Iterable[Citation] = (), *, removable: bool = False, judging: bool = False
) -> str:
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
<div class="body">{paragraphs_html(shown.text, marks)}</div></article>{strip(shown) if judging else ""}</section>"""


def _removal(shown: Article) -> str:
    return f"""<details class="menu"><summary>Remove</summary><span class="choices">
<button data-event="delete" data-article="{escape(shown.id)}">Yes, remove it from the index</button></span></details>"""


def quotes_of(past: Conversation, article_id: str) -> list[Citation]:
    """Everything that this conversation quoted from the article in answers."""
    cited = [(e, answer) for e in past.exchanges for answer in answers(e)]
    found = [citation_of(e, number) for e, answer in cited for number in answer.citations]
    return [c for c in found if c and c.article_id == article_id]
