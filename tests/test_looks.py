"""A file that looks as it did when it was read is not read again; whatever could have changed is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qa import looks
from qa.config import Config
from qa.datatypes import IndexReport
from qa.files import Files
from qa.indexer import index_paths
from qa.store_writer import StoreWriter

TEXT = "The bridge was opened in {year}, after years of work."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    path = tmp_path / "articles" / "bridge.txt"
    path.write_text(TEXT.format(year=1932))
    return path


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the files that were read."""
    names: list[str] = []
    original = Files.opened

    def noting(self, file):
        names.append(file.path.name)
        return original(self, file)

    monkeypatch.setattr(Files, "opened", noting)
    return names


@pytest.fixture
def sync(config: Config, encoder, file, read, monkeypatch) -> Callable[[], IndexReport]:
    """Runs `qa index` on the folder, long after the files in it were changed."""
    monkeypatch.setattr(looks, "SETTLED", -1e9)

    def run() -> IndexReport:
        read.clear()
        return index_paths(config, [file.parent], encoder=encoder)

    run()
    return run


def test_a_file_that_looks_the_same_is_not_read(sync, read):
    assert (sync().unchanged, read) == (1, [])


def test_a_file_that_got_its_size_and_time_back_after_a_change_is_read(sync, file, read):
    before = file.stat()
    file.write_text(TEXT.format(year=1933))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert (len(sync().changed), read) == (1, ["bridge.txt"])


def test_a_file_in_the_place_of_another_is_read(sync, file, read):
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    other.replace(file)
    assert (sync().unchanged, read) == (1, ["bridge.txt"])
    assert (sync().unchanged, read) == (1, [])


def test_a_file_changed_just_before_is_read_again(sync, file, read, monkeypatch):
    monkeypatch.setattr(looks, "SETTLED", 3600)
    file.write_text(TEXT.format(year=1933))
    assert [len(sync().changed), sync().unchanged] == [1, 1]
    assert read == ["bridge.txt"]


def test_what_the_store_does_not_have_as_it_was_is_read_again(sync, config, file, read):
    with StoreWriter.open(config.index.path) as store, store.transaction():
        store.put_file(str(file), "")
    sync()
    assert read == ["bridge.txt"]


def test_a_new_way_of_reading_reads_all_again(sync, read, monkeypatch):
    monkeypatch.setattr(looks, "READER_VERSION", 99)
    sync()
    assert read == ["bridge.txt"]


def no_text(path):
    """What SQLite says of it quotes bytes that are no text."""
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE looks", b"CREATE TABLE \xcc\xccoks", 1))


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 999), no_text])
def test_a_lost_or_damaged_list_costs_one_reading(sync, config, read, damage):
    damage(config.index.path / looks.FILE)
    assert [sync().unchanged, read] == [1, ["bridge.txt"]]
    assert [sync().unchanged, read] == [1, []]


def test_where_no_list_can_be_kept_files_are_read_each_time(sync, config, read):
    (config.index.path / looks.FILE).unlink()
    (config.index.path / looks.FILE).mkdir()
    assert [sync().unchanged, read] == [1, ["bridge.txt"]]
    assert [sync().unchanged, read] == [1, ["bridge.txt"]]


def test_a_removed_file_is_forgotten(sync, config, file, encoder):
    file.unlink()
    index_paths(config, [file.parent], encoder=encoder, prune=True)
    with looks.Looks(config.index.path) as kept:
        assert kept._db.execute("SELECT count(*) FROM looks").fetchone() == (0,)
