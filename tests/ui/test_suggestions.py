from __future__ import annotations

import pytest

from qa.ui.suggestions import question_from


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The Eiffel Tower was built for the fair in 1889.", "When was the Eiffel Tower built?"),
        ("Marie Curie discovered radium in Paris.", "Who discovered radium?"),
        ("The Titanic sank in the North Atlantic on 15 April 1912.", "When did the Titanic sink?"),
        ("The Suez Canal is a shortcut.", "What is the Suez Canal?"),
        ("“We are go,” said Margaret Hamilton.", "What did Margaret Hamilton say?"),
        ("It was led by Margaret Hamilton, who had studied mathematics.", "Who was Margaret Hamilton?"),
        ("Tim Berners-Lee invented the World Wide Web, and gave it away.", "Who invented the World Wide Web?"),
    ],
)
def test_a_statement_is_turned_into_the_question_it_answers(sentence: str, question: str) -> None:
    assert question_from(sentence) == question


@pytest.mark.parametrize(
    "sentence",
    [
        "He was born in 1889.",
        "The module is a ship of its own.",
        "It is a volcano.",
        "In Paris, nothing happened.",
        "",
        "<script>alert(1)</script> was built in 1999.",
    ],
)
def test_a_sentence_without_a_name_to_ask_about_gives_none(sentence: str) -> None:
    assert question_from(sentence) is None
