"""Nothing that comes from outside breaks anything: see fuzz_targets.py. Each file of fuzz_corpus/ is replayed; crashes are kept there."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "fuzz_corpus"
SEEDS = sorted(CORPUS.glob("*/*"))
PIECES = {
    "reading": [
        b"By Jane Doe\n",
        b"<p>",
        b"</div>",
        b"---\n",
        b"title: ",
        b"%PDF-1.4\n",
        b'{"text": "',
        b"\xff\xfe",
        b"3 May 2012",
        b"* * *\n",
    ],
    "passages": [b". ", b"\n\n", b"Dr. ", b"It rained. ", b"\xe2\x80\xa6", b"x" * 70, b"\xe2\x80\x9d ", b"e\xcc\x81"],
    "question": [b"Who ", b"the ", b'"', b"NEAR(", b"*", b" AND ", b"\n", b"he ", b"Suez Canal ", b"?", b"1 ", b"\xff"],
    "configuration": [
        b"[index]\n",
        b"max_file_mb = ",
        b"\n",
        b"[embedding]\nothers = ",
        b"[",
        b'"',
        b"nan",
        b"1e999",
        b"\0",
        b"{",
        b"path = ",
    ],
    "question_set": [
        b'{"id": "1", ',
        b'"question": "Who?", ',
        b'"gold": [',
        b"]",
        b"}",
        b"\n",
        b"\0",
        b'"text": "',
        b'"data": [',
        b"\\ud800",
    ],
    "feedback": [b"SQLite format 3\0", b"Who?", b"\0", b"\xff"],
}


@pytest.mark.parametrize("file", SEEDS, ids=[f"{file.parent.name}/{file.name}" for file in SEEDS])
def test_the_corpus_breaks_nothing(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())


def test_each_target_has_seeds_and_pieces() -> None:
    assert {file.parent.name for file in SEEDS} == set(PIECES) == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_made_up_breaks_it(name: str) -> None:
    pieces = st.one_of(st.sampled_from(PIECES[name]), st.binary(max_size=40), st.text(max_size=40).map(str.encode))

    @given(st.binary(max_size=1), st.lists(pieces, max_size=25).map(b"".join))
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def run(kind: bytes, data: bytes) -> None:
        TARGETS[name](kind + data)

    run()
