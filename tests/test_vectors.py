"""The derived index: in step with the store, or made anew from it without encoding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, article

from qa import vector_files, vectors
from qa.config import Config
from qa.disk import replace_file
from qa.indexer import add_vectors, index_articles, remove_articles
from qa.store import Store
from qa.store_writer import StoreWriter
from qa.vector_lists import learned
from qa.vector_parts import Part, part_of, piece_of

Fill = Callable[..., Config]


@pytest.fixture
def filled_store(filled: Fill) -> Store:
    return Store.open(filled(article("a", "Red apples."), article("b", "Green pears."), article("c", "Blue plums.")).index.path)


@pytest.fixture
def built(monkeypatch) -> list[int]:
    """How many vectors were taken from the store, each time that some were."""
    sizes: list[int] = []
    stored = Store.vectors

    def counting(self, fingerprint, numbers):
        sizes.append(len(numbers))
        return stored(self, fingerprint, numbers)

    monkeypatch.setattr(Store, "vectors", counting)
    return sizes


def ask(index: vectors.VectorIndex, text: str, k: int = 10, allowed: list[int] | None = None) -> list[int]:
    chosen = None if allowed is None else index.chosen(np.array(allowed, dtype=np.int64))
    (row,) = index.search(FakeEncoder().encode_questions([text]), k, chosen)
    return [number for number, _ in row]


def saved(store: Store) -> Path:
    (path,) = store.folder.glob("vectors-fa4e-*")
    return path


def manifest(store: Store) -> Path:
    return store.folder / "vectors-fa4e.json"


def test_the_nearest_passage_is_first_with_its_cosine(filled_store):
    index = vectors.open_vectors(filled_store, "fa4e")
    question = FakeEncoder().encode_questions(["green pears"])
    (row,) = index.search(question, 1)
    assert [number for number, _ in row] == [2]
    stored = filled_store.vectors("fa4e", np.array([2])).astype(np.float32)[0]
    assert row[0][1] == pytest.approx(float(question[0] @ stored), abs=1e-6)
    assert index.cosines(question[0], [2, 99]) == {2: pytest.approx(row[0][1])}
    assert index.cosines(question[0], []) == {}


def test_k_larger_than_the_corpus_gives_all_of_it(filled_store):
    assert sorted(ask(vectors.open_vectors(filled_store, "fa4e"), "pears", k=1000)) == [1, 2, 3]


def test_the_files_of_two_encoders_stand_side_by_side_and_a_build_of_one_leaves_the_other_as_it_is(config, filled_store, built):
    before = vectors.open_vectors(filled_store, "fa4e")
    own = saved(filled_store).read_bytes()
    add_vectors(config, FakeEncoder("0the", boxes=32))
    assert [path.name.split("-")[1] for path in vector_files.saved_files(filled_store.folder)] == ["0the", "0the.json", "fa4e", "fa4e.json"]
    after = vectors.in_step(before, filled_store, "fa4e")
    assert (after.identity, after.loose) == (filled_store.identity, before.loose)  # the same one, not a copy
    other = vectors.open_vectors(filled_store, "0the")
    assert (saved(filled_store).read_bytes(), after.loose.faiss_index.d, other.loose.faiss_index.d) == (own, 64, 32)
    assert built == [3]  # the second encoder's, once


def test_only_allowed_passages_are_found_and_no_padding(filled_store):
    index = vectors.open_vectors(filled_store, "fa4e")
    assert ask(index, "green pears", k=3, allowed=[3]) == [3]
    assert ask(index, "green pears", allowed=[]) == []
    assert ask(index, "green pears", allowed=[77]) == []


def test_an_empty_index_finds_nothing(tmp_path):
    store = StoreWriter.open(tmp_path / "index")
    index = vectors.open_vectors(store, "fa4e")
    assert ask(index, "anything") == []
    assert index.cosines(np.ones(64, np.float32), [1]) == {}


def test_an_index_that_was_empty_can_grow(config, filled):
    index_articles(config, [], encoder=FakeEncoder())
    store = Store.open(config.index.path)
    empty = vectors.open_vectors(store, "fa4e")
    filled(article("a", "Red apples."))
    assert ask(vectors.in_step(empty, store, "fa4e"), "apples") == [1]
    assert ask(vectors.open_vectors(store, "fa4e"), "apples") == [1]


def test_a_saved_file_in_step_is_loaded(filled_store, built):
    index = vectors.open_vectors(filled_store, "fa4e")
    assert built == []
    assert (index.identity, index.numbers.tolist()) == (filled_store.identity, [1, 2, 3])


def test_indexing_saves_the_file_with_its_generation_and_hash(filled_store):
    said = json.loads(manifest(filled_store).read_text())
    store, generation = filled_store.identity
    loose = hashlib.sha256(saved(filled_store).read_bytes()).hexdigest()
    told = {"format": 4, "store": store, "generation": generation, "passages": 3, "loose": loose, "listed": [], "lists": None}
    assert {**said, "sha256": ""} == {**told, "sha256": ""}
    assert not list(filled_store.folder.glob("*.tmp"))


def test_a_file_that_lags_is_brought_up_to_date_and_removed_passages_never_come_back(config, filled_store, built):
    old, path = saved(filled_store).read_bytes(), saved(filled_store)
    old_manifest = manifest(filled_store).read_bytes()
    index_articles(config, [article("d", "Green limes.")], encoder=FakeEncoder())
    remove_articles(config, ["b"])
    path.write_bytes(old)
    manifest(filled_store).write_bytes(old_manifest)
    built.clear()
    index = vectors.open_vectors(filled_store, "fa4e")
    assert built == [1]
    assert index.numbers.tolist() == [1, 3, 4]
    assert sorted(ask(index, "green pears")) == [1, 3, 4]
    assert index.cosines(np.ones(64, np.float32), [2]) == {}


def test_older_readers_keep_their_own_index(config, filled_store):
    before = vectors.open_vectors(filled_store, "fa4e")
    remove_articles(config, ["b"])
    after = vectors.in_step(before, filled_store, "fa4e")
    assert (ask(before, "green pears", 1), ask(after, "green pears", 1)) != ([2], [2])
    assert before.numbers.tolist() == [1, 2, 3]
    assert vectors.in_step(after, filled_store, "fa4e") is after


def test_it_can_step_back_to_an_older_snapshot(config, filled_store):
    reader = Store.open(filled_store.folder)
    with reader.snapshot():
        remove_articles(config, ["b"])
        newer = vectors.open_vectors(StoreWriter.open(filled_store.folder), "fa4e")
        assert newer.numbers.tolist() == [1, 3]
        assert vectors.in_step(newer, reader, "fa4e").numbers.tolist() == [1, 2, 3]


def damage_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "one bit": damage_bytes,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}
DAMAGES_OF_MANIFEST = {
    "gone": lambda path: path.unlink(),
    "cut": lambda path: path.write_text('{"format": 1, "st'),
    "no object": lambda path: path.write_text("[1]"),
    "binary": lambda path: path.write_bytes(b"\xff\xfe\0"),
    "other format": lambda path: path.write_text('{"format": 2}'),
}


@pytest.mark.parametrize(
    ("file", "damage"),
    [*((saved, damage) for damage in DAMAGES.values()), *((manifest, damage) for damage in DAMAGES_OF_MANIFEST.values())],
)
def test_a_damaged_file_is_made_anew_without_encoding(filled_store, config, built, file, damage):
    damage(file(filled_store))
    assert ask(vectors.open_vectors(filled_store, "fa4e"), "green pears", 1) == [2]
    encoder = FakeEncoder()
    index_articles(config, [], encoder=encoder)
    assert encoder.encoded == []
    assert len(built) == 2
    vectors.open_vectors(filled_store, "fa4e")  # which the indexer saved
    assert len(built) == 2


def test_the_file_of_another_store_is_ignored(tmp_path, filled_store, built):
    other = Config().replace("index.path", tmp_path / "other")
    strangers = [article("x", "Nothing to do with it."), article("y", "Nor this."), article("z", "Or that.")]
    index_articles(other, strangers, encoder=FakeEncoder())
    for file in vector_files.saved_files(tmp_path / "other"):
        (filled_store.folder / file.name).write_bytes(file.read_bytes())
    built.clear()
    assert ask(vectors.open_vectors(filled_store, "fa4e"), "green pears", 1) == [2]
    assert built == [3]


def test_a_manifest_without_its_index_does_not_pass_for_whole(filled_store, config, built):
    """What it names was removed when another one had been written."""
    old = manifest(filled_store).read_bytes()
    index_articles(config, [article("d", "Green limes.")], encoder=FakeEncoder())
    manifest(filled_store).write_bytes(old)
    built.clear()
    assert vectors.open_vectors(filled_store, "fa4e").numbers.tolist() == [1, 2, 3, 4]
    assert built == [4]


def test_files_of_an_earlier_format_are_cleared_away(filled_store, config):
    before = vector_files.saved_files(filled_store.folder)
    (filled_store.folder / "vectors-fa4e.faiss").write_bytes(b"of 0.1")
    (filled_store.folder / "vectors-fa4e-0123456789abcdef.faiss").write_bytes(b"of 0.1")
    manifest(filled_store).write_text('{"format": 3}')
    index_articles(config, [], encoder=FakeEncoder())
    assert vector_files.saved_files(filled_store.folder) == before


@pytest.fixture
def large(monkeypatch, config, filled) -> Store:
    """Seven passages where three are the most that are compared one by one: two parts in lists and one loose passage."""
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 3)
    fruits = ["Red apples", "Green pears", "Blue plums", "Ripe figs", "Sour limes", "Sweet dates", "Black grapes"]
    return Store.open(filled(*(article(f"a{number}", f"{fruit}.") for number, fruit in enumerate(fruits))).index.path)


def sizes(index: vectors.VectorIndex) -> list[int]:
    return [len(part.numbers) for part in index.parts]


def listed(store: Store) -> list[int]:
    """How many passages each file of a part in lists has."""
    found = vector_files.read(store.folder, "fa4e", to_search=False)
    return [len(part.numbers) for part in found.listed]


def parts(store: Store) -> dict[str, int]:
    """name -> inode of the files in lists."""
    found = vector_files.read(store.folder, "fa4e", to_search=False)
    paths = [vector_files._path(store.folder, "fa4e", part.digest) for part in found.listed]
    return {path.name: path.stat().st_ino for path in paths}


def test_above_the_limit_most_of_it_is_in_lists_and_answers_and_filters_alike(large):
    index = vectors.open_vectors(large, "fa4e")
    assert (sizes(index), listed(large)) == ([1, 6], [3, 3])
    assert [ask(index, text, 1) for text in ("green pears", "sour limes", "black grapes")] == [[2], [5], [7]]
    assert ask(index, "green pears", allowed=[7, 4]) in ([4, 7], [7, 4])
    question = FakeEncoder().encode_questions(["sweet dates"])
    (row,) = index.search(question, 7)
    assert dict(row) == pytest.approx(index.cosines(question[0], range(1, 8)), abs=1e-6)


def test_adding_to_a_large_index_changes_no_large_file(large, config):
    before = parts(large)
    index_articles(config, [article("new", "Yellow melons.")], encoder=FakeEncoder())
    assert parts(large) == before and len(before) == 2
    index = vectors.open_vectors(large, "fa4e")
    assert (sizes(index), ask(index, "yellow melons", 1)) == ([2, 6], [8])


def test_a_page_that_is_open_finds_what_came_since(large, config, monkeypatch):
    before = vectors.open_vectors(large, "fa4e")
    more = ["Yellow melons", "Green kiwis", "Brown nuts"]
    index_articles(config, [article(text, f"{text}.") for text in more], encoder=FakeEncoder())
    for room, parts in ((4, [4, 6]), (3, [1, 6, 3])):
        monkeypatch.setattr(vectors, "ROOM", room)
        after = vectors.in_step(before, large, "fa4e")
        assert (sizes(after), [ask(after, text, 1) for text in more]) == (parts, [[8], [9], [10]])
        assert after.listed[0] is before.listed[0]


def test_a_page_that_is_open_makes_no_lists_while_it_can_do_without(filled, monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 3)
    store = Store.open(filled(article("a", "Red apples.")).index.path)
    before = vectors.open_vectors(store, "fa4e")
    filled(*(article(text, f"{text}.") for text in ("Green pears", "Blue plums", "Ripe figs")))
    assert (sizes(vectors.in_step(before, store, "fa4e")), sizes(vectors.open_vectors(store, "fa4e"))) == ([4], [1, 3])


def test_what_is_removed_from_a_large_index_is_not_found(large, config):
    before = parts(large)
    remove_articles(config, ["a1"])
    index_articles(config, [], encoder=FakeEncoder())
    assert parts(large) == before
    index = vectors.open_vectors(large, "fa4e")
    assert sorted(ask(index, "green pears")) == [1, 3, 4, 5, 6, 7]
    assert ask(index, "green pears", allowed=[2]) == []
    assert index.cosines(np.ones(64, np.float32), [2]) == {}


def test_lists_are_made_anew_when_much_was_removed_and_not_needed_for_few(large, config):
    before = parts(large)
    remove_articles(config, ["a1", "a2", "a3"])
    index_articles(config, [], encoder=FakeEncoder())
    assert sizes(vectors.open_vectors(large, "fa4e")) == [1, 3]
    assert set(parts(large)).isdisjoint(before) and len(parts(large)) == 1
    remove_articles(config, ["a0"])
    index_articles(config, [], encoder=FakeEncoder())
    assert (sizes(vectors.open_vectors(large, "fa4e")), parts(large)) == ([3], {})


def test_of_a_large_index_only_what_is_damaged_is_taken_from_the_store(large, config, built):
    damage_bytes(large.folder / next(iter(parts(large))))
    assert len(vector_files.faulty_files(large.folder, "fa4e")) == 1
    assert ask(vectors.open_vectors(large, "fa4e"), "green pears", 1) == [2]
    assert built[-1] == 3
    index_articles(config, [], encoder=FakeEncoder())
    assert vector_files.faulty_files(large.folder, "fa4e") == []


def test_a_writer_does_not_keep_what_is_large(large):
    index = vectors.saved(large, "fa4e", to_search=False)
    assert [part.faiss_index is None for part in index.parts] == [True, True, True]
    assert index.numbers.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_lists_do_not_depend_on_the_order_of_indexing(monkeypatch, tmp_path, config):
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 50)
    articles = [article(f"a{number}", f"Fruit {number} is {number * number} days old.") for number in range(60)]
    centres = []
    for name, order in (("one", articles), ("other", articles[::-1])):
        placed = config.replace("index.path", tmp_path / name)
        index_articles(placed, order, encoder=FakeEncoder())
        lists = vectors.open_vectors(Store.open(placed.index.path), "fa4e").lists
        centres.append((lists.probes, lists.centres.tolist()))
    assert centres[0] == centres[1]


def clustered(count: int, dimension: int = 24) -> np.ndarray:
    chance = np.random.default_rng(3)
    centres = chance.standard_normal((40, dimension))
    rows = centres[chance.integers(0, 40, count)] + 0.7 * chance.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, vectors.VectorIndex]:
    """6,000 vectors, numbered from 10 by tens, in lists."""
    rows, numbers = clustered(6000), np.arange(10, 60010, 10)
    lists = learned([rows[:1500], rows[1500:4000]], len(rows))
    pieces = [piece_of(lists, numbers[at : at + 2000], [rows[at : at + 1500], rows[at + 1500 : at + 2000]]) for at in (0, 2000, 4000)]
    part = part_of(lists, pieces, sum(piece.sizes for piece in pieces))
    return rows, vectors.VectorIndex("fa4e", ("", 1), numbers, Part(), (part,), lists)


def test_lists_find_nearly_all_true_neighbours_without_looking_everywhere(many):
    rows, index = many
    questions = clustered(6200)[6000:]
    found = index.search(questions, 10)
    true = [set((np.argsort(-row)[:10] + 1) * 10) for row in questions @ rows.T]
    recall = np.mean([len({number for number, _ in one} & other) / 10 for one, other in zip(found, true)])
    assert recall >= 0.98
    assert index.lists.probes < len(index.lists.centres) / 2


def test_some_lists_are_searched_in_any_case_for_questions_may_lie_farther_off_than_passages():
    rows = np.tile(np.eye(100, dtype=np.float32), (40, 1))
    lists = learned([rows], 10_000_000)
    assert (len(lists.centres), lists.probes) == (100, 5)


def test_few_allowed_passages_are_found_wherever_they_lie(many):
    _, index = many
    allowed = np.array([10, 30000, 60000])
    (found,) = index.search(clustered(1), 10, index.chosen(allowed))
    assert {number for number, _ in found} == set(allowed.tolist())


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(filled_store, monkeypatch):
    path = saved(filled_store)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == before
    assert not list(filled_store.folder.glob("*.tmp"))
