"""Every fault that can be put into an index is found, and mended; a whole index has none."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, article

from qa import seal
from qa.check import check_index
from qa.config import Config
from qa.database import FILE
from qa.errors import IndexBusy, StoreError
from qa.indexer import index_articles, index_paths, remove_articles
from qa.pipeline import Pipeline
from qa.repair import repair_index
from qa.salvage import SAVED
from qa.seal import SEAL, verify
from qa.store import Store
from qa.store_writer import StoreWriter

TEXT = "Whales live in the deep sea. They sing to each other over hundreds of miles. " * 6


def silent(stage: str, done: int, total: int) -> None:
    pass


def parts(config: Config, encoder: FakeEncoder) -> list[str]:
    return [fault.part for fault in check_index(config.index.path, encoder)]


def change(config: Config, *statements: str) -> None:
    """What a disk or another program may do to the file of a writer that was killed, which has no seal."""
    (config.index.path / SEAL).unlink(missing_ok=True)
    db = sqlite3.connect(config.index.path / FILE)
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


@pytest.fixture
def indexed(tmp_path: Path, config: Config, encoder: FakeEncoder) -> Config:
    """Three articles from files, one from no file."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for name in ("sea", "sky", "sun"):
        (folder / f"{name}.txt").write_text(f"About the {name}\n\n{TEXT} It is the {name}.", encoding="utf-8")
    index_paths(config, [folder], encoder=encoder)
    index_articles(config, [article("loose", f"Loose leaves fall. {TEXT}")], encoder=encoder)
    return config


def text_of(config: Config, name: str) -> str:
    with Store.open(config.index.path) as store:
        return next(found.text for s in store.summaries() if s.id.startswith(name) and (found := store.article(s.id)))


def test_a_whole_index_has_no_fault_and_nothing_to_mend(indexed, encoder):
    before = (indexed.index.path / FILE).read_bytes()
    assert check_index(indexed.index.path, encoder) == []
    assert repair_index(indexed, encoder, silent) == []
    assert (indexed.index.path / FILE).read_bytes() == before


def test_an_index_that_is_not_there_is_no_whole_one(config, encoder):
    with pytest.raises(StoreError, match="no index"):
        check_index(config.index.path, encoder)


def test_a_letter_changed_on_the_disk_is_found_and_read_again_from_the_file(indexed, encoder):
    change(indexed, "UPDATE articles SET text = replace(text, 'deep sea', 'deep pea') WHERE id LIKE 'sky%'")
    assert parts(indexed, encoder) == ["passages", "full text"]
    assert any("read again from" in line for line in repair_index(indexed, encoder, silent))
    assert parts(indexed, encoder) == []
    assert "deep sea" in text_of(indexed, "sky")
    assert "deep pea" not in text_of(indexed, "sky")


def test_a_changed_article_without_a_file_is_kept_and_named(indexed, encoder):
    change(indexed, "UPDATE articles SET text = replace(text, 'Loose', 'Moose') WHERE id = 'loose'")
    assert any("loose was cut anew as it is" in line for line in repair_index(indexed, encoder, silent))
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).search("moose leaves fall")[0].passage.article_id == "loose"


def test_a_moved_offset_is_found_and_mended(indexed, encoder):
    change(indexed, "UPDATE passages SET first = first + 1 WHERE number = 1")
    assert "passages" in parts(indexed, encoder)
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []


def test_a_full_text_index_that_lost_its_words_is_made_anew(indexed, encoder):
    change(indexed, "INSERT INTO fulltext (fulltext, rowid, title, text) SELECT 'delete', number, title, text FROM passage_texts")
    assert parts(indexed, encoder) == ["full text"]
    assert repair_index(indexed, encoder, silent) == ["the full-text index was made anew"]
    assert parts(indexed, encoder) == []


@pytest.mark.parametrize(
    "vector", ["zeroblob(length(vector))", "x'00'", "CAST(x'007e' || substr(vector, 3) AS BLOB)"], ids=["zero", "short", "NaN"]
)
def test_vectors_that_are_none_are_encoded_again(indexed, encoder, vector):
    change(indexed, f"UPDATE vectors SET vector = {vector}")
    assert parts(indexed, encoder) == ["vectors"]
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []


def test_vectors_of_other_texts_are_told_by_encoding_a_sample_again(indexed, encoder):
    other = np.zeros(64, "<f2")
    other[63] = 1
    change(indexed, f"UPDATE vectors SET vector = x'{other.tobytes().hex()}', checksum = NULL")
    for path in indexed.index.path.glob("vectors-*"):
        path.unlink()
    assert check_index(indexed.index.path) == []
    assert parts(indexed, encoder) == ["vectors"]
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []


def test_a_damaged_faiss_file_is_found_and_made_anew(indexed, encoder):
    (path,) = indexed.index.path.glob("vectors-*.safetensors")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert parts(indexed, encoder) == ["faiss"]
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []
    assert path.exists()


def test_of_a_damaged_file_every_readable_article_is_saved_and_the_file_is_kept(indexed, encoder):
    path = indexed.index.path / FILE
    before = {name: text_of(indexed, name) for name in ("sea", "sky", "sun", "loose")}
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'passages'").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(data)
    assert parts(indexed, encoder) == ["file"]
    (line,) = repair_index(indexed, encoder, silent)
    assert line.startswith("4 articles were saved")
    assert parts(indexed, encoder) == []
    assert {name: text_of(indexed, name) for name in before} == before
    assert len(list(indexed.index.path.glob(f"{FILE}.damaged-*"))) == 1
    again = index_paths(indexed, [], encoder=encoder)  # the folder is still known
    assert (len(again.changed), again.encoded) == (3, 0)


def test_a_file_that_is_no_database_any_more_is_told_and_kept(indexed, encoder):
    (indexed.index.path / FILE).write_bytes(b"?" * 5000)
    (fault,) = check_index(indexed.index.path, encoder)
    assert fault.part == "file" and "damaged: file is not a database" in fault.what
    with pytest.raises(StoreError, match=r"is damaged: its bytes are not those that were written \(mend it: qa repair --index "):
        Store.open(indexed.index.path)
    assert repair_index(indexed, encoder, silent)[0].startswith("0 articles were saved")
    assert len(list(indexed.index.path.glob(f"{FILE}.damaged-*"))) == 1


def test_without_its_first_page_a_file_still_gives_its_articles(indexed, encoder):
    data = bytearray((indexed.index.path / FILE).read_bytes())
    data[:4096] = bytes(4096)
    (indexed.index.path / FILE).write_bytes(data)
    assert repair_index(indexed, encoder, silent)[0].startswith("4 articles were saved")
    assert parts(indexed, encoder) == []
    assert text_of(indexed, "loose").startswith("Loose leaves fall.")


def test_a_change_that_no_comparison_tells_breaks_the_seal_and_files_are_read_again(indexed, encoder):
    path = indexed.index.path / FILE
    with Store.open(indexed.index.path) as store:
        known = next(sha256 for file, sha256 in store.file_hashes().items() if file.endswith("sky.txt")).encode()
    path.write_bytes(path.read_bytes().replace(known, known[::-1]))
    assert parts(indexed, encoder) == ["file"]
    for use in (lambda: Store.open(indexed.index.path), lambda: index_paths(indexed, [], encoder=encoder)):
        with pytest.raises(StoreError, match="mend it: qa repair"):
            use()
    assert repair_index(indexed, encoder, silent)[0].startswith("4 articles were saved")
    index_paths(indexed, [], prune=True, encoder=encoder)
    with Store.open(indexed.index.path) as store:
        assert sorted(Path(s.path or "").stem for s in store.summaries()) == ["", "sea", "sky", "sun"]
    assert parts(indexed, encoder) == []


def test_beside_what_is_told_all_files_are_doubted_once_the_seal_is_broken(indexed, encoder):
    path = indexed.index.path / FILE
    path.write_bytes(path.read_bytes().replace(b"It is the sky", b"It is the spy"))
    assert "passages" in parts(indexed, encoder)
    assert any("reads all files again" in line for line in repair_index(indexed, encoder, silent))
    assert len(index_paths(indexed, [], encoder=encoder).changed) == 2


def test_looking_at_the_seal_leaves_the_locks_of_open_connections(indexed, encoder):
    """POSIX drops a process's locks on a file when it closes any handle of it; a writer would then take away the readers' log."""
    with Store.open(indexed.index.path) as store, store.snapshot():
        verify(indexed.index.path)
        (inode,) = {str((indexed.index.path / FILE).stat().st_ino)}
        locks = Path("/proc/locks")
        if not locks.exists():
            pytest.skip("only Linux lists the locks")
        assert any(f":{inode} " in line and f" {os.getpid()} " in line for line in locks.read_text().splitlines())


def test_of_a_large_file_samples_are_sealed_and_it_is_still_the_same_store(indexed, encoder, monkeypatch):
    monkeypatch.setattr(seal, "LARGEST", 1000)
    monkeypatch.setattr(seal, "BLOCK", 16)
    Store.open(indexed.index.path).close()  # a seal of the whole holds, however large the file
    index_articles(indexed, [article("new", "Larks sing.")], encoder=encoder)
    assert (indexed.index.path / SEAL).read_text().startswith("samples ")
    assert check_index(indexed.index.path, encoder) == []
    with Store.open(indexed.index.path) as store:
        before = store.identity[0]
    index_articles(indexed, [article("newer", "Larks sing on.")], encoder=encoder)
    with Store.open(indexed.index.path) as store:
        assert store.identity[0] == before  # else all that is derived would be made anew at each run
    path = indexed.index.path / FILE
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(StoreError, match="mend it"):
        Store.open(indexed.index.path)


def test_a_seal_that_is_itself_damaged_is_none(indexed, encoder):
    path = indexed.index.path / SEAL
    path.write_bytes(b"0" + path.read_bytes()[1:])
    assert parts(indexed, encoder) == []
    Store.open(indexed.index.path).close()


def test_vectors_that_were_saved_from_wrong_ones_are_not_kept_after_a_repair(indexed, encoder):
    answered = Pipeline(indexed, encoder=encoder).search("the sun")
    change(indexed, "UPDATE vectors SET vector = zeroblob(length(vector)), checksum = NULL")
    (saved,) = indexed.index.path.glob("vectors-*.safetensors")
    saved.unlink()
    index_articles(indexed, [], encoder=encoder)  # saves what is there
    repair_index(indexed, encoder, silent)
    assert Pipeline(indexed, encoder=encoder).search("the sun") == answered


def test_an_open_page_forgets_the_vectors_from_before_a_repair(indexed, encoder):
    answered = Pipeline(indexed, encoder=encoder).search("the sun")
    change(indexed, "UPDATE vectors SET vector = zeroblob(length(vector)), checksum = NULL")
    (saved,) = indexed.index.path.glob("vectors-*.safetensors")
    saved.unlink()
    page = Pipeline(indexed, encoder=encoder)
    assert page.search("the sun") != answered
    repair_index(indexed, encoder, silent)
    assert page.search("the sun") == answered


def test_a_repair_that_was_killed_is_taken_up_by_the_next(indexed, encoder, monkeypatch):
    change(indexed, "UPDATE vectors SET vector = zeroblob(length(vector)), checksum = NULL")
    monkeypatch.setattr("qa.repair._make_anew", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        repair_index(indexed, encoder, silent)
    monkeypatch.undo()
    assert repair_index(indexed, encoder, silent)
    assert Pipeline(indexed, encoder=encoder).search("the sun")


def test_a_new_file_that_was_not_yet_in_place_is_put_there_by_the_next_writer(indexed, encoder):
    folder = indexed.index.path
    (folder / FILE).rename(folder / SAVED)
    (folder / FILE).write_bytes(b"damaged")
    (folder / f"{FILE}-wal").write_bytes(b"another file's log")
    assert parts(indexed, encoder) == ["file"]
    with pytest.raises(StoreError, match=r"was interrupted \(bring it to its end: qa repair"):
        Store.open(folder)
    index_articles(indexed, [], encoder=encoder)
    assert parts(indexed, encoder) == []
    assert len(Pipeline(indexed, encoder=encoder).articles()) == 4


def test_what_an_earlier_repair_kept_is_not_overwritten_when_the_clock_goes_backwards(indexed, encoder, monkeypatch):
    class Stopped(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> datetime:
            return datetime(2001, 1, 1, tzinfo=zone)

    for module in ("qa.repair", "qa.store_writer"):
        monkeypatch.setattr(f"{module}.datetime", Stopped)
    for _ in range(2):
        path = indexed.index.path / FILE
        path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
        assert repair_index(indexed, encoder, silent)[0].startswith("4 articles were saved")
    assert len(list(indexed.index.path.glob(f"{FILE}.damaged-*"))) == 2
    index_articles(indexed, [article("one", "Nobody expects a purple elephant.")], encoder=encoder)
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).search("purple elephant")[0].passage.article_id == "one"


def test_what_a_killed_repair_left_half_made_goes(indexed, encoder):
    (indexed.index.path / "salvage-x").mkdir()
    (indexed.index.path / "salvage-x" / FILE).write_bytes(b"half")
    index_paths(indexed, [], encoder=encoder)
    assert not (indexed.index.path / "salvage-x").exists()


def test_a_new_file_whose_log_could_not_be_folded_back_is_not_taken(indexed, encoder, monkeypatch):
    """The disk is full, say: what is in the log alone would be lost."""
    data = bytearray((indexed.index.path / FILE).read_bytes())
    data[:4096] = bytes(4096)
    (indexed.index.path / FILE).write_bytes(data)
    monkeypatch.setattr("qa.repair.log_size", lambda place: place.name.startswith("salvage-"))
    with pytest.raises(StoreError, match="is full"):
        repair_index(indexed, encoder, silent)
    assert (indexed.index.path / FILE).read_bytes() == data


def test_a_store_put_back_from_a_copy_is_not_searched_with_the_vectors_of_what_came_after(indexed, encoder):
    folder = indexed.index.path
    copy = (folder / FILE).read_bytes()
    page = Pipeline(indexed, encoder=encoder)
    index_articles(indexed, [article("one", "Nobody expects a purple elephant.")], encoder=encoder)
    assert page.search("purple elephant")[0].passage.article_id == "one"
    (folder / "copy").write_bytes(copy)
    (folder / "copy").replace(folder / FILE)
    (folder / SEAL).unlink()
    assert all(hit.passage.article_id != "one" for hit in page.search("purple elephant"))
    later = [article("two", "Green tea is drunk hot."), article("three", "A purple elephant walks.")]
    index_articles(indexed, later, encoder=encoder)
    clean = Pipeline(indexed, encoder=encoder).search("purple elephant")
    assert clean[0].passage.article_id == "three"
    assert page.search("purple elephant") == clean


def test_articles_behind_a_gap_of_removed_ones_are_saved_too(indexed, encoder, monkeypatch):
    monkeypatch.setattr("qa.repair.MISSES", 10)
    many = [article(f"a{n}", f"Short piece number {n}.") for n in range(30)]
    index_articles(indexed, many, encoder=encoder)
    remove_articles(indexed, [one.id for one in many[:-1]])
    db = sqlite3.connect(indexed.index.path / FILE)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bands_article'").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    data = bytearray((indexed.index.path / FILE).read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    (indexed.index.path / FILE).write_bytes(data)
    (line,) = repair_index(indexed, encoder, silent)
    assert line.startswith("5 articles were saved")


def test_an_index_that_is_being_written_is_not_called_damaged(indexed, encoder, monkeypatch):
    monkeypatch.setattr("qa.check.BUSY_SECONDS", 0)
    writer = sqlite3.connect(indexed.index.path / FILE, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(IndexBusy, match="locked by another process"):
        check_index(indexed.index.path, encoder)
    writer.close()
    assert check_index(indexed.index.path, encoder) == []


def flip(config: Config, table: str, column: str, condition: str = "1", byte: int = 0, bit: int = 0) -> None:
    """One bit of a value in a file that has no seal, as a killed writer leaves it."""
    (config.index.path / SEAL).unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(config.index.path / FILE)) as db, db:
        (value,) = db.execute(f"SELECT {column} FROM {table} WHERE {condition}").fetchone()
        data = bytearray(value if isinstance(value, bytes) else value.encode())
        data[byte] ^= 1 << bit
        flipped = bytes(data) if isinstance(value, bytes) else data.decode()
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (flipped, value))


def forget_saved(config: Config) -> None:
    for path in config.index.path.glob("vectors-*"):
        path.unlink()


@pytest.mark.parametrize("bit", range(16))
def test_a_bit_of_a_stored_vector_is_noticed_when_it_is_asked_and_mended(indexed, encoder, bit):
    """Also one that leaves the length as it was, such as the sign."""
    answered = Pipeline(indexed, encoder=encoder).search("the sun")
    flip(indexed, "vectors", "vector", byte=40 + bit // 8, bit=bit % 8)
    forget_saved(indexed)
    with pytest.raises(StoreError, match=r"^.*articles\.sqlite is damaged: a vector is not the one that was written \(mend it: qa repair"):
        Pipeline(indexed, encoder=encoder).search("the sun")
    assert parts(indexed, encoder) == ["vectors"]
    assert "1 damaged vector of encoder fa4e was removed" in repair_index(indexed, encoder, silent)[0]
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).search("the sun") == answered


def test_of_all_vectors_only_the_damaged_one_is_encoded_again(indexed, encoder, monkeypatch):
    flip(indexed, "vectors", "vector", bit=6)
    written: list[int] = []
    put = StoreWriter.put_vectors
    monkeypatch.setattr(
        StoreWriter, "put_vectors", lambda store, name, rows, found: (written.append(len(rows)), put(store, name, rows, found))
    )
    repair_index(indexed, encoder, silent)
    assert written == [1]


def test_a_damaged_vector_is_not_taken_for_another_article_with_the_same_words(indexed, encoder):
    flip(indexed, "vectors", "vector", "article = 4")
    with Store.open(indexed.index.path) as store:
        keys = [key for (key,) in store.query("SELECT key FROM vectors WHERE article = 4")]
        assert len(store.known_vectors(encoder.fingerprint, keys)) < len(keys)


@pytest.mark.parametrize("dimension", [66, 0])
def test_a_damaged_number_of_dimensions_is_mended(indexed, encoder, dimension):
    answered = Pipeline(indexed, encoder=encoder).search("the sun")
    change(indexed, f"UPDATE encoders SET dimension = {dimension}")
    assert parts(indexed, encoder) == ["vectors"]
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).search("the sun") == answered


def test_changed_words_are_not_shown_though_there_is_no_seal(indexed, encoder):
    change(indexed, "UPDATE articles SET text = replace(text, 'deep sea', 'deep pea') WHERE id LIKE 'sky%'")
    with pytest.raises(StoreError, match=r"is damaged: a passage is not the one that was written \(mend it: qa repair"):
        Pipeline(indexed, encoder=encoder).search("whales of the sky")


def test_damage_of_which_sqlite_says_what_is_no_text_is_told_and_mended(indexed, encoder):
    (indexed.index.path / SEAL).unlink()
    path = indexed.index.path / FILE
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE bands", b"CREATE TABLE \xcc\xccnds", 1))
    with pytest.raises(StoreError, match=r"is damaged: .* \(mend it: qa repair"):
        Store.open(indexed.index.path)
    assert parts(indexed, encoder) == ["file"]
    assert repair_index(indexed, encoder, silent)[0].startswith("4 articles were saved")
    assert parts(indexed, encoder) == []


def test_an_article_that_was_changed_in_a_damaged_file_is_named(indexed, encoder):
    change(indexed, "UPDATE articles SET author = 'Nobody' WHERE id = 'loose'", "DELETE FROM articles WHERE id LIKE 'sky%'")
    assert set(parts(indexed, encoder)) == {"file"}
    (line,) = repair_index(indexed, encoder, silent)
    assert line.endswith("qa index reads their files again; look at loose, which may have changed")


def test_a_passage_whose_article_is_gone_is_damage(indexed, encoder):
    """As in a file that was cut short, where SQLite takes what is missing for empty pages."""
    change(indexed, "DELETE FROM articles WHERE id = 'loose'")
    with Store.open(indexed.index.path) as store, pytest.raises(StoreError, match="is damaged: a passage belongs to no article"):
        store.places(store.passage_numbers().tolist())
    assert set(parts(indexed, encoder)) == {"file"}
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []


@pytest.mark.parametrize("column", ["author", "title", "source", "published", "text"])
def test_a_changed_fact_of_an_article_is_found_not_shown_and_read_again(indexed, encoder, column):
    with Store.open(indexed.index.path) as store:
        (known,) = [store.article(one.id) for one in store.summaries() if one.id.startswith("sky")]
    change(indexed, f"UPDATE articles SET {column} = '2020-01-01' WHERE id LIKE 'sky%'")
    with pytest.raises(StoreError, match=r"is damaged: an article is not the one that was written \(mend it: qa repair"):
        Pipeline(indexed, encoder=encoder).article(known.id)
    assert "passages" in parts(indexed, encoder)
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).article(known.id) == known


def test_a_changed_author_of_an_article_without_a_file_is_named(indexed, encoder):
    change(indexed, "UPDATE articles SET author = 'Nobody' WHERE id = 'loose'")
    assert any("look at it (qa show loose)" in line for line in repair_index(indexed, encoder, silent))
    assert parts(indexed, encoder) == []


def test_an_article_that_cannot_be_read_as_one_is_saved_without_harm_to_the_others(indexed, encoder):
    change(indexed, "UPDATE articles SET published = '2O26-01-01' WHERE id = 'loose'")
    assert parts(indexed, encoder) == ["file"]
    repair_index(indexed, encoder, silent)
    assert parts(indexed, encoder) == []


def test_an_index_of_the_version_before_checksums_is_read_as_it_is_and_gets_them_when_written(indexed, encoder):
    answered = Pipeline(indexed, encoder=encoder).search("the sun")
    columns = ("ALTER TABLE articles DROP COLUMN checksum", "ALTER TABLE vectors DROP COLUMN checksum")
    change(indexed, *columns, "PRAGMA user_version = 1")
    assert parts(indexed, encoder) == []
    assert Pipeline(indexed, encoder=encoder).search("the sun") == answered
    index_articles(indexed, [article("new", "Nobody expects a purple elephant.")], encoder=encoder)
    assert parts(indexed, encoder) == []
    forget_saved(indexed)
    assert Pipeline(indexed, encoder=encoder).search("purple elephant")[0].passage.article_id == "new"
    flip(indexed, "vectors", "vector", "checksum IS NOT NULL")
    assert parts(indexed, encoder) == ["vectors"]
