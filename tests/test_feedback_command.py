"""`qa feedback` as a program, up to `qa eval` and `qa calibrate` on what it exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder, article
from typer.testing import CliRunner, Result

from qa.cli import app
from qa.config import Config
from qa.errors import StoreError
from qa.feedback import Feedback, Judgement, Place

TEXT = "The tower was built in 1889.\n\nFollow us on Twitter"
WORDS = (TEXT.index("1889"), TEXT.index("1889") + 4)


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch):
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    for module in ("qa.encoder", "qa.evaluation.runs", "qa.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda settings: FakeEncoder(settings.model))


@pytest.fixture
def kept(filled) -> Feedback:
    config: Config = filled(article("tower", TEXT), article("paint", "Painters paint it."))
    feedback = Feedback(config.index.path)
    place = Place("tower", *WORDS, "1889", "x")
    feedback.add(Judgement("words", "When was the tower built?", "When was the tower built?", places=(place,), reader="me"))
    feedback.add(Judgement("right", "Who sings?", "Who sings?", reader="me"))
    return feedback


def run(kept: Feedback, *arguments: object, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments), "--index", str(kept.file.parent)], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_what_is_exported_can_be_evaluated(kept):
    report = json.loads(run(kept, "feedback", "export", "set", "--split", "dev", "--json").stdout)
    assert (report["folder"], report["questions"], report["articles"]) == ("set", 2, 2)
    result = json.loads(run(kept, "eval", "set", "--split", "dev", "--json", "--html", "report.html").stdout)
    assert (result["questions"], result["unanswerable"], result["articles"]) == (2, 1, 2)
    assert result["metrics"]["R@1"] == 1.0


def test_a_report_in_words(kept):
    kept.add(Judgement("wrong", "Who\nbuilt it?", "Who built it?", answer="Ann"))
    done = run(kept, "feedback", "export", "set")
    assert done.stdout == "2 questions (0 marked_right, 1 selected_words, 1 marked_refusal) and 2 articles in set\n"
    assert done.stderr == "left out Who built it?: marked wrong, and nobody has shown the right words\n"


def test_nothing_to_export_ends_with_1(kept):
    run(kept, "feedback", "clear", "--yes")
    done = run(kept, "feedback", "export", "set", code=1)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert done.stderr.startswith("qa: nothing to export: ")
    assert not Path("set").exists()


def test_another_split_is_wrong_usage(kept):
    assert "neither dev nor test" in run(kept, "feedback", "export", "set", "--split", "train", code=2).stderr


def test_the_list_obeys_no_terminal_codes(kept):
    kept.add(Judgement("right", "Who?", "Who \x1b[31mis\nred?", answer="Ann\x07"))
    lines = run(kept, "feedback", "list").stdout.splitlines()
    assert [line[18:] for line in lines] == [
        "words      When was the tower built?  “1889”",
        "right      Who sings?  the articles don't say",
        "right      Who  [31mis red?  “Ann ”",
    ]


def test_the_list_as_json(kept):
    first = json.loads(run(kept, "feedback", "list", "--json").stdout)[0]
    assert first["places"] == [{"article_id": "tower", "start": WORDS[0], "end": WORDS[1], "quote": "1889", "sha256": "x"}]


def test_clear_asks(kept):
    run(kept, "feedback", "clear", stdin="n\n", code=1)
    assert len(kept.judgements()) == 2
    assert "Delete 2 marks from" in run(kept, "feedback", "clear", stdin="y\n").stdout
    assert kept.judgements() == []


@pytest.mark.parametrize("command", [["export", "set"], ["list"], ["clear", "--yes"]])
def test_a_damaged_file_is_one_line(kept, command):
    for file in kept.file.parent.glob("feedback.sqlite*"):
        file.write_bytes(b"damaged" * 1000)
    with pytest.raises(StoreError, match=r"feedback.sqlite is damaged: .* \(move it away, and a new one is begun\)$"):
        run(kept, "feedback", *command)
