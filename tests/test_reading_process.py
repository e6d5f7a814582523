"""Files are read in a process of their own: what it may take, how it may end, and that this costs one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qa import reading_process
from qa.articles import read_file
from qa.config import Config, Index
from qa.datatypes import Article, Refusal
from qa.reading_process import CODE, FileReader

NOTE = b"The bridge was opened in the rain on the third of May 1932."
SAMPLES = Path(__file__).parent.parent / "eval" / "articles"
LIMITED = Config().replace("index.max_seconds", 3.0).replace("index.max_memory_mb", 512).index
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory cannot be limited")


@pytest.fixture
def misread(monkeypatch):
    """Lets the process read by some other code, which has `path` and `data`, and `count` of what was read before."""

    def change(code: str) -> None:
        setting, serve = CODE.split("; from ")
        lines = ["def misread(path, data, *_):", "  global count", *(f"  {line}" for line in code.splitlines()), "  count += 1"]
        instead = ["import os, qa.articles, qa.reading_process", "count = 0", *lines, "qa.reading_process.iterate_file = misread"]
        source = repr("\n".join(instead)).replace("{", "{{").replace("}", "}}")
        monkeypatch.setattr(reading_process, "CODE", f"{setting}; exec({source}); from {serve}")

    return change


GOOD = "yield from qa.articles.read_file(path, data)"


def test_it_reads_as_the_reader_itself() -> None:
    files = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    assert {".pdf", ".docx", ".html", ".jsonl", ".gz"} <= {path.suffix for path in files}
    with FileReader(Index()) as reader:
        for path in files:
            assert reader.read(path, path.read_bytes()) == read_file(path, path.read_bytes())


def test_a_refusal_and_a_strange_name_come_back_whole() -> None:
    with FileReader(Index()) as reader:
        assert reader.read(Path("/x/\udcff\n.txt"), b"") == [Refusal("/x/\\udcff\n.txt", "empty")]


def test_the_limits_of_the_configuration_hold() -> None:
    small = Config().replace("index.max_file_mb", 1).replace("index.max_characters", 1000).index
    with FileReader(small) as reader:
        assert reader.read(Path("/x/a.txt"), NOTE * 17) == [
            Refusal("/x/a.txt", "an article of 1,003 characters, more than index.max_characters = 1,000 allows")
        ]
        assert reader.read(Path("/x/a.txt"), bytes(2**21)) == [Refusal("/x/a.txt", "larger than 1 MiB; raise index.max_file_mb to read it")]


def test_one_process_reads_many_files() -> None:
    with FileReader(Index()) as reader:
        reader.read(Path("/x/a.txt"), NOTE)
        first = reader._process
        reader.read(Path("/x/b.txt"), NOTE)
        assert reader._process is first is not None
    assert first._child.returncode is not None


def test_no_process_is_started_for_nothing(monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with FileReader(Index()):
        pass


FAILED = "damaged, or takes more memory than index.max_memory_mb = 512 allows"
HALF_A_LINE = """import contextlib
  for number in range(3, 20):
    with contextlib.suppress(OSError): os.write(number, b'{')
  os._exit(0)"""
NEEDLESS = "it cannot be read (PermissionError: reading a file needs no"
FAULTS = {
    "while True: pass": "takes longer than index.max_seconds = 3 allows",
    "import time; time.sleep(600)": "takes longer than index.max_seconds = 3 allows",
    "os.kill(os.getpid(), 11)": FAILED,
    "os._exit(0)": FAILED,
    HALF_A_LINE: FAILED,
    "raise ValueError('a fault\\n of ours')": "it cannot be read (ValueError: a fault of ours)",
    "import socket; socket.create_connection(('192.0.2.1', 80))": f"{NEEDLESS} socket.getaddrinfo)",
    "import socket; socket.socket().connect(('127.0.0.1', 80))": f"{NEEDLESS} socket.connect)",
    "os.system('true')": f"{NEEDLESS} os.system)",
    "import subprocess; subprocess.run(['true'])": f"{NEEDLESS} subprocess.Popen)",
}


@pytest.mark.parametrize(("code", "reason"), FAULTS.items())
def test_a_fault_costs_one_file(code: str, reason: str, misread) -> None:
    misread(f"if b'BAD' in data:\n  {code}\n{GOOD}")
    with FileReader(LIMITED) as reader:
        assert isinstance(reader.read(Path("/x/good.txt"), NOTE)[0], Article)
        assert reader.read(Path("/x/bad.txt"), NOTE + b"BAD") == [Refusal("/x/bad.txt", reason)]
        assert isinstance(reader.read(Path("/x/good.txt"), NOTE)[0], Article)


@on_linux
def test_memory_is_limited(misread) -> None:
    misread(f"if b'BAD' in data: bytearray(2**30)\n{GOOD}")
    with FileReader(LIMITED) as reader:
        assert reader.read(Path("/x/bad.txt"), NOTE + b"BAD")[0].reason.endswith("index.max_memory_mb = 512 allows")
        assert isinstance(reader.read(Path("/x/good.txt"), NOTE)[0], Article)


def test_a_file_is_not_refused_for_what_earlier_files_left_behind(misread) -> None:
    misread(f"if count: os._exit(1)\n{GOOD}")
    with FileReader(LIMITED) as reader:
        for name in ("/x/a.txt", "/x/b.txt", "/x/c.txt"):
            assert isinstance(reader.read(Path(name), NOTE)[0], Article)


def test_rows_before_a_fault_are_kept(misread) -> None:
    misread("found = qa.articles.read_file(path, data)\nyield found[0]\nos._exit(1)")
    with FileReader(LIMITED) as reader:
        found = reader.read(Path("/x/a.jsonl"), b'{"id": "one", "text": "%s"}' % NOTE)
    assert [type(item) for item in found] == [Article, Refusal]


def test_what_a_library_prints_disturbs_nothing(misread) -> None:
    misread(f"print('hello'); os.write(1, b'hello')\n{GOOD}")
    with FileReader(LIMITED) as reader:
        assert isinstance(reader.read(Path("/x/a.txt"), NOTE)[0], Article)


def test_it_ends_when_nobody_asks_any_more() -> None:
    code = CODE.format(path=sys.path, seconds=60, memory=2048)
    for asked in (b"", b'{"path": "/x/a.txt", "size": 100, "max_bytes": 9, "max_characters": 9}\nonly a part'):
        done = subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"null\n")
