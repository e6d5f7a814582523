"""Faulty sets and places that cannot be written: one line that names file, line or id and the reason, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder
from typer.testing import CliRunner

from qa.cli import app
from qa.errors import QAError
from qa.evaluation.journal import Journal, finished_runs

TEXT = "Apollo landed on the Moon in July 1969."
ANSWER = {"text": "July 1969", "answer_start": TEXT.index("July")}
GOLD = {"article": "moon.txt", "start": TEXT.index("July"), "end": TEXT.index("July") + 9, "text": "July 1969"}
NESTED = "[" * 100_000
FULL = Path("/dev/full")  # every write to it fails, as on a full disk


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch):
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    for module in ("qa.encoder", "qa.evaluation.runs", "qa.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda settings: FakeEncoder(settings.model))


def fault(*arguments, command="eval"):
    """The one line with which `qa eval` ends. The program prints it and exits with 1 (see tests/test_cli.py)."""
    result = CliRunner().invoke(app, [command, *map(str, arguments)])
    assert isinstance(result.exception, QAError), result.exception or result.output
    line = str(result.exception)
    assert "\n" not in line
    assert len(line) < 400
    return line


def write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def squad(changes):
    question = {"id": "q1", "question": "When did Apollo land?", "answers": [ANSWER]} | changes.pop("question", {})
    paragraph = {"context": TEXT, "qas": [question]} | changes.pop("paragraph", {})
    return json.dumps({"data": [{"title": "Moon", "paragraphs": [paragraph]} | changes]})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (squad({"title": None}), "data[0]: 'title' is None, expected text"),
        (squad({"paragraphs": None}), "data[0]: 'paragraphs' is None, expected a list"),
        (squad({"paragraphs": [None]}), "data[0].paragraphs[0]: expected an object, found None"),
        (squad({"paragraph": {"context": None}}), "data[0].paragraphs[0]: 'context' is None, expected text"),
        (squad({"paragraph": {"qas": None}}), "data[0].paragraphs[0]: 'qas' is None, expected a list"),
        (squad({"question": {"id": None}}), "paragraphs[0].qas: 'id' is None, expected text"),
        (squad({"question": {"id": " "}}), "paragraphs[0].qas: 'id' is empty"),
        (squad({"question": {"question": None}}), "question 'q1': 'question' is None, expected text"),
        (squad({"question": {"answers": None}}), "question 'q1': 'answers' is None, expected a list"),
        (squad({"question": {"answers": [None]}}), "question 'q1': expected an object, found None"),
        (squad({"question": {"answers": [ANSWER | {"text": None}]}}), "question 'q1': 'text' is None, expected text"),
        (squad({"question": {"answers": [ANSWER | {"answer_start": None}]}}), "'answer_start' is None, expected a whole number"),
        (squad({"question": {"answers": [ANSWER | {"answer_start": 10**30}]}}), "is outside its paragraph (39 characters)"),
        (squad({"question": {"is_impossible": None}}), "'is_impossible' is None, expected true or false"),
        (squad({"question": {"is_impossible": "false"}}), "'is_impossible' is 'false', expected true or false"),
        (squad({"question": {"question": "\ud800?"}}), "'question' has half of a surrogate pair"),
        ('{"data": null}', "'data' is None, expected a list"),
        ('{"data": [null]}', "data[0]: expected an object, found None"),
        ("", "not a SQuAD file: Expecting value"),
        ("x" * 5_000_000, "not a SQuAD file: Expecting value"),
        (NESTED, "not a SQuAD file: maximum recursion depth"),
        ('{"data": [' + "9" * 5000 + "]}", "not a SQuAD file: Exceeds the limit"),
        ("\ufeff{}", "'data' is missing"),
        (b'{"data": "caf\xe9"}', "not UTF-8 text: invalid continuation byte at byte 13"),
        ("{}".encode("utf-16"), "not UTF-8 text: invalid start byte at byte 0"),
    ],
)
def test_a_faulty_squad_file(tmp_path, content, reason):
    line = fault(write(tmp_path / "squad.json", content))
    assert line.startswith(f"{tmp_path / 'squad.json'}: ")
    assert reason in line
    assert not (tmp_path / "index").exists()


def own(folder, questions):
    write(folder / "articles" / "moon.txt", TEXT)
    write(folder / "questions.jsonl", questions)
    return folder


def question(**changes):
    return json.dumps({"id": "q1", "question": "When did Apollo land?", "gold": [GOLD], **changes}) + "\n"


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        (question() + question(id="q2", turns=None), "questions.jsonl:2 question 'q2': 'turns' is None, expected a list"),
        (question(gold=None), "questions.jsonl:1 question 'q1': 'gold' is None, expected a list"),
        (question(gold=[GOLD | {"start": None}]), "question 'q1': 'start' is None, expected a whole number"),
        (question(gold=[GOLD | {"end": 999}]), "ends at 999, beyond the end of 'moon.txt' (39 characters)"),
        (question(gold=[GOLD | {"end": 3}]), "question 'q1': answer 'July 1969' has start 29 and end 3"),
        (question(id=None), "questions.jsonl:1: 'id' is None, expected text"),
        (question() + question(), "question id 'q1' is there twice"),
        (question(turns=[{"question": "\udfff", "answer": ""}]), "'question' has half of a surrogate pair"),
        ("\n\n" + NESTED, "questions.jsonl:3: not valid JSON: maximum recursion depth"),
        ("x" * 5_000_000, "questions.jsonl:1: not valid JSON: Expecting value"),
        (b'{"id": "\xe9"}', "questions.jsonl: not UTF-8 text: invalid continuation byte at byte 8"),
        ("", "there are no questions"),
    ],
)
def test_a_faulty_set_of_our_own_form(tmp_path, questions, reason):
    line = fault(own(tmp_path / "set", questions))
    assert line.startswith(str(tmp_path / "set"))
    assert reason in line


def beir(folder, **files):
    contents = {"corpus": '{"_id": "d1", "text": "The Moon."}\n', "queries": '{"_id": "q1", "text": "Moon?"}\n', "qrels": "q1\td1\t1\n"}
    for name, content in (contents | files).items():
        write(folder / ("qrels/test.tsv" if name == "qrels" else f"{name}.jsonl"), content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("corpus", '{"text": "No id."}\n', "corpus.jsonl:1: '_id' is missing or not text"),
        ("corpus", '{"_id": null, "text": "No id."}\n', "corpus.jsonl:1: '_id' is missing or not text"),
        ("corpus", '{"_id": "d1", "text": null}\n', "corpus.jsonl:1: 'text' is None, expected text"),
        ("corpus", '{"_id": "d1", "text": "", "title": ["x"]}\n', "corpus.jsonl:1: 'title' is ['x'], expected text"),
        ("corpus", '{"_id": "\\ud800", "text": "x"}\n', "corpus.jsonl:1: '_id' has half of a surrogate pair"),
        ("corpus", "\n" + NESTED, "corpus.jsonl:2: not valid JSON: maximum recursion depth"),
        ("corpus", "", "corpus.jsonl: the corpus is empty"),
        ("queries", '{"_id": "q1", "text": null}\n', "queries.jsonl:1: 'text' is None, expected text"),
        ("qrels", "q1\td9\t1\n", "test.tsv:1: document 'd9' is not in corpus.jsonl"),
        ("qrels", f"q1\t{'d' * 200_000}\t1\n", "test.tsv:1: document 'ddd"),
        ("qrels", "q1 0 d1 1\n", "test.tsv:1: 1 columns, expected query-id, corpus-id and score between tabs"),
        ("qrels", "q1\td1\t1.0\n", "test.tsv:1: score '1.0' is not a whole number"),
        ("qrels", b"q1\td\xe9\t1\n", "test.tsv: not UTF-8 text: invalid continuation byte at byte 4"),
        ("qrels", "q1\td1\t1\n".encode("utf-16"), "test.tsv: not UTF-8 text"),
    ],
)
def test_a_faulty_beir_folder(tmp_path, name, content, reason):
    line = fault(beir(tmp_path / "set", **{name: content}))
    assert line.startswith(str(tmp_path / "set"))
    assert reason in line


@pytest.mark.parametrize(
    ("make", "file", "reason"),
    [
        (lambda folder: own(folder, question()), "questions.jsonl", "Is a directory"),
        (beir, "corpus.jsonl", "Is a directory"),
        (beir, "queries.jsonl", "Is a directory"),
        (beir, "qrels/test.tsv", "not found; splits there: test"),
    ],
)
def test_a_folder_where_a_file_is_expected(tmp_path, make, file, reason):
    folder = make(tmp_path / "set")
    (folder / file).unlink()
    (folder / file).mkdir()
    assert fault(folder).startswith(f"{folder / file}: ")
    assert reason in fault(folder)


@pytest.mark.parametrize(
    ("make", "file"), [(lambda folder: own(folder, question()), "questions.jsonl"), (beir, "corpus.jsonl"), (beir, "queries.jsonl")]
)
def test_a_file_that_is_missing_from_a_folder(tmp_path, make, file):
    folder = make(tmp_path / "set")
    (folder / file).unlink()
    assert fault(folder) == f"{folder / file}: cannot be read: No such file or directory"


def test_a_byte_order_mark_and_other_line_ends_are_no_faults(tmp_path):
    own(tmp_path / "own", "\ufeff" + question().replace("\n", "\r\n"))
    beir(tmp_path / "beir", corpus='\ufeff{"_id": "d1", "text": "x"}\r\n', qrels="\ufeffquery-id\tcorpus-id\tscore\r\nq1\td1\t1\r\n")
    write(tmp_path / "squad.json", "\ufeff" + squad({}))
    done = CliRunner().invoke(app, ["eval", *(str(tmp_path / name) for name in ("own", "beir", "squad.json")), "--json"])
    assert [run["questions"] for run in json.loads(done.stdout)["runs"]] == [1, 1, 1]


# Places that cannot be written, and files of our own that are damaged


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("option", ["--details", "--html"])
def test_a_report_on_a_full_disk_is_named_and_the_run_is_kept(tmp_path, option):
    folder = own(tmp_path / "set", question())
    assert fault(folder, option, FULL) == f"/dev/full cannot be written: No space left on device (give {option} another file)"
    assert CliRunner().invoke(app, ["eval", str(folder)]).exit_code == 0
    assert finished_runs(tmp_path / "index" / "eval")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_run_on_a_full_disk_says_so(tmp_path, monkeypatch):
    opened = Journal.__init__

    def full(journal, *arguments):
        opened(journal, *arguments)
        journal._file.close()
        journal._file = FULL.open("w")

    monkeypatch.setattr(Journal, "__init__", full)
    line = fault(own(tmp_path / "set", question()))
    assert line == "index/eval/runs cannot be written: No space left on device (make room, or give another place with --index)"


def test_a_file_where_the_indexes_go_is_named(tmp_path):
    write(tmp_path / "index" / "eval", "in the way")
    assert "cannot be written: Not a directory (give another place with --index)" in fault(own(tmp_path / "set", question()))


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"floors": {}}', b"\xff"])
def test_a_damaged_baseline_is_named_with_the_command_that_makes_it(tmp_path, content):
    folder = own(tmp_path / "set", question())
    write(folder / "baseline.json", content)
    line = fault(folder, "--gate")
    assert line.startswith(f"{folder / 'baseline.json'} is missing or damaged")
    assert "qa baseline" in line
