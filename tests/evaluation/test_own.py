"""Our own form of an evaluation set: what is read, and what is refused with the place and the reason."""

from __future__ import annotations

import json

import pytest

from qa.datatypes import Turn
from qa.errors import DataError
from qa.evaluation.datasets import Gold
from qa.evaluation.load import load_dataset

TEXT = "Apollo 11 landed on the Moon in July 1969. Two men walked there."
GOLD = {"article": "moon.txt", "start": TEXT.index("July 1969"), "end": TEXT.index("July 1969") + 9, "text": "July 1969"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set" / "articles" / "more").mkdir(parents=True)
    (tmp_path / "set" / "articles" / "moon.txt").write_text(TEXT)
    (tmp_path / "set" / "articles" / "more" / "sun.md").write_text("The Sun is a star of middling size.")
    row = {"id": "mars", "title": "Mars", "text": "Mars is red because its soil has rusted."}
    (tmp_path / "set" / "articles" / "desk.jsonl").write_text(json.dumps(row))
    ask(tmp_path / "set", question())
    return tmp_path / "set"


def question(**changes):
    entry = {"id": "q1", "question": "When did it land?", "kind": "fact", "split": "dev", "gold": [GOLD], **changes}
    return {key: value for key, value in entry.items() if value is not ...}


def ask(folder, *entries):
    (folder / "questions.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def test_articles_go_by_their_path_and_rows_by_their_id(folder):
    assert {article.id for article in load_dataset(folder).articles} == {"moon.txt", "more/sun.md", "mars"}


def test_questions_are_read_with_turns_and_alternatives(folder):
    turns = [{"question": "Which mission?", "answer": "Apollo 11"}]
    other = {"article": "mars", "start": 0, "end": 4, "text": "Mars"}
    ask(folder, question(turns=turns, gold=[GOLD, other]))
    (read,) = load_dataset(folder).questions
    assert read.turns == (Turn("Which mission?", "Apollo 11"),)
    assert read.gold == (Gold("moon.txt", GOLD["start"], GOLD["end"], "July 1969"), Gold("mars", 0, 4, "Mars"))
    assert (read.kind, read.split, read.answerable) == ("fact", "dev", True)


def test_kind_split_and_turns_may_be_left_out_and_no_gold_means_unanswerable(folder):
    ask(folder, question(kind=..., split=..., gold=[]))
    (read,) = load_dataset(folder).questions
    assert (read.kind, read.split, read.turns, read.answerable) == ("", "", (), False)


def test_split_chooses_questions(folder):
    ask(folder, question(), question(id="q2", split="test"))
    assert [read.id for read in load_dataset(folder, "test").questions] == ["q2"]
    with pytest.raises(DataError, match="no question is of the split 'train'; splits there: dev, test"):
        load_dataset(folder, "train")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (question(gold=[GOLD | {"start": GOLD["start"] + 1}]), "question 'q1': answer 'July 1969' does not stand at"),
        (question(gold=[GOLD | {"text": "June 1970"}]), "does (it stands nowhere in it)"),
        (question(gold=[GOLD | {"start": 60, "end": 690}]), "ends at 690, beyond the end of 'moon.txt' (64 characters)"),
        (question(gold=[GOLD | {"start": -9}]), "has start -9"),
        (question(gold=[GOLD | {"end": 1.5}]), "'end' is 1.5, expected a whole number"),
        (question(gold=[GOLD | {"article": "venus.txt"}]), "article 'venus.txt' is not among the set's articles"),
        (question(gold="July"), "'gold' is 'July', expected a list"),
        (question(gold=["July"]), "expected an object, found 'July'"),
        (question(gold=...), "'gold' is missing"),
        (question(id=...), "questions.jsonl:1: 'id' is missing"),
        (question(question="  "), "'question' is empty"),
        (question(turns=[{"question": "Which?"}]), "turns: 'answer' is missing"),
        (question(kind=3), "'kind' is 3, expected text"),
    ],
)
def test_a_malformed_question_is_named_with_the_reason(folder, entry, reason):
    ask(folder, entry)
    with pytest.raises(DataError) as error:
        load_dataset(folder)
    assert reason in str(error.value)
    assert "questions.jsonl:1" in str(error.value)


def test_an_article_that_cannot_be_read_is_named_when_a_question_needs_it(folder):
    (folder / "articles" / "empty.txt").write_text("")
    assert len(load_dataset(folder).articles) == 3
    ask(folder, question(gold=[GOLD | {"article": "empty.txt"}]))
    with pytest.raises(DataError, match="article 'empty.txt' could not be read: "):
        load_dataset(folder)


def test_a_set_without_articles_is_refused(folder):
    for file in (folder / "articles").rglob("*.*"):
        file.unlink()
    ask(folder, question(gold=[]))
    with pytest.raises(DataError, match="the corpus is empty"):
        load_dataset(folder)
    (folder / "articles" / "more").rmdir()
    (folder / "articles").rmdir()
    with pytest.raises(DataError, match="articles: not found"):
        load_dataset(folder)


def test_duplicate_question_ids_are_refused(folder):
    ask(folder, question(), question())
    with pytest.raises(DataError, match="question id 'q1' is there twice"):
        load_dataset(folder)


def rows(folder, *entries):
    (folder / "articles.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def test_rows_of_articles_jsonl_are_taken_word_for_word(folder):
    text = "Share this article\n\n  He  landed.\n\nFollow us on Twitter"
    rows(folder, {"id": "a", "text": text, "title": "T", "published": "1969-07-25"}, {"id": "b", "text": "x"})
    ask(folder, question(gold=[{"article": "a", "start": 26, "end": 32, "text": "landed"}]))
    first, second = load_dataset(folder).articles
    assert (first.id, first.text, first.title, str(first.published), first.source) == ("a", text, "T", "1969-07-25", "a")
    assert (second.id, second.text, second.title, second.published) == ("b", "x", "", None)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"text": "x"}, "articles.jsonl:2: 'id' is missing"),
        ({"id": "b"}, "articles.jsonl:2 article 'b': 'text' is missing"),
        ({"id": "b", "text": " "}, "'text' is empty"),
        ({"id": "b", "text": "x", "title": 3}, "'title' is 3, expected text"),
        ({"id": "b", "text": "x", "published": "soon"}, "'published' is 'soon', expected YYYY-MM-DD"),
        ({"id": "a", "text": "x"}, "article 'a' is there twice"),
    ],
)
def test_a_malformed_row_is_named_with_the_reason(folder, entry, reason):
    rows(folder, {"id": "a", "text": "y"}, entry)
    with pytest.raises(DataError) as error:
        load_dataset(folder)
    assert reason in str(error.value)
