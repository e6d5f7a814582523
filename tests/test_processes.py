"""Two processes and one index: writers take turns, readers see the old or the new, and a killed writer costs nothing."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import FakeEncoder, article

from qa.config import Config
from qa.errors import StoreError
from qa.indexer import add_vectors, index_articles, index_paths
from qa.pipeline import Pipeline
from qa.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parent

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "articles"
    place.mkdir()
    for n in range(12):
        (place / f"{n:02}.txt").write_text(f"Number {n}\n\nThe ship number {n} sailed. It came back in spring.\n")
    return place


@pytest.fixture
def start(config: Config, folder: Path) -> Iterator[Start]:
    """`start(seconds a text, lock seconds)` starts a writer and returns when it is at work (or has ended)."""
    writers = []

    def run(*options: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(HERE / "writer.py"), str(config.index.path), str(folder), *map(str, options)]
        path = os.pathsep.join([str(ROOT), str(HERE), os.environ["PYTHONPATH"]])
        writer = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
        )
        writers.append(writer)
        assert writer.stdout
        writer.stdout.readline()
        return writer

    yield run
    for writer in writers:
        writer.kill()
        writer.communicate()


def test_a_second_writer_waits_for_the_first(start, config):
    first = start(0.02)
    second = start(0, 60)
    assert (first.wait(60), second.wait(60)) == (0, 0)
    report = json.loads(second.communicate()[0].splitlines()[-1])
    assert (report["added"], report["unchanged"], report["encoded"]) == ([], 12, 0)


def test_a_second_writer_that_cannot_wait_says_which_process_holds_the_index_and_ends_with_1(start):
    first = start(0.5)
    second = start(0, 0.1)
    assert second.wait(60) == 1
    assert first.poll() is None
    message = second.communicate()[1]
    assert message.count("\n") == 1
    assert message.startswith(f"process {first.pid} (since ")
    assert "is writing the index in" in message


def test_the_lock_of_a_killed_writer_is_free(start, config, folder):
    first = start(0.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert index_paths(config, [folder], encoder=FakeEncoder()).refused == ()
    assert len(Store.open(config.index.path).summaries()) == 12


def test_a_reader_sees_the_old_or_the_new_while_a_writer_works(start, filled, config, folder):
    filled(article("first", "The ship at the beginning sailed."))
    pipeline = Pipeline(config, encoder=FakeEncoder())
    writer = start(0.01)
    seen = set()
    while writer.poll() is None:
        hits = pipeline.search("Which ship sailed?", k=100)
        seen.add(len(hits))
        assert all(pipeline.article(hit.passage.article_id).text[hit.passage.start : hit.passage.end] == hit.passage.text for hit in hits)
    assert writer.returncode == 0
    assert len(pipeline.search("Which ship sailed?", k=100)) == 13
    assert min(seen) >= 1


def test_an_open_page_picks_up_what_another_process_indexed(start, filled, config):
    filled(article("first", "The train at the beginning stood."))
    pipeline = Pipeline(config, encoder=FakeEncoder())
    assert [hit.passage.article_id for hit in pipeline.search("ship number 7")] == ["first"]
    assert start(0).wait(60) == 0
    assert pipeline.search("ship number 7")[0].passage.title == "Number 7"


def test_fifteen_kills_at_random_moments_lose_nothing(tmp_path):
    spec = importlib.util.spec_from_file_location("kills", ROOT / "bench" / "kills.py")
    assert spec and spec.loader
    kills = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    stages = kills.main(15, seed=15, size=25, longest=0.5, place=tmp_path)
    assert sum(stages.values()) - stages["done"] == 15


BUILD = """
import sys
from qa import batches, config, indexer
from writer import SlowEncoder
batches.BATCH = 2
encoder = SlowEncoder(0.05)
encoder.fingerprint = "two"
indexer.add_vectors(config.Config().replace("index.path", sys.argv[1]), encoder, progress=lambda *told: print(*told, flush=True))
"""


def test_a_killed_build_of_another_encoders_vectors_loses_nothing_that_was_committed_and_goes_on(config, folder):
    index_paths(config, [folder], encoder=FakeEncoder())
    answered = Pipeline(config, encoder=FakeEncoder()).search("ship number 7")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE), os.environ["PYTHONPATH"]])}
    command = [sys.executable, "-c", BUILD, str(config.index.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as builder:
        assert builder.stdout
        while builder.stdout.readline() != "encoding 6 12\n":
            assert builder.poll() is None
        builder.kill()
    with Store.open(config.index.path) as store:
        left = store.missing("two")
    assert 0 < left <= 6
    assert Pipeline(config, encoder=FakeEncoder()).search("ship number 7") == answered
    assert add_vectors(config, FakeEncoder("two")).encoded == left


# Folders that cannot be written


@contextlib.contextmanager
def acting_as_nobody() -> Iterator[None]:
    """Root may write anywhere, so what root runs is run as nobody here."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_searched_and_not_indexed(filled, config):
    folder = filled(article("a", "Red apples.")).index.path
    for part in (folder, *(parent for parent in folder.parents if "pytest-" in str(parent))):
        part.chmod(0o755)
    folder.chmod(0o555)
    pipeline = Pipeline(config, encoder=FakeEncoder())
    with acting_as_nobody():
        assert [hit.passage.text for hit in pipeline.search("apples")] == ["Red apples."]
    folder.chmod(0o755)
    filled(article("b", "Green apples."))
    folder.chmod(0o555)
    with acting_as_nobody():  # what was indexed meanwhile is seen
        assert len(pipeline.search("apples")) == 2
    told = r"/index is read-only: Permission denied \(make it writable, or give another folder with --index\)$"
    with acting_as_nobody(), pytest.raises(StoreError, match=told):
        index_articles(config, [article("x", "New.")], encoder=FakeEncoder())


def test_a_file_system_that_is_mounted_read_only_is_searched_and_not_indexed(filled, config, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=4m tmpfs {place} 2>/dev/null") != 0:
        pytest.skip("mounting needs root")
    try:
        shutil.copytree(filled(article("a", "Red apples.")).index.path, place / "index")
        os.system(f"mount -o remount,ro {place}")
        frozen = config.replace("index.path", place / "index")
        pipeline = Pipeline(frozen, encoder=FakeEncoder())
        assert [hit.passage.text for hit in pipeline.search("apples")] == ["Red apples."]
        with pytest.raises(StoreError, match=r"/index is read-only: Read-only file system \(make it writable"):
            index_articles(frozen, [article("x", "New.")], encoder=FakeEncoder())
    finally:
        os.system(f"umount --lazy {place}")
