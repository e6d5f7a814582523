"""Files that are replaced, folders that are made, and disks that are full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeEncoder, article

from qa import disk
from qa.check import check_index
from qa.errors import StoreError
from qa.indexer import index_articles
from qa.pipeline import Pipeline


def test_a_new_folder_is_synced_into_each_one_above(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    disk.make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]
    disk.make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=600k tmpfs {place} 2>/dev/null") != 0:
        pytest.skip("mounting needs root")
    yield place
    os.system(f"umount --lazy {place}")


def test_a_disk_that_gets_full_loses_nothing_and_is_told_with_the_way_out(small_disk, config):
    config = config.replace("index.path", small_disk / "index")
    told, held = "", 0
    while not told:
        try:
            index_articles(config, [article(f"a{held}", f"Ship number {held} sailed. " * 150)], encoder=FakeEncoder())
            held += 1
        except StoreError as error:
            told = str(error)
    assert "is full; what was committed is kept (make room and run the same command again)" in told
    assert len(Pipeline(config, encoder=FakeEncoder()).articles()) in (held, held + 1)  # the vectors may be what did not fit any more
    os.system(f"mount -o remount,size=8m {small_disk}")
    index_articles(config, [article("last", "The last ship sailed.")], encoder=FakeEncoder())
    assert check_index(config.index.path, FakeEncoder()) == []
    assert Pipeline(config, encoder=FakeEncoder()).search("last ship")[0].passage.article_id == "last"
