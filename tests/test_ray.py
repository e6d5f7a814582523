"""Work that is handed to a cluster: what is lost is done again, and the index is the one that this machine alone would write.

The cluster here is a stand-in without Ray, whose members work only while somebody waits for them, the youngest first. Everything that
goes to and from them is pickled. bench/cluster.py has nodes of Ray killed.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEncoder
from milvus_server import STORES

from qa import cli, indexer
from qa.articles import read_file
from qa.config import Config, Index
from qa.database import FILE
from qa.datatypes import Article, IndexReport, Refusal
from qa.encoder import load_encoder
from qa.errors import ClusterError
from qa.files import File
from qa.indexer import add_vectors, index_paths
from qa.ray.pool import AHEAD, DEPTH, TRIES, Lost, Pool
from qa.ray.worker import Orders, Worker
from qa.reading_process import FileReader
from qa.stores import open_store

FILES = 24


class FakeCluster:
    """`before_wait` is called with how often somebody has waited; `work` may be replaced to see, change or refuse what a member does."""

    def __init__(self, members: int = 2) -> None:
        self.sizes: dict[Any, int] = {"read": members, "encode": members}
        self.alive: list[Worker] = []
        self.calls: dict[int, tuple[Worker, str, bytes]] = {}
        self.most: Counter[str] = Counter()  # calls of a kind at the same time
        self.before_wait: Callable[[int], None] = lambda count: None
        self.work: Callable[[Worker, str, Any], object] = lambda member, method, argument: getattr(member, method)(argument)
        self.waits = self.numbers = 0
        self.lost = 0
        self.is_closed = False

    def start(self, kind: str) -> Worker:
        self.alive.append(Worker())
        return self.alive[-1]

    def call(self, member: Worker, method: str, argument: object) -> int:
        self.numbers += 1
        self.calls[self.numbers] = member, method, pickle.dumps(argument)
        self.most |= Counter(method for _, method, _ in self.calls.values())
        return self.numbers

    def wait(self, calls: Sequence[int], seconds: float) -> list[int]:
        self.waits += 1
        self.before_wait(self.waits)
        next_of = {id(member): number for number, (member, _, _) in sorted(self.calls.items(), reverse=True)}  # the oldest of each
        return [max(number for number in next_of.values() if number in calls)]

    def result(self, call: int) -> Any:
        member, method, argument = self.calls.pop(call)
        if member not in self.alive:
            self.lost += 1
            raise Lost
        return pickle.loads(pickle.dumps(self.work(member, method, pickle.loads(argument))))  # noqa: S301

    def stop(self, member: Worker) -> None:
        self.lose(member)
        self.calls = {number: call for number, call in self.calls.items() if call[0] is not member}

    def lose(self, *members: Worker) -> None:
        self.alive = [member for member in self.alive if member not in members]

    def check(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class InProcess:
    """Reads files without a process of its own, which takes a while to start."""

    def __init__(self, settings: Index) -> None:
        self._settings = settings

    def read(self, path: Path, data: bytes, first_row: int) -> list[Article | Refusal]:
        return read_file(path, data, self._settings.max_file_mb << 20, self._settings.max_characters)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.files.FileReader", InProcess)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """What `engine="ray"` works on."""
    cluster = FakeCluster()
    monkeypatch.setattr("qa.ray.connect", lambda config, encoder: Pool(cluster, Orders(config.index, config.passages, encoder)))
    monkeypatch.setattr("qa.batches.BATCH", 4)
    return cluster


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of one to three passages; every sixth says the same as another."""
    place = tmp_path / "articles"
    place.mkdir()
    for number in range(FILES):
        said = [f"The ship number {number % 20} sailed from port {line}. It came back in spring." for line in range(1 + number % 3 * 8)]
        (place / f"{number:02}.txt").write_text(f"Ship {number}\n\n" + "\n\n".join(said) + "\n")
    return place


def indexed(config: Config, *paths: Path, engine: indexer.Engine = "ray") -> IndexReport:
    return replace(index_paths(config, paths, encoder=FakeEncoder(), engine=engine), seconds=0.0, encoded=0)


def content(config: Config) -> list[tuple[Any, ...]]:
    """Every row of the store, but for what says which store it is and when it was written."""
    db = sqlite3.connect(config.index.path / FILE)
    tables = ("articles", "passages", "vectors", "bands", "files", "folders")
    rows = [(table, *row) for table in tables for row in sorted(db.execute(f"SELECT * FROM {table}"), key=repr)]
    db.close()
    return rows


@pytest.fixture
def alone(config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[IndexReport, list[tuple[Any, ...]]]:
    """Report and content of an index that this process made by itself."""
    monkeypatch.setattr("qa.batches.BATCH", 4)
    here = config.replace("index.path", config.index.path.with_name("alone"))
    return indexed(here, folder, engine="local"), content(here)


def test_a_cluster_gives_the_index_that_this_machine_gives(config, folder, cluster, alone):
    assert (indexed(config, folder), content(config)) == alone
    assert cluster.is_closed


@pytest.mark.parametrize("moment", [1, 5, 9, 14, 22, 30])
def test_whenever_members_are_lost_nothing_is_doubled_or_missing(config, folder, cluster, alone, moment):
    """One of each kind, as when a node dies."""

    def lose(count):
        if count == moment:
            cluster.lose(*cluster.alive[::2])

    cluster.before_wait = lose
    assert (indexed(config, folder), content(config)) == alone
    assert cluster.lost > 0


@pytest.mark.parametrize("store_kind", STORES)
def test_what_was_committed_when_the_cluster_was_lost_is_not_done_again(config, folder, cluster, monkeypatch):
    monkeypatch.setattr("qa.looks.SETTLED", -1e9)  # files were written long ago

    def lost(count):
        if count == 30:
            raise ClusterError("the cluster is gone")

    cluster.before_wait = lost
    with pytest.raises(ClusterError, match="gone"):
        indexed(config, folder)
    with open_store(config) as store:
        before = {summary.id for summary in store.summaries()}
    assert 0 < len(before) < FILES
    read, cluster.before_wait = [], lambda count: None
    cluster.work = lambda member, method, argument: read.append(method) or getattr(member, method)(argument)
    report = indexed(config, folder)
    assert len({*report.added} | before) == FILES
    assert {*report.added}.isdisjoint(before)
    assert read.count("read") < FILES
    with open_store(config) as store:
        assert len(store.summaries()) == FILES
        assert store.missing("fa4e") == 0


def test_no_more_is_under_way_than_may_be(config, folder, cluster):
    indexed(config, folder)
    assert cluster.most["read"] <= DEPTH * cluster.sizes["read"]
    assert cluster.most["encode"] <= DEPTH * cluster.sizes["encode"]
    taken = []
    pool = Pool(cluster, Orders(config.index, config.passages, FakeEncoder()))
    found = pool.read(File(str(path), path) for path in sorted(folder.iterdir()) if not taken.append(path))
    next(found)
    assert len(taken) == AHEAD * cluster.sizes["read"]


def test_vectors_of_another_model_are_added_by_the_cluster(config, folder, cluster, alone):
    indexed(config, folder)
    other = FakeEncoder("07e4")
    assert add_vectors(config, other, engine="ray").encoded > 0
    assert other.encoded == []  # not here
    with open_store(config) as store:
        assert store.missing("07e4") == 0


# What a node has to have


def test_a_node_with_another_model_is_one_line(config, folder, cluster):
    def work(member, method, argument):
        return ("far", {**argument.facts(), "the embedding model": "4711"}) if method == "begin" else getattr(member, method)(argument)

    cluster.work = work
    with pytest.raises(ClusterError) as error:
        indexed(config, folder)
    assert str(error.value).startswith("the embedding model is 4711 on the node far, and fa4e here; what was committed is kept (")
    assert cluster.is_closed


def test_a_node_that_lacks_a_file_is_one_line(config, folder, cluster):
    def work(member, method, argument):
        there = replace(argument, path=argument.path.with_name("nothing")) if method == "read" else argument
        return getattr(member, method)(there)

    cluster.work = work
    with pytest.raises(
        ClusterError, match=r"00.txt on the node .*: it cannot be read: No such file .* \(every node"
    ) as error:
        indexed(config, folder)
    assert "\n" not in str(error.value)


def test_a_node_that_has_another_file_there_is_one_line(config, folder, cluster):
    def work(member, method, argument):
        found = getattr(member, method)(argument)
        if method == "read":
            found = replace(found, look=os.stat_result((*found.look[:6], found.look.st_size + 1, *found.look[7:])))
        return found

    cluster.work = work
    with pytest.raises(ClusterError, match="00.txt on the node .*: it is another file"):
        indexed(config, folder)


def test_a_file_that_is_gone_everywhere_is_refused(config, folder, cluster):
    def work(member, method, argument):
        if method == "read" and argument.path.name == "05.txt":
            argument.path.unlink(missing_ok=True)
        return getattr(member, method)(argument)

    cluster.work = work
    report = indexed(config, folder)
    assert len(report.added) == FILES - 1
    (folder / "05.txt").write_text("Back\n\nIt is there again.\n")  # only what is there is kept as refused
    assert report.refused == (Refusal(str(folder / "05.txt"), "it cannot be read: No such file or directory"),)


def test_limits_of_memory_hold_for_files_that_a_cluster_reads(config, tmp_path, cluster, monkeypatch):
    monkeypatch.setattr("qa.files.FileReader", FileReader)
    bomb = tmp_path / "bomb.jsonl"
    bomb.write_text('{"text": ' + "[" * 50_000_000)
    assert indexed(config.replace("index.max_memory_mb", 256), bomb).refused[0].path.startswith(str(bomb))
    assert len(cluster.alive) == 4


# Work that costs its members


def test_a_file_that_costs_several_members_is_refused_and_the_others_go_in(config, folder, cluster):
    def work(member, method, argument):
        if method == "read" and argument.path.name == "07.txt":
            cluster.lose(member)
            raise Lost
        return getattr(member, method)(argument)

    cluster.work = work
    report = indexed(config, folder)
    assert report.refused == (Refusal(str(folder / "07.txt"), f"{TRIES} workers were lost while they read it"),)
    assert len(report.added) == FILES - 1


def test_passages_that_cost_several_members_are_one_line(config, folder, cluster):
    def work(member, method, argument):
        if method == "encode":
            raise Lost
        return getattr(member, method)(argument)

    cluster.work = work
    with pytest.raises(ClusterError, match=f"{TRIES} workers were lost while they encoded the same passages; what was committed is kept"):
        indexed(config, folder)


def test_a_cluster_on_which_nobody_starts_is_not_waited_for_for_ever(config, folder, cluster, monkeypatch):
    monkeypatch.setattr("qa.ray.pool.PATIENCE", 0)
    monkeypatch.setattr(cluster, "wait", lambda calls, seconds: [])
    with pytest.raises(ClusterError, match="no worker has started"):
        indexed(config, folder)


# The door


def test_without_ray_one_line_says_what_to_install(config, folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(sys, "argv", ["qa", "index", "--engine", "ray", "--index", str(config.index.path), str(folder)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == "qa: --engine ray needs the package ray (pip install 'qa[ray]')\n"
    assert not config.index.path.exists()


def test_a_cluster_that_is_not_there_is_one_line(config, folder):
    pytest.importorskip("ray", reason="needs the extra qa[ray]")
    with pytest.raises(ClusterError) as error:
        indexed(config.replace("index.ray_address", "127.0.0.1:1"), folder)
    assert str(error.value).startswith("the Ray cluster at 127.0.0.1:1 cannot be reached: ")
    assert not config.index.path.exists()


@pytest.mark.model
def test_a_model_is_sent_as_its_settings():
    encoder = load_encoder(Config().embedding)
    sent = pickle.dumps(encoder)
    assert len(sent) < 1000
    assert pickle.loads(sent).fingerprint == encoder.fingerprint  # noqa: S301
