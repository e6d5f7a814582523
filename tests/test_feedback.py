"""What readers say is kept: by several processes at once, in a file of its own, and told plainly when it cannot be."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEncoder, article

from qa.config import Config
from qa.datatypes import Turn
from qa.errors import StoreError
from qa.feedback import FILE, VERSION, Feedback, Judgement, Place, settings_fingerprint
from qa.indexer import index_articles

ROOT = Path(__file__).parent.parent
JUDGEMENT = Judgement(
    "right",
    "When was it built?",
    "When was the tower built?",
    (Turn("Who built the tower?", "Eiffel"), Turn("Really?")),
    "1889",
    0.75,
    (Place("tower", 4, 8, "1889", "a" * 64), Place("copy", 9, 13, "1889", "b" * 64)),
    True,
    "reader",
    "settings",
)


@pytest.fixture
def feedback(tmp_path: Path) -> Feedback:
    return Feedback(tmp_path)


def test_a_judgement_comes_back_as_it_was_with_its_time(feedback):
    feedback.add(JUDGEMENT)
    feedback.add(Judgement("withdrawn", "Why?", "Why?"))
    first, second = feedback.judgements()
    assert first.at.startswith("20") and first.at.endswith("+00:00")
    assert [timeless(first), timeless(second)] == [JUDGEMENT, Judgement("withdrawn", "Why?", "Why?")]


def timeless(judgement: Judgement) -> Judgement:
    """Without the time."""
    return replace(judgement, at="")


def test_nothing_is_there_before_the_first_judgement(feedback):
    assert feedback.judgements() == []
    assert feedback.clear() == 0
    assert not feedback.file.exists()


def test_clearing_leaves_nothing_on_the_disk(feedback):
    feedback.add(JUDGEMENT)
    assert b"When was the tower built?" in everything(feedback)
    assert feedback.clear() == 1
    assert feedback.judgements() == []
    assert b"tower" not in everything(feedback)


def everything(feedback: Feedback) -> bytes:
    return b"".join(file.read_bytes() for file in feedback.file.parent.glob(f"{FILE}*"))


def test_two_processes_that_begin_and_write_at_once_lose_nothing(feedback):
    script = """
import sys
from pathlib import Path
from qa.feedback import Feedback, Judgement
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    Feedback(Path(sys.argv[1])).add(Judgement("right", f"{sys.argv[2]} {number}", "?"))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])}
    command = [sys.executable, "-c", script, str(feedback.file.parent)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writers = [subprocess.Popen([*command, name], text=True, env=environment, **pipes) for name in ("one", "two")]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 2
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    kept = {judgement.question for judgement in feedback.judgements()}
    assert kept == {f"{name} {number}" for name in ("one", "two") for number in range(50)}


def test_a_damaged_file_is_one_line_with_the_way_out(feedback):
    feedback.file.write_bytes(b"not a database at all" * 100)
    told = rf"{FILE} is damaged: file is not a database \(move it away, and a new one is begun\)$"
    for use in (feedback.judgements, feedback.clear, lambda: feedback.add(JUDGEMENT)):
        with pytest.raises(StoreError, match=told):
            use()
    feedback.file.unlink()
    feedback.add(JUDGEMENT)
    assert len(feedback.judgements()) == 1


def test_what_is_in_it_and_not_ours_is_damage_too(feedback):
    feedback.add(JUDGEMENT)
    with closing(sqlite3.connect(feedback.file)) as db, db:
        db.execute("UPDATE judgements SET turns = '[[1'")
    with pytest.raises(StoreError, match="is damaged: "):
        feedback.judgements()


def test_damage_is_told_in_one_line_though_sqlite_takes_several(feedback):
    feedback.add(JUDGEMENT)
    feedback.file.write_bytes(feedback.file.read_bytes().replace(b"CREATE TABLE judgements (", b'CREATE TABLE judgements "'))
    with pytest.raises(StoreError, match=r"^[^\n]+ is damaged: malformed [^\n]+\(move it away, and a new one is begun\)$"):
        feedback.judgements()


def test_a_newer_file_is_left_alone(feedback):
    feedback.add(JUDGEMENT)
    with closing(sqlite3.connect(feedback.file)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = everything(feedback)
    told = rf"is of version {VERSION + 1}, and this qa reads {VERSION} \(update qa, or move that file away\)$"
    for use in (feedback.judgements, feedback.clear, lambda: feedback.add(JUDGEMENT)):
        with pytest.raises(StoreError, match=told):
            use()
    assert everything(feedback) == before


def test_a_file_that_is_full_takes_no_more(feedback, monkeypatch):
    monkeypatch.setattr("qa.feedback.MOST", 1)
    feedback.add(JUDGEMENT)
    with pytest.raises(StoreError, match="is full: 1 marks"):
        feedback.add(JUDGEMENT)


def test_indexing_anew_keeps_it(config):
    index_articles(config, [article("a", "Red apples.")], encoder=FakeEncoder())
    Feedback(config.index.path).add(JUDGEMENT)
    for file in config.index.path.glob("articles.sqlite*"):
        file.unlink()
    index_articles(config, [article("b", "Green apples.")], encoder=FakeEncoder())
    assert len(Feedback(config.index.path).judgements()) == 1


def test_the_fingerprint_is_of_what_can_change_an_answer():
    plain = settings_fingerprint(Config())
    assert settings_fingerprint(Config().replace("ui.port", 1).replace("index.path", "x")) == plain
    assert settings_fingerprint(Config().replace("retrieval.dense_weight", 0.1)) != plain
