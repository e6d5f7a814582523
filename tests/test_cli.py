"""The commands, as programs see them: documents on standard output, one line for an error, exit codes 0, 1 and 2."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes import FakeEncoder

from qa import cli
from qa.articles import file_id

ROOT = Path(__file__).parent.parent


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def qa(real_qa, monkeypatch) -> Run:
    """`qa("ask", "Who?")` runs the program in this process, with the fake encoder."""
    monkeypatch.setattr("qa.indexer.load_encoder", lambda settings: FakeEncoder())
    monkeypatch.setattr("qa.pipeline.load_encoder", lambda settings: FakeEncoder())
    monkeypatch.setenv("QA_READER__MODEL", "sentence")
    return real_qa


@pytest.fixture
def real_qa(monkeypatch, capsys) -> Run:
    """The same with the model that the settings name."""

    def run(*arguments: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["qa", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "news"
    place.mkdir()
    (place / "moon.md").write_text(
        "---\ntitle: Moon landing\nauthor: Ann Lee\ndate: 1969-07-21\nurl: https://news.org/moon\n---\n\n"
        "It was late in the day. Neil Armstrong stepped onto the Moon. Crowds cheered in the streets.\n"
    )
    (place / "river.txt").write_text("The Rhine\n\nThe river Rhine is long. It flows north to the sea.\n")
    return place


@pytest.fixture
def indexed(qa: Run, folder: Path) -> Run:
    assert qa("index", folder).code == 0
    return qa


def test_vectors_of_a_listed_encoder_are_added_by_name(indexed, folder, monkeypatch, tmp_path):
    monkeypatch.setattr("qa.encoder.load_encoder", lambda settings: FakeEncoder("two") if settings.model == "second" else FakeEncoder())
    (tmp_path / "qa.toml").write_text("[embedding]\nothers = ['first', 'second']")
    report = document(indexed("index", "--encoder", "second", "--json"))
    assert (report["encoded"], report["unchanged"]) == (2, 0)
    covered = {one["fingerprint"]: one["passages"] for one in document(indexed("info", "--json"))["encoders"]}
    assert covered == {"fa4e": 2, "two": 2}
    assert indexed("index", "--encoder", "third").err == (
        "qa: embedding.others does not list third (listed: all-MiniLM-L6-v2, first, second)\n"
    )
    assert indexed("index", folder, "--encoder", "second").code == 2


def document(done: Done) -> object:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def error(done: Done) -> str:
    """The one line of a user's problem."""
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("qa: ") and done.err.count("\n") == 1 and "Traceback" not in done.err
    return done.err.strip()


def test_index_reports_what_it_did(qa, folder):
    told = document(qa("index", folder, "--json"))
    moon, river = file_id(folder / "moon.md"), file_id(folder / "river.txt")
    assert told == {
        "added": [moon, river], "changed": [], "unchanged": 0, "removed": [], "refused": [], "duplicates": [],
        "passages": 2, "encoded": 2, "seconds": told["seconds"],
    }  # fmt: skip
    (folder / "river.txt").unlink()
    done = qa("index", folder, "--prune")
    assert done.out.startswith("0 added, 0 changed, 1 unchanged, 1 removed, 0 refused: 1 passages in index/default,")


def test_index_names_refused_files_and_succeeds_when_one_could_be_read(qa, folder):
    (folder / "empty.txt").touch()
    done = qa("index", folder, "--json")
    assert done.code == 0
    assert json.loads(done.out)["refused"] == [{"path": str(folder / "empty.txt"), "reason": "empty"}]
    assert done.err == f"refused {folder / 'empty.txt'}: empty\n"
    assert qa("index", folder).code == 0


def test_index_fails_when_nothing_could_be_read(qa, folder):
    done = qa("index", folder / "nothing", "--json")
    assert (done.code, json.loads(done.out)["added"]) == (1, [])
    assert done.err == f"refused {folder / 'nothing'}: there is no such file or folder\n"


def test_index_without_paths_is_for_folders_of_earlier_runs(indexed, folder):
    (folder / "sun.txt").write_text("The sun\n\nThe sun is hot and bright and far away.\n")
    assert document(indexed("index", "--json"))["added"] == [file_id(folder / "sun.txt")]


def test_index_without_paths_and_index_is_an_error(qa):
    assert error(qa("index")) == "qa: no index in index/default (make one: qa index PATH… --index index/default)"


CITATION = {"number", "article_id", "title", "author", "published", "source", "start", "end", "quote", "excerpt", "score"}
MORE = {"url", "span", "also_in"}


def test_ask_gives_the_document_of_the_contract(indexed, folder):
    told = document(indexed("ask", "Who stepped onto the Moon?", "--json"))
    assert set(told) == {"question", "standalone_question", "answer", "citations", "alternatives", "timings_ms"}
    assert told["question"] == told["standalone_question"] == "Who stepped onto the Moon?"
    assert set(told["answer"]) == {"text", "confidence", "citations"}
    assert (told["answer"]["text"], told["answer"]["citations"]) == ("Neil Armstrong stepped onto the Moon.", [1])
    assert all(set(each) == CITATION | MORE for each in told["citations"])
    first = told["citations"][0]
    assert (first["article_id"], first["title"], first["author"], first["published"], first["source"]) == (
        file_id(folder / "moon.md"), "Moon landing", "Ann Lee", "1969-07-21", "news.org",
    )  # fmt: skip
    (shown,) = document(indexed("show", first["article_id"], "--json"))
    assert shown["text"][first["start"] : first["end"]] == first["quote"] == "Neil Armstrong stepped onto the Moon."
    assert all(set(each) == {"text", "confidence", "citations"} for each in told["alternatives"])
    assert set(told["timings_ms"]) == {"encode", "retrieve", "read", "total"}


def test_ask_says_when_the_articles_do_not(indexed, monkeypatch):
    monkeypatch.setenv("QA_READER__THRESHOLD", "1")
    told = document(indexed("ask", "Who stepped onto the Moon?", "--json"))
    assert told["answer"] is None and told["alternatives"] == []
    assert [each["number"] for each in told["citations"]] == [1, 2]
    assert indexed("ask", "Who stepped onto the Moon?").out.startswith("The articles don't say. The closest passages:")


def test_ask_prints_the_answer_and_its_quotes(indexed):
    out = indexed("ask", "Who stepped onto the Moon?").out
    assert out.startswith("“Neil Armstrong stepped onto the Moon.”  (")
    assert "[1] Ann Lee, “Moon landing”, news.org, 21 July 1969, https://news.org/moon." in out


def test_ask_filters(indexed):
    for options in (["--source", "NEWS.ORG"], ["--author", "lee"], ["--since", "1969-07-21"], ["--until", "1969-07-21"]):
        assert {each["title"] for each in document(indexed("ask", "Rhine?", "--json", *options))["citations"]} == {"Moon landing"}
    assert document(indexed("ask", "Rhine?", "--json", "--since", "1970-01-01"))["citations"] == []


def test_ask_reads_a_question_a_line(indexed):
    done = indexed("ask", "--json", "-", stdin="Who stepped onto the Moon?\n\nWhere does the Rhine flow?\nno newline at the end")
    assert (done.code, done.err) == (0, "")
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [each["question"] for each in told] == ["Who stepped onto the Moon?", "", "Where does the Rhine flow?", "no newline at the end"]
    assert told[0]["answer"]["text"] == "Neil Armstrong stepped onto the Moon."
    assert told[1]["answer"] is None


def test_chat_understands_what_was_said_before(indexed):
    done = indexed("chat", stdin="Who stepped onto the Moon?\nWho cheered?\n\nnever read\n")
    assert done.code == 0
    assert "Neil Armstrong stepped onto the Moon." in done.out and "Crowds cheered in the streets." in done.out


def test_list_gives_the_document_of_the_contract(indexed, folder):
    moon, river = document(indexed("list", "--json"))
    keys = {"id", "title", "author", "published", "source", "path", "passages", "sha256"}
    assert set(moon) == set(river) == keys | {"url", "copy_of"}
    assert (moon["id"], moon["title"], moon["published"], moon["path"], moon["passages"]) == (
        file_id(folder / "moon.md"), "Moon landing", "1969-07-21", str(folder / "moon.md"), 1,
    )  # fmt: skip
    assert indexed("list").out.splitlines()[0] == f"{moon['id']}  1969-07-21  news.org  Moon landing"


def test_show_gives_articles_in_the_order_asked_for(indexed, folder):
    ids = [file_id(folder / name) for name in ("river.txt", "moon.md")]
    told = document(indexed("show", *ids, "--json"))
    assert [each["id"] for each in told] == ids
    assert told[0]["text"] == "The river Rhine is long. It flows north to the sea."
    assert indexed("show", ids[1]).out.startswith("Moon landing\nAnn Lee · 1969-07-21 · news.org\n\nIt was late")


def test_remove_takes_articles_out(indexed, folder):
    moon = file_id(folder / "moon.md")
    assert indexed("remove", moon) == Done(0, f"removed {moon}\n", "")
    assert error(indexed("remove", moon)) == f"qa: no article {moon} in index/default (see: qa list)"
    assert error(indexed("show", moon)) == f"qa: no article {moon} in index/default (see: qa list)"
    assert len(document(indexed("list", "--json"))) == 1


def test_info_says_what_is_there(indexed):
    told = document(indexed("info", "--json"))
    assert (told["articles"], told["passages"], told["encoders"][0]["name"]) == (2, 2, "fake")
    assert "articles         2\n" in indexed("info").out


def test_info_checks_the_index_and_repair_mends_it(indexed, monkeypatch):
    monkeypatch.setattr("qa.encoder.load_encoder", lambda settings: FakeEncoder())
    assert "checked          no fault\n" in indexed("info", "--check").out
    assert indexed("repair") == Done(0, "nothing to mend: the index is whole\n", "")
    (path,) = Path("index/default").glob("vectors-*.safetensors")
    path.write_bytes(path.read_bytes()[:-9])
    code, out, err = indexed("info", "--check", "--json")
    assert (code, err) == (1, "qa: 1 faults in index/default (mend them: qa repair --index index/default)\n")
    assert [fault["part"] for fault in json.loads(out)["faults"]] == ["faiss"]
    assert indexed("repair").out == f"{path.name} is made anew from the stored vectors when it is needed\n"
    assert indexed("info", "--check").code == 0


def test_info_names_what_was_refused(indexed, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    refused = json.loads(indexed("index", tmp_path / "empty.txt", "--json").out)["refused"]
    assert [Path(refusal["path"]).name for refusal in refused] == ["empty.txt"]
    assert document(indexed("info", "--json"))["refused"] == refused
    assert f"refused          {refused[0]['path']}: {refused[0]['reason']}\n" in indexed("info").out


def test_config_shows_values_and_where_they_come_from(qa, tmp_path, monkeypatch):
    (tmp_path / "a.toml").write_text("[ui]\nport = 8000\n")
    monkeypatch.setenv("QA_UI__TITLE", 'My "own"')
    rows = {row["name"]: row for row in document(qa("config", "--config", tmp_path / "a.toml", "--index", "x", "--json"))}
    assert [(rows[name]["value"], rows[name]["from"]) for name in ("ui.port", "ui.title", "index.path", "ui.host")] == [
        (8000, str(tmp_path / "a.toml")), ('My "own"', "QA_UI__TITLE"), ("x", "--index"), ("127.0.0.1", "default"),
    ]  # fmt: skip
    assert 'ui.title = "My \\"own\\""  # QA_UI__TITLE: heading of the page' in qa("config").out


@pytest.mark.parametrize(
    "command", [["ask", "Who?"], ["ask", "-"], ["chat"], ["list"], ["show", "x"], ["remove", "x"], ["info"], ["index"]]
)
def test_a_missing_index_is_one_line(qa, tmp_path, command):
    told = error(qa(*command, "--index", tmp_path / "none", stdin="Who?\n"))
    assert told == f"qa: no index in {tmp_path / 'none'} (make one: qa index PATH… --index {tmp_path / 'none'})"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", [["ask", "Who?"], ["list"], ["info"], ["config"], ["index", "."], ["serve"]])
def test_a_wrong_configuration_is_one_line(qa, tmp_path, command):
    (tmp_path / "bad.toml").write_text("[index]\npth = 'x'\n")
    told = error(qa(*command, "--config", tmp_path / "bad.toml"))
    assert told == f"qa: unknown setting index.pth in {tmp_path / 'bad.toml'}; did you mean index.path? (see: qa config)"


def test_a_wrong_model_is_one_line_and_makes_no_folder(monkeypatch, capsys, folder, tmp_path):
    monkeypatch.setenv("QA_EMBEDDING__MODEL", str(tmp_path / "no-model"))
    monkeypatch.setattr(sys, "argv", ["qa", "index", str(folder)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith(f"qa: model folder not found: {tmp_path / 'no-model'} (give an existing folder")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["ask"], ["ask", "Who?", "--since", "yesterday"], ["show"], ["list", "--what"], ["serve", "--port", "x"]]
)
def test_wrong_usage_ends_with_2(qa, arguments):
    done = qa(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


# As a process of its own


def program(*arguments: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", START, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **environment})


def piped(*arguments: str) -> subprocess.Popen[bytes]:
    """A `qa` that can be interrupted, also where the tests run in the background and a shell has them ignore that."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


START = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import qa.indexer, qa.pipeline
from fakes import FakeEncoder
qa.indexer.load_encoder = qa.pipeline.load_encoder = lambda settings: FakeEncoder()
from qa.cli import main
main()
"""


def test_bytes_that_are_no_text_are_questions_too(indexed):
    done = program("ask", "--json", "-", stdin=b"Who \xff\xfe is it?\nWho stepped onto the Moon?\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["question"] for line in done.stdout.splitlines()] == ["Who \ufffd\ufffd is it?", "Who stepped onto the Moon?"]
    done = program("ask", "--json", os.fsdecode(b"Who \xff is it?"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["standalone_question"] == "Who ? is it?"


def test_a_terminal_of_few_characters_shows_what_it_can(indexed):
    done = program("ask", "Who stepped onto the Moon?", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u201cNeil Armstrong" in done.stdout
    done = program("ask", "Who is 😀?", "--json", PYTHONIOENCODING="latin-1")
    assert json.loads(done.stdout)["question"] == "Who is 😀?"


def test_a_reader_of_the_output_that_goes_away_is_no_error(indexed):
    writer = piped("ask", "-")
    assert writer.stdin and writer.stdout and writer.stderr
    writer.stdout.close()
    try:
        writer.stdin.write(b"Who?\n" * 50)
        writer.stdin.close()
    except BrokenPipeError:
        pass
    assert writer.stderr.read() == b""
    assert writer.wait(60) in (0, 1)


def test_an_interrupted_run_says_so_in_one_line(indexed):
    chat = piped("ask", "-", "--json")
    assert chat.stdin and chat.stdout
    chat.stdin.write(b"Who?\n")
    chat.stdin.flush()
    chat.stdout.readline()  # it is at work
    chat.send_signal(signal.SIGINT)
    _, errors = chat.communicate(timeout=60)
    assert chat.returncode == 130
    assert errors == b"qa: stopped; what was done so far is kept\n"


@pytest.mark.model
@pytest.mark.timeout(400)  # importing torch on a busy machine
def test_the_whole_way_with_the_real_model(real_qa, folder):
    assert real_qa("index", folder).code == 0
    told = json.loads(real_qa("ask", "Who stepped onto the Moon?", "--json").out)
    assert told["answer"]["text"] == "Neil Armstrong"
    assert told["citations"][0]["quote"] == "Neil Armstrong stepped onto the Moon."
