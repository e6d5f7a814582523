"""BEIR folders: what is read, and what is refused with the place and the reason."""

from __future__ import annotations

import json

import pytest

from qa.errors import DataError
from qa.evaluation.load import load_dataset

CORPUS = [
    {"_id": "d1", "title": "Moon", "text": "It is grey."},
    {"_id": "d2", "title": "Sun", "text": ""},
    {"_id": "d3", "title": "", "text": "  "},
    {"_id": 4, "text": "Mars is red."},
]
QUERIES = [{"_id": "q1", "text": "grey?"}, {"_id": "q2", "text": "red?"}, {"_id": "q3", "text": "never judged"}]
HEADER = "query-id\tcorpus-id\tscore\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tiny" / "qrels").mkdir(parents=True)
    lines(tmp_path / "tiny" / "corpus.jsonl", *CORPUS)
    lines(tmp_path / "tiny" / "queries.jsonl", *QUERIES)
    qrels(tmp_path / "tiny", HEADER + "q1\td1\t2\nq1\td2\t0\nq2\t4\t1\n")
    return tmp_path / "tiny"


def lines(file, *entries):
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def qrels(folder, text, split="test"):
    (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")


def test_documents_are_articles_and_judged_queries_are_asked(folder):
    dataset = load_dataset(folder)
    assert (dataset.name, dataset.by_document) == ("tiny", True)
    assert [(article.id, article.title, article.text) for article in dataset.articles] == [
        ("d1", "Moon", "It is grey."),
        ("d2", "Sun", "Sun"),
        ("4", "", "Mars is red."),
    ]
    assert [(question.id, question.question, question.documents) for question in dataset.questions] == [
        ("q1", "grey?", {"d1": 2, "d2": 0}),
        ("q2", "red?", {"4": 1}),
    ]


def test_split_chooses_the_judgements(folder):
    qrels(folder, "q3\td1\t1\n", "dev")
    assert [question.id for question in load_dataset(folder, "dev").questions] == ["q3"]
    with pytest.raises(DataError, match=r"train\.tsv: not found; splits there: dev, test \(choose one with --split\)"):
        load_dataset(folder, "train")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("q9\td1\t1", "test.tsv:2: query 'q9' is not in queries.jsonl"),
        ("q1\td9\t1", "test.tsv:2: document 'd9' is not in corpus.jsonl"),
        ("q1\td1", "test.tsv:2: 2 columns, expected query-id, corpus-id and score between tabs"),
        ("q1\td1\thigh", "test.tsv:2: score 'high' is not a whole number"),
        ("q1\td1\t1\nq1\td1\t2", "test.tsv:3: query 'q1' and document 'd1' are judged twice"),
        ("", "there are no questions"),
    ],
)
def test_a_faulty_judgement_is_named(folder, row, reason):
    qrels(folder, HEADER + row + "\n")
    with pytest.raises(DataError) as error:
        load_dataset(folder)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("file", "entry", "reason"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "x"}', "corpus.jsonl:5: document id 'd1' is there twice"),
        ("corpus.jsonl", '{"title": "x", "text": "x"}', "corpus.jsonl:5: '_id' is missing or not text"),
        ("corpus.jsonl", '{"_id": "d9"}', "corpus.jsonl:5: 'text' is missing"),
        ("corpus.jsonl", '{"_id": "d9", ', "corpus.jsonl:5: not valid JSON"),
        ("corpus.jsonl", "[1]", "corpus.jsonl:5: expected an object, found [1]"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}', "queries.jsonl:4: query id 'q1' is there twice"),
        ("queries.jsonl", '{"_id": "q9", "text": 3}', "queries.jsonl:4: 'text' is 3, expected text"),
    ],
)
def test_a_faulty_line_is_named(folder, file, entry, reason):
    with (folder / file).open("a") as out:
        out.write(entry + "\n")
    with pytest.raises(DataError) as error:
        load_dataset(folder)
    assert reason in str(error.value)


def test_files_that_are_missing_or_not_text_are_named(folder):
    (folder / "queries.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(DataError, match=r"queries\.jsonl: not UTF-8 text"):
        load_dataset(folder)
    (folder / "queries.jsonl").unlink()
    with pytest.raises(DataError, match=r"queries\.jsonl: cannot be read: No such file"):
        load_dataset(folder)


def test_an_empty_corpus_is_refused(folder):
    lines(folder / "corpus.jsonl")
    with pytest.raises(DataError, match="the corpus is empty"):
        load_dataset(folder)
