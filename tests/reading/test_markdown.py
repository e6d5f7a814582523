"""Markdown as plain text."""

from __future__ import annotations

from datetime import date

import pytest

from qa.reading.draft import Facts
from qa.reading.markdown import read_markdown

PAGE = """---
title: The Tunnel
date: 2024-05-06
---
# The Tunnel

By **Jane Doe**

![A drill](drill.jpg)

The *tunnel* opened in [1994](https://example.com/1994), after `six` years
of work & quarrels. It cost ~~four~~ five billion.

## Costs

1. Shares
2. Loans
   - from banks

> Nobody knew.

| Year | Riders |
|------|-------:|
| 1995 | 3      |

```
x = 1

y = 2
```

<div>Old <b>HTML</b> stays as text.</div>

Share on Facebook
Tweet

[Ten more tunnels](https://example.com/more)
[The longest bridge](https://example.com/bridge)
"""


def test_markdown_becomes_plain_text() -> None:
    draft = read_markdown(PAGE.encode())
    assert draft.facts == Facts("The Tunnel", "Jane Doe", date(2024, 5, 6))
    assert draft.text == (
        "The tunnel opened in 1994, after six years of work & quarrels. It cost four five billion.\n\n"
        "Costs\n\n"
        "1. Shares\n2. Loans\n  - from banks\n\n"
        "Nobody knew.\n\n"
        "Year | Riders\n1995 | 3\n\n"
        "x = 1\ny = 2\n\n"
        "Old HTML stays as text."
    )


def test_title_is_the_first_heading() -> None:
    draft = read_markdown(
        b"World\n\n# The Tunnel\n\nIt opened in 1994 after six years.\n\n## Video\n\nIt has three tubes and a service road."
    )
    assert draft.facts.title == "The Tunnel"
    assert draft.text == "It opened in 1994 after six years.\n\nVideo\n\nIt has three tubes and a service road."


def test_hard_breaks_stay() -> None:
    assert read_markdown(b"# Rain\n\nThe rain came down,  \nand then it ceased to fall on us.").text == (
        "The rain came down,\nand then it ceased to fall on us."
    )


def test_heading_without_text_goes() -> None:
    assert (
        read_markdown(b"# Rain\n\nIt rained on the hills and on the town.\n\n## Comments\n\n## Share").text
        == "It rained on the hills and on the town."
    )


@pytest.mark.timeout(30)
def test_many_lines_of_a_paragraph_cost_no_more_than_their_length() -> None:
    text = "the rain went on and on\n" * 60_000
    assert len(read_markdown(f"It rained, and\n{text}it stopped.".encode()).text) == len(text) + 26
