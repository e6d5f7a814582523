"""Drafts of questions, and the questions that ship: every answer stands where it says."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from qa.errors import DataError
from qa.evaluation.load import load_dataset

EVAL = Path(__file__).parents[2] / "eval"
spec = importlib.util.spec_from_file_location("place", EVAL / "place.py")
place = importlib.util.module_from_spec(spec)
spec.loader.exec_module(place)

TEXT = "He won 5 of 59:35.\n\nIt’s “a long–distance\nrun”, he said. He won 5 again."
DRAFT = {"id": "d1", "question": "How many?", "kind": "fact", "split": "dev", "gold": []}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("5", "5"),
        ('It\'s "a long-distance run"', "It’s “a long–distance\nrun”"),
        ("9:3", "9:3"),
        ("six", None),
    ],
)
def test_words_are_found_whatever_their_spaces_quotes_and_dashes(words, found):
    span = place.find(words, TEXT)
    assert (span and TEXT[slice(*span)]) == found


def test_whole_words_go_before_parts_of_words():
    assert place.find("won 5", "won 59, won 5") == (8, 13)


def test_an_answer_is_placed_inside_its_context():
    gold = {"article": "a", "text": "won 5", "context": "He won 5 again."}
    placed = place.place(DRAFT | {"gold": [gold]}, {"a": TEXT}, "x.jsonl:1")
    start = TEXT.rindex("won 5")
    assert placed["gold"] == [{"article": "a", "start": start, "end": start + 5, "text": "won 5"}]
    assert placed["turns"] == []


@pytest.mark.parametrize(
    ("gold", "reason"),
    [
        ({"article": "b", "text": "5", "context": "He won 5"}, "article 'b' is not in articles/, or could not be read"),
        ({"article": "a", "text": "5", "context": "He lost"}, "the context does not stand in a: 'He lost'"),
        ({"article": "a", "text": "7", "context": "He won 5"}, "'7' does not stand in its context: 'He won 5'"),
    ],
)
def test_what_cannot_be_placed_is_named(gold, reason):
    with pytest.raises(DataError) as error:
        place.place(DRAFT | {"gold": [gold]}, {"a": TEXT}, "x.jsonl:1")
    assert str(error.value) == f"x.jsonl:1 d1: {reason}"


def test_a_split_must_be_dev_or_test():
    with pytest.raises(DataError, match="split is 'train', expected dev or test"):
        place.place(DRAFT | {"split": "train"}, {}, "x.jsonl:1")


def test_faults_do_not_stop_the_others(tmp_path):
    lines = [DRAFT, DRAFT, DRAFT | {"id": "d2"}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    results = list(place.place_all(tmp_path, {}))
    assert [result["id"] if isinstance(result, dict) else result for result in results] == [
        "d1",
        f"{tmp_path / 'x.jsonl'}:2: question id 'd1' is there twice",
        "d2",
    ]


@pytest.fixture(scope="module")
def ours():
    return load_dataset(EVAL)


def test_every_gold_of_our_set_stands_at_its_offset(ours):
    texts = {article.id: article.text for article in ours.articles}
    golds = [gold for question in ours.questions for gold in question.gold]
    assert all(texts[gold.article_id][gold.start : gold.end] == gold.text for gold in golds)
    assert all(gold.text == gold.text.strip() for gold in golds)


def test_every_question_of_our_set_has_a_kind_and_a_split(ours):
    assert all(question.kind for question in ours.questions)
    assert {question.split for question in ours.questions} == {"dev", "test"}


def test_our_set_is_as_large_and_varied_as_its_card_says(ours):
    kinds = Counter(question.kind for question in ours.questions)
    unanswerable = [question for question in ours.questions if not question.answerable]
    assert (len(ours.articles) >= 36, len(ours.questions) >= 300, len(unanswerable) >= 60) == (True, True, True)
    assert len({question.kind for question in unanswerable}) >= 4
    assert (kinds["paraphrase"] >= 50, kinds["follow_up"] >= 40, kinds["date_source"] >= 20) == (True, True, True)
    assert sum(bool(question.turns) for question in ours.questions) >= 40
    assert sum(len({gold.article_id for gold in question.gold}) > 1 for question in ours.questions) >= 30
