"""A conversation as a file: Markdown, a web page of its own, or JSON, with full citations."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qa.datatypes import Answer, Citation, Response
from qa.render import escape, markdown_text, quote_markdown, reference, response_json, safe_url
from qa.ui.conversation import Conversation, answers, citation_of
from qa.ui.honesty import guess_warning, is_guess

STYLE = "body{max-width:42rem;margin:3rem auto;padding:0 1rem;font:1.1rem/1.6 Georgia,serif}cite{color:#555}blockquote{margin:1rem 0}"


def export(conversation: Conversation, kind: str) -> dict[str, str]:
    """{"name", "type", "text"}: what the browser saves as a file."""
    forms = {
        "markdown": ("conversation.md", "text/markdown", markdown),
        "html": ("conversation.html", "text/html", html_document),
        "json": ("conversation.json", "application/json", json_document),
    }
    name, media_type, form = forms.get(kind, forms["markdown"])
    return {"name": name, "type": media_type, "text": form(conversation.exchanges)}


def markdown(exchanges: Sequence[Response]) -> str:
    return "\n\n".join(part for response in exchanges for part in _markdown_parts(response)) + "\n"


def _markdown_parts(response: Response) -> list[str]:
    parts = [f"## {markdown_text(' '.join(response.question.split()))}"]
    if response.standalone_question != response.question.strip():
        parts.append(f"*Understood as: {markdown_text(response.standalone_question)}*")
    if response.answer is None:
        return [*parts, "The articles don’t say."]
    if is_guess(response):
        parts.append(guess_warning(response))
    for answer in answers(response):
        parts += [quote_markdown(citation) for citation in _cited(response, answer)]
        parts.append(f"Confidence: {answer.confidence:.0%}")
    return parts


def html_document(exchanges: Sequence[Response]) -> str:
    """A page that needs nothing else."""
    sections = "\n".join(_section(response) for response in exchanges)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Conversation</title><style>{STYLE}</style></head>
<body>
{sections}
</body></html>
"""


def _section(response: Response) -> str:
    head = f"<h2>{escape(response.question)}</h2>"
    if response.standalone_question != response.question.strip():
        head += f"<p><i>Understood as: {escape(response.standalone_question)}</i></p>"
    if response.answer is None:
        return f"<section>{head}<p>The articles don’t say.</p></section>"
    if is_guess(response):
        head += f"<p>{escape(guess_warning(response))}</p>"
    quotes = [_quote_html(citation, answer) for answer in answers(response) for citation in _cited(response, answer)]
    return f"<section>{head}{''.join(quotes)}</section>"


def _quote_html(citation: Citation, answer: Answer) -> str:
    link = safe_url(citation.url)
    source = (
        f'<a href="{escape(link)}" rel="noopener noreferrer">{escape(reference(citation))}</a>' if link else escape(reference(citation))
    )
    return f"<blockquote><p>“{escape(citation.quote)}”</p><cite>{source} ({answer.confidence:.0%})</cite></blockquote>"


def json_document(exchanges: Sequence[Response]) -> str:
    return json.dumps([response_json(response) for response in exchanges], ensure_ascii=False, indent=2)


def _cited(response: Response, answer: Answer) -> list[Citation]:
    found = [citation_of(response, number) for number in answer.citations]
    return [citation for citation in found if citation]
