"""Indexing is a sync: what is new or changed is done, the rest skipped, and nothing is lost."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEncoder, article
from milvus_server import STORES

from qa import file_bytes, indexer
from qa.articles import file_id
from qa.config import Config
from qa.database import FILE
from qa.datatypes import IndexReport, Refusal
from qa.errors import IndexBusy, StoreError
from qa.indexer import add_vectors, index_articles, index_paths, remove_articles
from qa.lock import writer_lock
from qa.reading_process import FileReader
from qa.stores import open_store

SEA = "The sea is deep and cold. Whales live in the sea."
SKY = "The sky is wide and blue. Larks sing in the sky."


ON_FILES = pytest.mark.parametrize("store_kind", ["sqlite"])


@pytest.fixture(params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "news").mkdir()
    write(tmp_path / "news" / "sea.txt", SEA)
    write(tmp_path / "news" / "sky.txt", SKY)
    return tmp_path / "news"


@pytest.fixture
def sync(config: Config, folder: Path) -> Callable[..., IndexReport]:
    """`sync(path, …)` indexes with a new encoder, the folder unless told otherwise. What took how long is left out."""

    def run(*paths: Path, encoder: FakeEncoder | None = None, settings: Config = config, prune: bool = False) -> IndexReport:
        report = index_paths(settings, paths or [folder], prune=prune, encoder=encoder or FakeEncoder())
        return replace(report, seconds=0.0)

    return run


def write(path: Path, text: str) -> Path:
    path.write_text(f"{path.stem.capitalize()}\n\n{text}\n", encoding="utf-8")
    return path


def rows(path: Path, *items: dict[str, str] | str) -> Path:
    path.write_text("".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items), encoding="utf-8")
    return path


def stored(config: Config) -> dict[str, str]:
    """id -> text of everything in the index."""
    with open_store(config) as store:
        found = {summary.id: store.article(summary.id) for summary in store.summaries()}
    return {article_id: each.text for article_id, each in found.items() if each}


def whole(config: Config) -> bool:
    """Every passage has its full text and its vector."""
    with open_store(config) as store:
        return store.missing("fa4e") == 0 and (config.index.store != "sqlite" or _is_whole_file(config))


def _is_whole_file(config: Config) -> bool:
    db = sqlite3.connect(config.index.path / FILE)
    db.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
    fine: bool = db.execute("PRAGMA integrity_check").fetchone() == ("ok",) and not db.execute("PRAGMA foreign_key_check").fetchall()
    db.close()
    return fine


def test_new_files_are_added(sync, config, folder):
    report = sync()
    ids = (file_id(folder / "sea.txt"), file_id(folder / "sky.txt"))
    assert report == IndexReport(added=ids, passages=2, encoded=2)
    assert stored(config) == {ids[0]: SEA, ids[1]: SKY}
    assert whole(config)


def test_a_second_sync_does_nothing(sync, config):
    sync()
    with open_store(config) as store:
        before = store.identity
    encoder = FakeEncoder()
    assert sync(encoder=encoder) == IndexReport(unchanged=2, passages=2)
    assert encoder.encoded == []
    with open_store(config) as store:
        assert store.identity == before


def test_only_what_changed_is_encoded(sync, config, folder):
    sync()
    write(folder / "sea.txt", SEA + "\n\nSharks too.")
    assert sync() == IndexReport(changed=(file_id(folder / "sea.txt"),), unchanged=1, passages=2, encoded=1)
    assert stored(config)[file_id(folder / "sea.txt")] == SEA + "\n\nSharks too."
    assert whole(config)


def test_a_file_that_was_touched_but_says_the_same_is_unchanged(sync, folder):
    sync()
    (folder / "sea.txt").write_text(f"Sea\n\n{SEA}\n\n\n")
    assert sync() == IndexReport(unchanged=2, passages=2)
    assert sync() == IndexReport(unchanged=2, passages=2)


def test_a_file_that_is_gone_stays_without_prune_and_goes_with_it(sync, config, folder):
    sync()
    gone = file_id(folder / "sea.txt")
    (folder / "sea.txt").unlink()
    assert sync() == IndexReport(unchanged=1, passages=2)
    assert gone in stored(config)
    assert sync(prune=True) == IndexReport(unchanged=1, removed=(gone,), passages=1)
    assert gone not in stored(config)
    assert whole(config)


def test_prune_looks_at_the_given_folders_only(sync, config, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write(other / "sun.txt", "The sun is hot and bright.")
    sync()
    sync(other)
    for file in (folder / "sea.txt", other / "sun.txt"):
        file.unlink()
    assert sync(other, prune=True).removed == (file_id(other / "sun.txt"),)
    assert file_id(folder / "sea.txt") in stored(config)


def test_prune_keeps_files_that_are_there_though_no_folder_lists_them(sync, config, folder):
    note = write(folder / "note.log", "A note that was named by itself.")
    sync(folder, note)
    assert sync(prune=True).removed == ()
    assert file_id(note) in stored(config)


def test_prune_forgets_a_folder_that_is_gone(sync, config, folder, tmp_path):
    sync()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    refusal = Refusal(str(folder), "there is no such file or folder")
    assert index_paths(config, [], encoder=FakeEncoder()).refused == (refusal,)
    assert len(stored(config)) == 2
    assert len(index_paths(config, [], prune=True, encoder=FakeEncoder()).removed) == 2
    assert index_paths(config, [], encoder=FakeEncoder()).refused == ()


def test_without_paths_the_folders_of_earlier_runs_are_synced(sync, config, folder):
    sync()
    write(folder / "sun.txt", "The sun is hot and bright.")
    assert index_paths(config, [], encoder=FakeEncoder()).added == (file_id(folder / "sun.txt"),)


def test_without_paths_and_without_an_index_nothing_is_made(config):
    with pytest.raises(StoreError, match="no index in .*make one: qa index PATH"):
        index_paths(config, [], encoder=FakeEncoder())
    assert not config.index.path.exists()


def test_files_that_cannot_be_read_are_named_and_the_others_go_in(sync, folder):
    (folder / "empty.txt").touch()
    (folder / "noise.txt").write_bytes(os.urandom(3000))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "short.html.gz").write_bytes(gzip.compress(b"<html><p>Hello, this one is cut off</p></html>")[:-12])
    report = sync()
    assert len(report.added) == 2
    assert sorted(Path(refusal.path).name for refusal in report.refused) == ["broken.pdf", "empty.txt", "noise.txt", "short.html.gz"]
    assert all(refusal.reason and "\n" not in refusal.reason for refusal in report.refused)
    assert sync() == replace(report, added=(), unchanged=2, encoded=0)


def test_a_path_that_is_not_there_is_refused(sync, folder, tmp_path):
    report = sync(tmp_path / "nowhere", folder)
    assert report.refused == (Refusal(str(tmp_path / "nowhere"), "there is no such file or folder"),)
    assert len(report.added) == 2


def test_what_is_no_regular_file_is_refused(sync, folder):
    os.mkfifo(folder / "pipe.txt")
    assert sync(folder / "pipe.txt").refused == (Refusal(str(folder / "pipe.txt"), "it is not a regular file"),)


def test_a_file_that_becomes_empty_or_unreadable_keeps_its_article(sync, config, folder):
    sync()
    (folder / "sea.txt").write_text("")
    (folder / "sky.txt").write_bytes(os.urandom(2000))
    report = sync()
    assert len(report.refused) == 2 and report.removed == report.changed == ()
    assert sorted(stored(config).values()) == [SEA, SKY]
    write(folder / "sea.txt", SEA)
    assert sync().unchanged == 1


def test_a_link_to_itself_is_refused(sync, folder):
    (folder / "loop").symlink_to("loop")
    assert sync(folder / "loop").refused == (Refusal(str(folder / "loop"), "there is no such file or folder"),)


def test_a_pipe_in_a_files_place_is_not_waited_for(sync, config, folder, monkeypatch):
    """It may take that place after the folder was looked at."""
    sync()
    (folder / "sea.txt").unlink()
    os.mkfifo(folder / "sea.txt")
    monkeypatch.setattr(indexer, "walk_files", lambda root, _: iter([(folder / "sea.txt", str(folder / "sea.txt"))]))
    assert sync().refused == (Refusal(str(folder / "sea.txt"), "it is not a regular file"),)
    assert SEA in stored(config).values()


def test_a_file_that_grows_while_it_is_read_waits_for_the_next_run(sync, config, folder, monkeypatch):
    sync()
    write(folder / "sea.txt", "Something new altogether.")
    open_at_once = file_bytes._open_at_once

    def grown(path, flags):
        opened = open_at_once(path, flags)
        fstat = os.fstat(opened)
        monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((*fstat[:6], fstat.st_size - 5, *fstat[7:])))
        return opened

    with monkeypatch.context() as patch:
        patch.setattr(file_bytes, "_open_at_once", grown)
        told = "it changes while it is read (run qa index again when it is whole)"
        assert Refusal(str(folder / "sea.txt"), told) in sync(folder / "sea.txt").refused
    monkeypatch.undo()
    assert SEA in stored(config).values()


def test_a_file_that_cannot_be_opened_keeps_its_article(sync, config, folder, monkeypatch):
    sync()
    write(folder / "sea.txt", "Something new altogether.")
    open_at_once = file_bytes._open_at_once

    def refuse(path, flags):
        if Path(path).name == "sea.txt":
            raise PermissionError(13, "Permission denied")
        return open_at_once(path, flags)

    monkeypatch.setattr(file_bytes, "_open_at_once", refuse)
    assert sync().refused == (Refusal(str(folder / "sea.txt"), "it cannot be read: Permission denied"),)
    assert SEA in stored(config).values()


def test_a_folder_that_cannot_be_read_is_named_and_pruned_of_nothing(sync, config, folder, monkeypatch):
    (folder / "deep").mkdir()
    write(folder / "deep" / "sun.txt", "The sun is hot and bright.")
    sync()
    scandir, lstat = os.scandir, os.lstat

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def refuse_below(path, **options):
        if "deep/" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path, **options)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "lstat", refuse_below)
    report = sync(prune=True)
    monkeypatch.undo()
    assert report.refused == (Refusal(str(folder / "deep"), "it cannot be read: Permission denied"),)
    assert report.removed == ()
    assert len(stored(config)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_names_that_are_no_text_are_remembered(sync, config, tmp_path):
    strange = tmp_path / "\udcff"
    strange.mkdir()
    (strange / "sun\udcfe.txt").write_text("The sun is hot and bright.")
    (strange / "empty\udcfe.txt").touch()
    assert len(sync(strange).added) == 1
    again = index_paths(config, [], encoder=FakeEncoder())
    assert (again.unchanged, len(again.refused)) == (1, 1), "the folder is found again"
    with open_store(config) as store:
        assert len(store.refusals()) == 1, "what was refused is not taken for gone"
    (strange / "sun\udcfe.txt").rename(strange / "sun\udcfe.log")
    assert len(sync(strange, prune=True).removed) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_file_in_a_folder_that_cannot_be_read_is_kept_whatever_it_is_called(sync, config, folder, monkeypatch):
    (folder / "sun\udcfe.txt").write_text("The sun is hot and bright.")
    sync()
    monkeypatch.setattr(os, "scandir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied", str(path))))
    assert sync(prune=True).removed == ()


def test_a_file_larger_than_the_limit_is_refused_and_jsonl_has_sixteen_times_as_much(sync, config, folder):
    small = config.replace("index.max_file_mb", 1)
    write(folder / "sea.txt", "The sea is deep. " * 70_000)
    rows(folder / "wire.jsonl", *({"id": name, "text": SKY, "padding": "x" * (700 << 10)} for name in ("w1", "w2", "w3")))
    report = sync(settings=small)
    assert report.refused == (Refusal(str(folder / "sea.txt"), "it has 1 MiB, more than index.max_file_mb = 1 allows"),)
    assert set(report.added) == {"w1", "w2", "w3", file_id(folder / "sky.txt")}


def test_the_limit_holds_for_what_is_unpacked(sync, config, folder):
    (folder / "bomb.txt.gz").write_bytes(gzip.compress(b"The sea is deep. " * 100_000))
    (refusal,) = sync(settings=config.replace("index.max_file_mb", 1)).refused
    assert refusal.reason.startswith("larger than 1 MiB")


def test_links_and_detours_lead_to_the_same_file(sync, folder, tmp_path):
    sync()
    (tmp_path / "link").symlink_to(folder)
    (folder / "also.txt").symlink_to(folder / "sea.txt")
    for path in (tmp_path / "link", folder / ".." / "news", folder / "sub" / ".." / "sea.txt"):
        (folder / "sub").mkdir(exist_ok=True)
        report = sync(path)
        assert (report.added, report.refused, report.encoded) == ((), (), 0)


def test_a_file_whose_name_is_no_text_is_indexed(sync, config, folder):
    strange = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt"))
    strange.write_text("Strange\n\nThe name of this file is no text at all.")
    assert len(sync().added) == 3
    assert sync().unchanged == 3
    strange.unlink()
    assert len(sync(prune=True).removed) == 1


# Copies


def test_exact_duplicates_are_reported_and_both_are_kept(sync, config, folder):
    write(folder / "again.txt", SEA)
    report = sync()
    assert len(report.added) == 3
    assert report.duplicates == (Refusal(str(folder / "sea.txt"), f"has the same text as {folder / 'again.txt'}"),)
    with open_store(config) as store:
        assert store.families([file_id(folder / "sea.txt")]) == {
            file_id(folder / "sea.txt"): (file_id(folder / "again.txt"), file_id(folder / "sea.txt"))
        }


def test_former_copies_are_copies_no_more_after_an_edit(filled, config):
    words = " ".join(f"word{n}" for n in range(40)) + "."
    filled(article("first", words), article("second", words))
    filled(article("first", "Now it tells of something else, and in other words at that."))
    with open_store(config) as store:
        assert store.families(["first", "second"]) == {}
    filled(article("first", words))
    with open_store(config) as store:
        assert store.families(["first"]) == {"first": ("first", "second")}


# JSONL


def test_a_bad_row_is_named_and_the_others_go_in_again_and_again(sync, config, folder):
    first, third = {"id": "w1", "text": "The first wire story."}, {"id": "w3", "text": "The third wire story."}
    wire = rows(folder / "wire.jsonl", first, "{oops", third)
    report = sync(wire)
    assert report.added == ("w1", "w3")
    assert [refusal.path for refusal in report.refused] == [f"{wire}:2"]
    assert sync(wire) == replace(report, added=(), unchanged=2, encoded=0)
    rows(wire, {"id": "w1", "text": "The first wire story."})
    assert sync(wire) == IndexReport(unchanged=1, removed=("w3",), passages=1)


def test_a_large_file_is_read_some_rows_at_a_time(sync, config, folder, monkeypatch):
    wire = rows(folder / "wire.jsonl", *({"id": f"w{number}", "text": f"The wire story number {number}."} for number in range(9)), "{oops")
    whole = sync(wire)
    monkeypatch.setattr(file_bytes, "PIECE", 100)
    sent = []
    read = FileReader.read
    monkeypatch.setattr(FileReader, "read", lambda self, path, data, first: sent.append(data) or read(self, path, data, first))
    again = sync(wire)
    assert (again.unchanged, again.refused) == (9, whole.refused)
    assert whole.refused[0].path == f"{wire}:10"
    assert len(sent) > 3 and b"".join(sent) == wire.read_bytes()


def test_an_id_of_an_earlier_piece_and_a_row_that_is_too_long_are_refused(sync, config, folder, monkeypatch):
    monkeypatch.setattr(file_bytes, "PIECE", 1)
    first, long = {"id": "w1", "text": "The first wire story."}, {"id": "w2", "text": "Long", "padding": "x" * (3 << 20)}
    wire = rows(folder / "wire.jsonl", first, long, first, {"id": "w4", "text": "The fourth wire story."})
    report = sync(wire, settings=config.replace("index.max_file_mb", 1))
    assert report.added == ("w1", "w4")
    assert report.refused == (
        Refusal(f"{wire}:2", "a row larger than 1 MiB; raise index.max_file_mb to read it"),
        Refusal(f"{wire}:3", "id 'w1' was used by a row above; ids must be unique"),
    )


def test_a_large_file_that_changes_while_its_rows_are_read_is_read_again(sync, config, folder, monkeypatch):
    monkeypatch.setattr(file_bytes, "PIECE", 1)
    wire = rows(folder / "wire.jsonl", {"id": "w1", "text": "The first wire story."}, {"id": "w2", "text": "The second wire story."})
    read = FileReader.read

    def grown(self, path, data, first):
        with wire.open("a") as file:
            file.write("\n")
        return read(self, path, data, first)

    with monkeypatch.context() as patch:
        patch.setattr(FileReader, "read", grown)
        report = sync(wire)
    assert [refusal.reason for refusal in report.refused] == ["it changes while it is read (run qa index again when it is whole)"]
    assert sync(wire).unchanged == 2
    rows(wire, {"id": "w1", "text": "The first wire story."})
    assert sync(wire).removed == ("w2",)


def test_rows_that_are_gone_are_removed_and_rows_of_a_file_with_faults_are_not(sync, config, folder):
    first, second = {"id": "w1", "text": "The first wire story."}, {"id": "w2", "text": "The second wire story."}
    wire = rows(folder / "wire.jsonl", first, second)
    sync(wire)
    rows(wire, first, "{oops")
    assert sync(wire).removed == ()
    rows(wire, first)
    assert sync(wire).removed == ("w2",)


def test_the_same_id_in_two_files_is_refused_for_the_second_each_time(sync, folder):
    a = rows(folder / "a.jsonl", {"id": "w1", "text": "The story in the first file."})
    b = rows(folder / "b.jsonl", {"id": "w1", "text": "The story in the second file."}, {"id": "w2", "text": "Another wire story."})
    report = sync(a, b)
    assert report.added == ("w1", "w2")
    assert report.refused == (Refusal(str(b), f"its id 'w1' is already used by {a}"),)
    assert sync(a, b) == replace(report, added=(), unchanged=2, encoded=0)
    assert sync(b, a).refused == report.refused


@pytest.mark.parametrize("names", [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")])
def test_a_row_that_moves_to_another_file_is_not_lost(sync, config, folder, names):
    old, new = folder / names[0], folder / names[1]
    story, other = {"id": "w1", "text": "The story that moves."}, {"id": "w2", "text": "The story that stays."}
    rows(old, story, other)
    sync()
    rows(old, other)
    rows(new, story)
    assert sync().refused == ()
    assert stored(config)["w1"] == "The story that moves."
    assert sync() == IndexReport(unchanged=4, passages=4)
    old.unlink()
    assert sync(prune=True).removed == ("w2",)


def test_a_row_that_moves_out_of_a_file_that_is_gone_is_taken_over(sync, config, folder):
    old, new = folder / "a.jsonl", folder / "b.jsonl"
    rows(old, {"id": "w1", "title": "Moving", "text": "The story that moves."})
    sync()
    old.rename(new)
    assert sync(prune=True) == IndexReport(changed=("w1",), unchanged=2, passages=3)
    assert "w1" in stored(config)


# Articles that come from no file


def test_articles_without_a_file_are_added_changed_and_skipped(config):
    def index(*articles):
        return replace(index_articles(config, articles, encoder=FakeEncoder()), seconds=0.0)

    one, two = article("one", SEA), article("two", SKY)
    assert index(one, two) == IndexReport(added=("one", "two"), passages=2, encoded=2)
    assert index(one, article("two", SKY, "A title")) == IndexReport(changed=("two",), unchanged=1, passages=2, encoded=1)


def test_an_article_cannot_take_the_id_of_one_that_a_file_has(sync, config, folder):
    sync()
    taken = file_id(folder / "sea.txt")
    report = index_articles(config, [article(taken, "Mine.")], encoder=FakeEncoder())
    assert report.refused == (Refusal(taken, f"its id {taken!r} is already used by {folder / 'sea.txt'}"),)
    assert stored(config)[taken] == SEA


@pytest.mark.parametrize("text", ["one \0 two", "half \ud800 a character"])
def test_text_that_cannot_be_kept_is_refused(config, text):
    report = index_articles(config, [article("bad", text), article("good", SEA)], encoder=FakeEncoder())
    assert report.refused == (Refusal("bad", "it has a NUL or half a character in it"),)
    assert report.added == ("good",)


def test_the_same_id_twice_in_one_run_is_the_later_one(filled, config):
    filled(article("one", SEA), article("one", SKY))
    assert stored(config) == {"one": SKY}
    assert whole(config)


def test_a_removed_article_is_not_read_again_until_its_file_changes(sync, config, folder):
    sync()
    sea = file_id(folder / "sea.txt")
    remove_articles(config, [sea])
    assert sync() == IndexReport(unchanged=1, passages=1)
    write(folder / "sea.txt", SEA + " New.")
    assert sync().added == (sea,)


# Models and passage sizes, there and back


def test_a_model_there_and_back_encodes_nothing_twice(sync, config):
    sync(encoder=FakeEncoder("one"))
    there = FakeEncoder("two", boxes=32)
    assert (sync(encoder=there).encoded, len(there.encoded)) == (2, 2)
    back = FakeEncoder("one")
    assert (sync(encoder=back).encoded, back.encoded) == (0, [])
    assert sync(encoder=FakeEncoder("two", boxes=32)).encoded == 0


def test_a_model_that_counts_tokens_otherwise_there_and_back_encodes_nothing_twice(sync, config):
    class Letters(FakeEncoder):
        def token_offsets(self, text: str) -> list[tuple[int, int]]:
            return [(at, at + 1) for at, letter in enumerate(text) if not letter.isspace()]

    small = config.replace("passages.size", 20)
    sync(settings=small)
    there = sync(encoder=Letters("two"), settings=small)
    assert (there.passages, there.encoded) == (4, 4)
    assert whole(config) == (config.index.store == "milvus")  # of the first model: a file has its passages cut for the second
    assert sync(settings=small) == IndexReport(unchanged=2, passages=2)
    assert whole(config)
    assert sync(encoder=Letters("two"), settings=small).encoded == 0


def test_vectors_of_one_more_encoder_are_added_and_nothing_is_cut_anew(sync, config):
    class Letters(FakeEncoder):
        def token_offsets(self, text: str) -> list[tuple[int, int]]:
            return [(at, at + 1) for at, letter in enumerate(text) if not letter.isspace()]

    small = config.replace("passages.size", 20)
    sync(settings=small)
    added = add_vectors(small, Letters("two"))
    assert replace(added, seconds=0.0) == IndexReport(passages=2, encoded=2)
    assert add_vectors(small, Letters("two")).encoded == 0
    assert whole(small)
    assert open_store(config).missing("two") == 0


@ON_FILES
def test_adding_vectors_is_no_indexing_of_articles(sync, config):
    sync()
    with sqlite3.connect(config.index.path / FILE) as db:
        db.execute("UPDATE meta SET value = 'long ago' WHERE name = 'indexed_at'")
    add_vectors(config, FakeEncoder("two"))
    assert open_store(config).info()["indexed_at"] == "long ago"
    sync(encoder=FakeEncoder("three"))
    assert open_store(config).info()["indexed_at"] == "long ago"
    index_articles(config, [article("new", SEA)], encoder=FakeEncoder())
    assert open_store(config).info()["indexed_at"] != "long ago"


def test_vectors_cannot_be_added_where_there_is_no_index(config):
    with pytest.raises(StoreError, match=r"^no index in"):
        add_vectors(config, FakeEncoder("two"))
    assert not config.index.path.exists()


def test_only_the_new_article_is_encoded_after_the_way_back(sync, config, folder):
    sync(encoder=FakeEncoder("one"))
    write(folder / "sun.txt", "The sun is hot and bright.")
    assert sync(encoder=FakeEncoder("two")).encoded == 3
    assert sync(encoder=FakeEncoder("one")).encoded == 1


def test_another_passage_size_and_back(sync, config):
    small = config.replace("passages.size", 16)
    long = config.replace("passages.size", 50)
    text = " ".join(f"Sentence number {n} is here." for n in range(20))
    index_articles(long, [article("one", text)], encoder=FakeEncoder())
    before = open_store(config).passages(range(99)).values()
    report = index_articles(small, [], encoder=FakeEncoder())
    assert report.passages > len(before)
    assert all(len(FakeEncoder().token_offsets(p.text)) <= 16 for p in open_store(config).passages(range(99)).values())
    assert whole(config)
    again = index_articles(long, [], encoder=FakeEncoder())
    assert again.encoded == 0
    after = open_store(config).passages(range(99)).values()
    assert [(p.start, p.end) for p in after] == [(p.start, p.end) for p in before]
    assert whole(config)


# What can go wrong


def test_progress_is_told_by_stage(config, folder):
    heard: list[tuple[str, int, int]] = []
    index_paths(config, [folder], progress=lambda *told: heard.append(told), encoder=FakeEncoder())
    index_paths(config, [folder], progress=lambda *told: heard.append(told), encoder=FakeEncoder("two"))
    assert heard[:4] == [("reading", 0, 2), ("reading", 1, 2)] * 2
    assert heard[4:] == ([("encoding", 0, 2)] if config.index.store == "sqlite" else [("splitting", 0, 2), ("splitting", 1, 2)])


def test_an_encoder_that_fails_in_the_middle_leaves_what_was_committed(config, folder, monkeypatch):
    class Tired(FakeEncoder):
        def encode_passages(self, texts):
            if any("sky" in text for text in texts):
                raise RuntimeError("out of memory")
            return super().encode_passages(texts)

    monkeypatch.setattr("qa.batches.BATCH", 1)
    with pytest.raises(RuntimeError, match="out of memory"):
        index_paths(config, [folder], encoder=Tired())
    assert list(stored(config).values()) == [SEA]
    assert whole(config)
    report = index_paths(config, [folder], encoder=FakeEncoder())
    assert (len(report.added), report.unchanged) == (1, 1)


def test_a_second_writer_in_one_process_is_told_who_holds_the_index(config):
    config.index.path.mkdir()
    with writer_lock(config.index.path, 0), pytest.raises(IndexBusy, match=rf"^process {os.getpid()} \(since .*\) is writing the index in"):
        index_articles(config, [article("a", SEA)], encoder=FakeEncoder())
    assert index_articles(config, [article("a", SEA)], encoder=FakeEncoder()).added == ("a",)


def test_leftovers_of_a_killed_writer_go(filled, config):
    filled(article("a", SEA))
    leftover = config.index.path / "vectors-fa4e.faiss.1234.tmp"
    leftover.write_bytes(b"half")
    filled(article("b", SKY))
    assert not leftover.exists()


def test_an_index_folder_that_is_a_file_is_one_line(config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"^the index in .*/file cannot be used: File exists"):
        index_articles(config.replace("index.path", tmp_path / "file"), [], encoder=FakeEncoder())


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KiB where we may mount one."""
    place = tmp_path / "tiny"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=400k tmpfs {place} 2>/dev/null") != 0:
        pytest.skip("mounting needs root")
    yield place
    os.system(f"umount --lazy {place}")  # a test that failed may hold it still


@ON_FILES
def test_a_full_disk_is_told_and_what_was_committed_is_kept(config, tiny_disk):
    tiny = config.replace("index.path", tiny_disk / "index")
    index_articles(tiny, [article("a", SEA)], encoder=FakeEncoder())
    before = stored(tiny)
    with pytest.raises(StoreError, match=r"is full; what was committed is kept \(make room and run the same command again\)"):
        index_articles(tiny, (article(f"n{n}", f"{SKY} {n} " * 200) for n in range(500)), encoder=FakeEncoder())
    after = stored(tiny)
    assert before.items() <= after.items()
    assert whole(tiny) or len(after) > 1


@ON_FILES
def test_a_disk_that_fills_up_while_the_vectors_are_saved_is_told_and_nothing_is_lost(filled, config, monkeypatch):
    filled(article("a", SEA))

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qa.vector_files.replace_file", full)
    with pytest.raises(StoreError, match="is full; what was committed is kept"):
        index_articles(config, [article("b", SKY)], encoder=FakeEncoder())
    monkeypatch.undo()
    assert stored(config) == {"a": SEA, "b": SKY}
    assert index_articles(config, [article("b", SKY)], encoder=FakeEncoder()).encoded == 0


def test_a_run_killed_between_an_article_and_its_file_leaves_nothing_that_cannot_be_pruned(config, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("qa.batches.BATCH", 1)  # an article is committed as soon as it is cut
    monkeypatch.setattr("qa.indexer._Run._file_done", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "whale.txt").write_text("A whale swam into the harbour on Monday.")
    with pytest.raises(KeyboardInterrupt):
        index_paths(config, [folder], encoder=encoder)
    monkeypatch.undo()
    (folder / "whale.txt").unlink()
    assert len(index_paths(config, [folder], prune=True, encoder=encoder).removed) == 1


# What was refused is kept until the file is read or gone


def kept(config: Config) -> list[tuple[str, str]]:
    with open_store(config) as store:
        return [(Path(refusal.path).name, refusal.reason) for refusal in store.refusals()]


def test_what_was_refused_is_kept_until_it_can_be_read(sync, config, folder):
    (folder / "empty.txt").write_text("")
    rows(folder / "wire.jsonl", {"text": SEA + SKY}, "nonsense")
    report = sync()
    assert kept(config) == [(Path(refusal.path).name, refusal.reason) for refusal in report.refused]
    assert [name for name, _ in kept(config)] == ["empty.txt", "wire.jsonl:2"]
    write(folder / "empty.txt", SEA)
    rows(folder / "wire.jsonl", {"text": SEA + SKY}, {"text": SKY + SEA})
    sync()
    assert kept(config) == []


def test_what_was_refused_elsewhere_is_kept_and_what_is_gone_is_not(sync, config, folder, tmp_path):
    (folder / "empty.txt").write_text("")
    other = write(tmp_path / "other.txt", SKY)
    sync()
    sync(other)
    assert [name for name, _ in kept(config)] == ["empty.txt"]
    (folder / "empty.txt").unlink()
    sync(other)
    assert kept(config) == []


def test_a_path_that_never_was_is_told_and_not_kept(sync, config, folder, tmp_path):
    sync()
    assert sync(tmp_path / "nowhere").refused
    assert kept(config) == []


def test_a_refusal_is_no_new_generation(sync, config, folder):
    sync()
    (folder / "empty.txt").write_text("")
    with open_store(config) as store:
        before = store.identity
        sync()
        assert store.identity == before
    assert len(kept(config)) == 1


@ON_FILES
def test_an_index_of_an_earlier_version_has_no_refusals_and_takes_them_when_written(sync, config, folder):
    sync()
    with sqlite3.connect(config.index.path / FILE) as db:
        db.execute("DROP TABLE refusals")
    assert kept(config) == []
    (folder / "empty.txt").write_text("")
    sync()
    assert [name for name, _ in kept(config)] == ["empty.txt"]
