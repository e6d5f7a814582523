"""Markdown -> plain lines: links keep their text, images and emphasis go, lists and tables have a line for each entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qa.reading import litter
from qa.reading.body import read_body
from qa.reading.decoding import clean_characters, decode
from qa.reading.draft import Draft, Line
from qa.reading.html import bare_text
from qa.reading.looks import SENTENCE_END
from qa.reading.metadata import read_front_matter
from qa.reading.plain import text_lines

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

FULL_LINE = 60  # characters; a line this long was broken because it was full
LONG_LINE = litter.MAX_LENGTH + 1  # characters; what stands before them changes nothing


def read_markdown(data: bytes) -> Draft:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    stated, text = read_front_matter(clean_characters(decode(data)))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return read_body(list(_blocks(SyntaxTreeNode(parser.parse(text)).children)), stated)


def _blocks(nodes: list[SyntaxTreeNode]) -> Iterator[Line]:
    for node in nodes:
        if node.type in ("paragraph", "heading"):
            yield from _paragraph(node)
        elif node.type in ("bullet_list", "ordered_list"):
            yield from _list(node)
        elif node.type == "table":
            rows = [row for part in node.children for row in part.children]
            for number, row in enumerate(rows):
                cells = (" ".join(text for text, _ in _inline(cell.children[0])) for cell in row.children)
                yield Line(" | ".join(cells), opens=number == 0, kind="verbatim")
        elif node.type in ("fence", "code_block"):
            for number, code in enumerate(filter(str.strip, node.content.split("\n"))):
                yield Line(code, opens=number == 0, kind="verbatim")
        elif node.type == "html_block":
            yield from text_lines(clean_characters(bare_text(node.content)))
        else:
            yield from _blocks(node.children)


def _paragraph(node: SyntaxTreeNode) -> Iterator[Line]:
    lines = _inline(node.children[0])
    for number, (text, link) in enumerate(lines):
        yield Line(text, opens=number == 0, kind="heading" if node.type == "heading" else "text", link=link)


def _list(node: SyntaxTreeNode, depth: int = 0) -> Iterator[Line]:
    for number, item in enumerate(node.children):
        marker = f"{item.info}{item.markup}" if node.type == "ordered_list" else "-"
        for position, child in enumerate(item.children):
            if child.type in ("bullet_list", "ordered_list"):
                yield from _list(child, depth + 1)
            elif position == 0 and child.type == "paragraph":
                (text, link), *rest = _inline(child.children[0]) or [("", False)]
                yield Line(f"{'  ' * depth}{marker} {text}", opens=number == depth == 0, kind="item", link=link)
                yield from (Line(text, opens=False, link=link) for text, link in rest)
            else:
                yield from _blocks([child])


def _inline(node: SyntaxTreeNode) -> list[tuple[str, bool]]:
    """The lines of a paragraph, each with whether it is nothing but links. Running text is one line however it is broken."""
    lines: list[list[tuple[str, bool]]] = []
    before = ""  # the last line, as much of it as tells whether it runs on
    for text, link, forced in _broken_lines(node):
        if lines and not forced and _runs_on(before, text):
            lines[-1].append((text, link))
            before = f"{before} {text}"[-LONG_LINE:]
        else:
            lines.append([(text, link)])
            before = text
    return [(" ".join(text for text, _ in pieces), all(link for _, link in pieces)) for pieces in lines]


def _broken_lines(node: SyntaxTreeNode) -> Iterator[tuple[str, bool, bool]]:
    """(line, whether it is nothing but links, whether the author forced the break before it)."""
    breaks = [n for n, token in enumerate(node.children) if _is_break(token)]
    forced = False
    for start, end in zip([-1, *breaks], [*breaks, len(node.children)], strict=True):
        pieces = [(_text_of(token), token.type == "link") for token in node.children[start + 1 : end]]
        text = " ".join("".join(piece for piece, _ in pieces).split())
        loose = "".join(piece for piece, linked in pieces if not linked)
        if text:
            yield text, len(loose.strip(" |·,-")) == 0, forced
        forced = end < len(node.children) and node.children[end].type != "softbreak"


def _is_break(token: SyntaxTreeNode) -> bool:
    return token.type in ("softbreak", "hardbreak") or (token.type == "html_inline" and token.content.lower().startswith("<br"))


def _text_of(token: SyntaxTreeNode) -> str:
    if token.type in ("text", "code_inline"):
        return token.content
    if _is_break(token):
        return " "
    return "" if token.type in ("image", "html_inline") else "".join(map(_text_of, token.children))


def _runs_on(before: str, text: str) -> bool:
    """Whether a soft break is only where the line was full: "... the spokesman / of the Politburo", not "Share / Tweet"."""
    if litter.is_edge_litter(before) or litter.is_edge_litter(text):
        return False
    if SENTENCE_END.search(before):
        return len(text) >= FULL_LINE or bool(SENTENCE_END.search(text))
    return len(before) >= FULL_LINE or text[0].islower() or before[-1] in ",;:"
