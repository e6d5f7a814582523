"""Everything that `qa eval` prints, against a scorer that reads the same files and knows nothing of qa: equal to 1e-6, same counts."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from evaluation.scorer import compute_f1, official, rank_of, read_squad, score_beir, score_squad
from fakes import FakeEncoder
from scipy.stats import bootstrap
from typer.testing import CliRunner

from qa.cli import app

COUNTS = {"questions", "answerable", "unanswerable"}

# Paragraphs by title. A title that comes again, Unicode beyond the first plane, punctuation and articles in answers.
MOON = [
    "Apollo 11 landed on the Moon on 20 July 1969. Neil Armstrong, a pilot, was the first man to walk there; Buzz Aldrin followed.",
    "The Moon has no air. 🌕 Its days last for about four weeks, and its nights are as long. Moonquakes are weak.",
]
BRIDGE = [
    "The Humber Bridge was opened by the Queen in 1981. It cost £98 million. For 16 years it was the world's longest.",
    "“A bridge too far,” said Mr. O'Hara of it. He was wrong.",
]
BRIDGE_AGAIN = ["The Old Bridge fell in 1737. Nobody was hurt.", "A new one, of stone, cost £1,200.50. It stands."]
WHALES = ["Whales sing. Blue whales eat krill, up to 3.6 tonnes a day! Krill eat algae.", "A whale's heart weighs 180 kg (400 lb)."]

# title, paragraph, question, answers; none: unanswerable
ASKED = [
    ("Moon", 0, "When did Apollo 11 land on the Moon?", ["20 July 1969", "July 1969", "1969"]),
    ("Moon", 0, "Who was the first man to walk on the Moon?", ["Neil Armstrong", "Neil Armstrong, a pilot,"]),
    ("Moon", 0, "Who followed Armstrong?", ["Buzz Aldrin"]),
    ("Moon", 1, "How long do days last on the Moon?", ["about four weeks", "four weeks"]),
    ("Moon", 1, "Has the Moon air?", ["The Moon has no air."]),
    ("Moon", 1, "Are moonquakes weak?", ["Moonquakes are weak."]),
    ("Moon", 0, "Who was the first woman on the Moon?", []),
    ("Moon", 1, "Which colour has the Moon's sky?", []),
    ("The_Bridge", 0, "Who opened the Humber Bridge?", ["the Queen", "Queen"]),
    ("The_Bridge", 0, "What did the Humber Bridge cost?", ["£98 million", "98 million"]),
    ("The_Bridge", 1, "Who said that it was a bridge too far?", ["Mr. O'Hara", "O'Hara"]),
    ("The_Bridge", 1, "What did Mr. O'Hara say?", ["“A bridge too far,”", "A bridge too far"]),
    ("The_Bridge", 1, "Was Mr. O'Hara right?", ["He was wrong."]),
    ("The_Bridge", 0, "Who designed the Humber Bridge?", []),
    ("The_Bridge again", 0, "When did the Old Bridge fall?", ["1737", "in 1737"]),
    ("The_Bridge again", 0, "Who was hurt?", ["Nobody was hurt.", "Nobody"]),
    ("The_Bridge again", 1, "What did the new one of stone cost?", ["£1,200.50"]),
    ("The_Bridge again", 1, "Does it stand?", ["It stands."]),
    ("The_Bridge again", 1, "Who paid for the stone?", []),
    ("Whales", 0, "Do whales sing?", ["Whales sing."]),
    ("Whales", 0, "What do blue whales eat?", ["krill", "krill, up to 3.6 tonnes a day"]),
    ("Whales", 0, "What does krill eat?", ["algae"]),
    ("Whales", 1, "What does a whale's heart weigh?", ["180 kg", "180 kg (400 lb)", "400 lb"]),
    ("Whales", 1, "How fast does a whale's heart beat?", []),
    ("Whales", 0, "Who sings to krill?", []),
]
PARAGRAPHS = {"Moon": MOON, "The_Bridge": BRIDGE, "The_Bridge again": BRIDGE_AGAIN, "Whales": WHALES}


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch):
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    for module in ("qa.encoder", "qa.evaluation.runs", "qa.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda settings: FakeEncoder(settings.model))


@pytest.fixture
def squad(tmp_path):
    data = []
    for title, paragraphs in PARAGRAPHS.items():
        parts = [{"context": text, "qas": []} for text in paragraphs]
        for number, (of, part, question, answers) in enumerate(ASKED):
            if of == title:
                golds = [{"text": text, "answer_start": paragraphs[part].index(text)} for text in answers]
                parts[part]["qas"].append({"id": f"q{number}", "question": question, "answers": golds, "is_impossible": not golds})
        data.append({"title": title.removesuffix(" again"), "paragraphs": parts})
    (tmp_path / "squad.json").write_text(json.dumps({"version": "v2.0", "data": data}), encoding="utf-8")
    return tmp_path / "squad.json"


@pytest.fixture
def beir(tmp_path):
    """Long documents of many passages, graded, with several that are relevant to a query, and copies among them."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    texts = [text for paragraphs in PARAGRAPHS.values() for text in paragraphs]
    documents = {f"d{n}": "\n\n".join(texts[n % len(texts) :] + texts[: n % 3]) for n in range(14)} | {"title only": ""}
    write_lines(folder / "corpus.jsonl", ({"_id": key, "title": f"Number {key}", "text": text} for key, text in documents.items()))
    write_lines(folder / "queries.jsonl", ({"_id": f"q{n}", "text": question} for n, (_, _, question, _) in enumerate(ASKED)))
    rows = [f"q{n}\td{d}\t{(n * 7 + d * 3) % 4}" for n in range(len(ASKED) - 2) for d in range(14) if (n + d) % 3]
    rows += ["q23\td1\t0", "q24\ttitle only\t1", "q24\td2\t-1"]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n")
    return folder


def write_lines(file, entries):
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def evaluated(path, *options):
    """What `qa eval --json` prints, and its details."""
    details = path.parent / "details.jsonl"
    done = CliRunner().invoke(app, ["eval", str(path), "--json", "--details", str(details), *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), [json.loads(line) for line in details.read_text(encoding="utf-8").splitlines()]


def check(result, expected):
    assert {name: result[name] for name in COUNTS & set(expected)} == {name: expected[name] for name in COUNTS & set(expected)}
    names = set(expected) - COUNTS
    assert {name: result["metrics"][name] for name in names} == {name: approximately(expected[name]) for name in names}


def approximately(value):
    return None if value is None else pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("threshold", ["0", "0.4", "1"])
def test_a_squad_file_with_answers_given_and_withheld(squad, monkeypatch, threshold):
    monkeypatch.setenv("QA_READER__THRESHOLD", threshold)
    result, lines = evaluated(squad)
    expected = score_squad(squad, lines)
    check(result, expected)
    assert set(expected) - COUNTS == set(result["metrics"])
    given, withheld = [line for line in lines if line["answer"]], [line for line in lines if "withheld" in line]
    if threshold == "0.4":
        assert given
        assert withheld
        assert 0 < result["metrics"]["no_answer_EM"] < 1
        assert result["metrics"]["EM_forced"] > 0


def test_a_sample_is_scored_over_its_own_questions(squad):
    result, lines = evaluated(squad, "--sample", "9", "--seed", "2")
    check(result, score_squad(squad, lines, ids={line["id"] for line in lines}))
    assert result["questions"] == 9


def test_a_beir_folder_with_grades_and_several_relevant_documents(beir):
    result, lines = evaluated(beir)
    check(result, score_beir(beir, lines))
    assert 0 < result["metrics"]["R@5"] < 1
    assert 0 < result["metrics"]["nDCG@10"] < 1


@pytest.mark.parametrize(("sweep", "measure"), [("retrieval.dense_weight=0,1", "RR@10"), ("reader.threshold=0.3,0.5", "no_answer_F1")])
def test_the_significance_of_a_comparison(squad, monkeypatch, sweep, measure):
    """p by trying every way to flip the signs, the interval by scipy's bootstrap, both from the details of the two runs."""
    monkeypatch.setenv("QA_PASSAGES__SIZE", "16")
    document, lines = evaluated(squad, "--sweep", sweep)
    runs = [{line["id"]: line for line in lines if line["run"] == result["run"]} for result in document["runs"]]
    first, second = (list(values_of(measure, list(read_squad(squad)), run)) for run in runs)
    difference = np.subtract(second, first)
    row = document["comparisons"][0]["metrics"][measure]
    assert row["difference"] == pytest.approx(difference.mean(), abs=1e-6)
    moved = difference[difference != 0]
    assert 0 < moved.size <= 18
    flipped = [abs(np.dot(signs, moved)) for signs in itertools.product((-1, 1), repeat=moved.size)]
    exact = np.mean([total >= abs(moved.sum()) - 1e-9 for total in flipped])
    assert row["p"] == pytest.approx(exact, abs=1e-6 if moved.size <= 13 else 0.02)
    expected = bootstrap((difference,), np.mean, method="percentile", n_resamples=9999, rng=1).confidence_interval
    assert row["interval"] == pytest.approx(expected, abs=0.4 * difference.std() / difference.size**0.5)


def values_of(measure, questions, run):
    for question in questions:
        line = run[question["id"]]
        if measure == "no_answer_F1":
            yield official(question, {question["id"]: line["answer"] or ""}, compute_f1)
        elif question["spans"]:
            yield 1 / rank_of(question["spans"], line["hits"])
