from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fake_pipeline import MOON, FakePipeline

from qa.errors import QAError
from qa.ui.conversation import Conversation, faults, from_browser, to_browser
from qa.ui.export import export

PIPELINE = FakePipeline()
ANSWERED = PIPELINE.ask("When was Apollo 11 launched?")
UNANSWERED = PIPELINE.ask("Which penguins play the violin?")
CONVERSATION = Conversation("c1", (ANSWERED, UNANSWERED))


def test_what_the_browser_keeps_comes_back_the_same_but_for_the_passages() -> None:
    back = from_browser(json.loads(json.dumps(to_browser(CONVERSATION))))
    assert back.id == "c1"
    assert back.exchanges[0].answer == ANSWERED.answer
    assert [replace(c, hit=None) for c in back.exchanges[0].citations] == [replace(c, hit=None) for c in ANSWERED.citations]
    assert to_browser(back) == to_browser(CONVERSATION)


def test_turns_are_the_standalone_questions_and_what_was_answered() -> None:
    assert [(turn.question, turn.answer) for turn in CONVERSATION.turns] == [
        ("When was Apollo 11 launched?", "16 July 1969"),
        ("Which penguins play the violin?", ""),
    ]


def test_a_new_conversation_gets_an_id_and_keeps_it() -> None:
    first = Conversation().add(ANSWERED)
    assert len(first.id) == 32
    assert first.add(UNANSWERED).id == first.id


@pytest.mark.parametrize("data", [{"exchanges": [{"question": 1}]}, [1], "x", {"exchanges": "y"}])
def test_a_damaged_conversation_is_refused_in_one_line(data: object) -> None:
    with pytest.raises(QAError, match="^the conversation that the browser kept is damaged"):
        from_browser(data)


def test_quotes_that_stand_where_they_should_have_no_faults() -> None:
    assert faults(ANSWERED, PIPELINE.article) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"quote": "Apollo 12 was launched from Florida on 16 July 1969."},
        {"start": 1},
        {"end": 10_000},
        {"start": -52},
        {"excerpt": "Something else"},
        {"excerpt_start": 5},
        {"span": (0, 100_000)},
        {"span": (40, 40)},
    ],
)
def test_a_citation_that_does_not_fit_its_article_is_a_fault(changed: dict[str, object]) -> None:
    first = replace(ANSWERED.citations[0], **changed)
    found = faults(replace(ANSWERED, citations=(first,)), PIPELINE.article)
    assert found == {1: "The quote no longer stands in the stored article at this place. Ask the question again."}


def test_an_article_that_is_gone_is_a_fault() -> None:
    first = replace(ANSWERED.citations[0], article_id="gone")
    assert faults(replace(ANSWERED, citations=(first,)), PIPELINE.article) == {1: "The article is no longer in the index."}


def test_markdown_export_quotes_and_cites() -> None:
    text = export(Conversation("c", (ANSWERED, UNANSWERED)), "markdown")["text"]
    assert text.startswith(
        "## When was Apollo 11 launched?\n\n"
        "> Apollo 11 was launched from Florida on 16 July 1969.\n>\n"
        "> — Ada Whitfield, “Eagle lands on the Moon”, almanac.example, 25 July 1969, https://almanac.example/moon-landing.\n\n"
        "Confidence: 97%\n"
    )
    assert text.endswith("## Which penguins play the violin?\n\nThe articles don’t say.\n")


def test_html_export_escapes_everything() -> None:
    evil = "<script>alert(1)</script>"
    article = type(MOON)("x", evil, f"The zeppelin landed {evil} here.", evil, "0" * 64, author=evil, url="javascript:alert(1)")
    text = export(Conversation("c", (FakePipeline([article]).ask(f"zeppelin landed here {evil}"),)), "html")["text"]
    assert "<script>" not in text
    assert "javascript:" not in text
