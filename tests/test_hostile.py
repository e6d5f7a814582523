"""Hostile files among good articles: each is read or refused in a line, and nothing is lost. bench/hostile.py has them at full length."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from fakes import FakeEncoder
from hostile_files import write_all

from qa.articles import read_file
from qa.check import check_index
from qa.config import Config
from qa.datatypes import Article
from qa.indexer import index_paths
from qa.store import Store

SAMPLES = Path(__file__).parent.parent / "eval" / "articles"
SIZE = 0.001  # of the full length
KINDS = ("pages", "words", "packed", "pdfs", "records", "front_matter", "names", "links", "dates")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes, sockets, sparse files and names of any bytes")


@pytest.mark.timeout(600)
def test_hostile_files_are_read_or_refused_and_nothing_is_lost(config: Config, tmp_path: Path) -> None:
    before, good, hostile = tmp_path / "before", tmp_path / "good", tmp_path / "hostile"
    samples = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    copied(samples[:8], before)
    copied(samples[8:24], good)
    index_paths(config, [before], encoder=FakeEncoder())
    write_all(hostile, SIZE, KINDS)
    try:
        report = index_paths(config, [hostile, good], encoder=FakeEncoder())
    finally:
        (hostile / "links" / "closed").chmod(0o700)
    kept = stored(config)
    assert as_read(before).items() <= kept.items()
    assert as_read(good).items() <= kept.items()
    assert not any("4711" in text or "root:x:0:0" in text or "lol lol lol lol lol" in text for text in kept.values())
    assert not check_index(config.index.path)
    reasons = {Path(refusal.path).relative_to(hostile).as_posix(): refusal.reason for refusal in report.refused}
    assert all(len(reason.splitlines()) == 1 for reason in reasons.values())
    assert not [reason for reason in reasons.values() if reason.startswith("it cannot be read (")], "a fault of ours"
    assert reasons["links/out.txt"] == reasons["links/out-of-it"] == "it cannot be read: it leads out of the folder"
    assert reasons["links/pipe.txt"] == reasons["links/socket.txt"] == "it cannot be read: it is not a regular file"
    assert reasons["links/loop.txt"] == "it cannot be read: it leads nowhere"
    assert reasons["links/sparse.txt"].endswith("more than index.max_file_mb = 64 allows")
    assert reasons["words/billion-laughs.docx"].startswith("damaged docx file (")


def copied(files: list[Path], folder: Path) -> None:
    folder.mkdir()
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"{number}-{file.name}")


def stored(config: Config) -> dict[str, str]:
    with Store.open(config.index.path) as store, store.snapshot():
        return {article.id: article.text for article in map(store.article, [one.id for one in store.summaries()]) if article}


def as_read(folder: Path) -> dict[str, str]:
    items = [item for path in folder.iterdir() for item in read_file(path, path.read_bytes())]
    return {item.id: item.text for item in items if isinstance(item, Article)}
