"""SQuAD files: what is read, and what is refused with the place and the reason."""

from __future__ import annotations

import json

import pytest

from qa.errors import DataError
from qa.evaluation.datasets import Gold
from qa.evaluation.load import load_dataset


def write(tmp_path, *entries, name="set.json"):
    file = tmp_path / name
    file.write_text(json.dumps({"version": "v2.0", "data": list(entries)}), encoding="utf-8")
    return file


def paragraph(context, *questions):
    return {"context": context, "qas": list(questions)}


def asked(key, text, *answers, **more):
    golds = [{"text": answer, "answer_start": start} for answer, start in answers]
    return {"id": key, "question": text, "answers": golds, **more}


def moon(*questions):
    return {"title": "The_Moon", "paragraphs": [paragraph("Apollo 11 landed in 1969.", *questions)]}


def test_paragraphs_of_a_title_become_one_article_and_offsets_move_along(tmp_path):
    second = paragraph("Ünder the Moon.", asked("q2", "Under what?", ("Moon", 10), ("Moon", 10), ("the Moon", 6)))
    entry = moon(asked("q1", "When?", ("1969", 20)))
    entry["paragraphs"].append(second)
    dataset = load_dataset(write(tmp_path, entry))
    (article,) = dataset.articles
    assert (article.id, article.title, article.source) == ("The_Moon", "The Moon", "set.json")
    assert article.text == "Apollo 11 landed in 1969.\n\nÜnder the Moon."
    first, other = dataset.questions
    assert first.gold == (Gold("The_Moon", 20, 24, "1969"),)
    assert other.gold == (Gold("The_Moon", 37, 41, "Moon"), Gold("The_Moon", 33, 41, "the Moon"))
    assert all(article.text[gold.start : gold.end] == gold.text for question in dataset.questions for gold in question.gold)
    assert other.paragraph == Gold("The_Moon", 27, 42, "Ünder the Moon.")


def test_unanswerable_questions_have_no_gold(tmp_path):
    plausible = asked("q1", "Where?", is_impossible=True, plausible_answers=[{"text": "1969", "answer_start": 20}])
    (question,) = load_dataset(write(tmp_path, moon(plausible))).questions
    assert (question.answerable, question.kind, question.gold) == (False, "unanswerable", ())


def test_a_title_that_comes_twice_is_two_articles(tmp_path):
    dataset = load_dataset(write(tmp_path, moon(asked("a", "When?", ("1969", 20))), moon(asked("b", "When?", ("1969", 20)))))
    assert [article.id for article in dataset.articles] == ["The_Moon", "The_Moon (2)"]
    assert dataset.questions[1].gold[0].article_id == "The_Moon (2)"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (moon(asked("q", "When?", ("1969", 19))), "answer '1969' does not stand at 19 of 'The_Moon'; ' 196' does (it stands at 20)"),
        (moon(asked("q", "When?", ("1969", 200))), "question 'q': answer '1969' at 200 is outside its paragraph (25 characters)"),
        (moon(asked("q", "When?", ("1969", -1))), "answer '1969' at -1 is outside its paragraph"),
        (moon(asked("q", "When?", ("", 3))), "question 'q': answer '' has start 3 and end 3"),
        (moon(asked("q", "When?", is_impossible=False)), "is_impossible is false but it has 0 answers"),
        (moon(asked("q", "When?", ("1969", 20), is_impossible=True)), "is_impossible is true but it has 1 answers"),
        (moon(asked("q", " ", ("1969", 20))), "'question' is empty"),
        (moon({"id": "q", "question": "When?"}), "data[0].paragraphs[0] question 'q': 'answers' is missing"),
        (moon({"question": "When?", "answers": []}), "data[0].paragraphs[0].qas: 'id' is missing"),
        (moon(asked("q", "When?", ("1969", "20"))), "'answer_start' is '20', expected a whole number"),
        (moon("When?"), "expected an object, found 'When?'"),
        ({"paragraphs": []}, "data[0]: 'title' is missing"),
        ({"title": "x", "paragraphs": [{"context": "", "qas": []}]}, "data[0].paragraphs[0]: 'context' is empty"),
    ],
)
def test_a_malformed_entry_is_named_with_the_reason(tmp_path, entry, reason):
    with pytest.raises(DataError) as error:
        load_dataset(write(tmp_path, entry))
    assert reason in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "set.json"))
    assert "\n" not in str(error.value)


def test_duplicate_question_ids_are_refused(tmp_path):
    with pytest.raises(DataError, match="question id 'q' is there twice"):
        load_dataset(write(tmp_path, moon(asked("q", "When?", ("1969", 20)), asked("q", "What?", ("Apollo 11", 0)))))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not a SQuAD file"),
        ("[]", "expected an object"),
        ('{"data": {}}', "'data' is {}, expected a list"),
        ('{"data": []}', "the corpus is empty"),
        ('{"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": []}]}]}', "there are no questions"),
        ('{"data": [{"title": "t", "paragraphs": []}]}', "the corpus is empty"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, reason):
    file = tmp_path / "set.json"
    file.write_text(text)
    with pytest.raises(DataError) as error:
        load_dataset(file)
    assert reason in str(error.value)


def test_a_squad_file_has_no_splits(tmp_path):
    with pytest.raises(DataError, match="has no splits; leave out --split dev"):
        load_dataset(write(tmp_path, moon(asked("q", "When?", ("1969", 20)))), "dev")


def test_a_sample_is_drawn_by_its_seed(tmp_path):
    dataset = load_dataset(write(tmp_path, moon(*(asked(str(number), "When?", ("1969", 20)) for number in range(50)))))
    drawn = dataset.sample(10, seed=4)
    assert drawn == dataset.sample(10, seed=4)
    assert drawn != dataset.sample(10, seed=5)
    assert [question.id for question in drawn.questions] == sorted((q.id for q in drawn.questions), key=int)
    assert drawn.corpus_sha256 == dataset.corpus_sha256
    assert dataset.sample(500) == dataset


def test_what_is_none_of_the_three_forms_is_refused_with_what_is_accepted(tmp_path):
    with pytest.raises(DataError, match="not found; expected a folder with articles/ and questions.jsonl, a SQuAD file"):
        load_dataset(tmp_path / "missing")
    with pytest.raises(DataError, match="has none of the three forms"):
        load_dataset(tmp_path)
