"""The derived index: in step with the store, or made anew from it without encoding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
from fakes import FakeEncoder, article

from qa import vectors
from qa.config import Config
from qa.disk import replace_file
from qa.indexer import add_vectors, index_articles, remove_articles
from qa.store import Store
from qa.store_writer import StoreWriter

Fill = Callable[..., Config]


@pytest.fixture
def filled_store(filled: Fill) -> Store:
    return Store.open(filled(article("a", "Red apples."), article("b", "Green pears."), article("c", "Blue plums.")).index.path)


@pytest.fixture
def built(monkeypatch) -> list[int]:
    """The sizes of the indexes that were made from the store's vectors alone."""
    sizes: list[int] = []
    build = vectors._build

    def counting(store, fingerprint, identity, numbers):
        sizes.append(len(numbers))
        return build(store, fingerprint, identity, numbers)

    monkeypatch.setattr(vectors, "_build", counting)
    return sizes


def ask(index: vectors.VectorIndex, text: str, k: int = 10, allowed: list[int] | None = None) -> list[int]:
    chosen = None if allowed is None else np.array(allowed, dtype=np.int64)
    (row,) = index.search(FakeEncoder().encode_questions([text]), k, chosen)
    return [number for number, _ in row]


def saved(store: Store) -> Path:
    return store.folder / "vectors-fa4e.faiss"


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
    assert sorted(path.name for path in filled_store.folder.glob("*.faiss")) == ["vectors-0the.faiss", "vectors-fa4e.faiss"]
    after = vectors.in_step(before, filled_store, "fa4e")
    assert (after.identity, after.faiss_index) == (filled_store.identity, before.faiss_index)  # the same one, not a copy
    other = vectors.open_vectors(filled_store, "0the")
    assert (saved(filled_store).read_bytes(), after.faiss_index.d, other.faiss_index.d) == (own, 64, 32)
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
    manifest = json.loads(saved(filled_store).with_suffix(".json").read_text())
    store, generation = filled_store.identity
    assert {**manifest, "sha256": ""} == {"format": 2, "store": store, "generation": generation, "passages": 3, "sha256": ""}
    assert not list(filled_store.folder.glob("*.tmp"))


def test_a_file_that_lags_is_brought_up_to_date_and_removed_passages_never_come_back(config, filled_store, built):
    old = saved(filled_store).read_bytes(), saved(filled_store).with_suffix(".json").read_bytes()
    index_articles(config, [article("d", "Green limes.")], encoder=FakeEncoder())
    remove_articles(config, ["b"])
    saved(filled_store).write_bytes(old[0])
    saved(filled_store).with_suffix(".json").write_bytes(old[1])
    index = vectors.open_vectors(filled_store, "fa4e")
    assert built == []
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
    "manifest gone": lambda path: path.with_suffix(".json").unlink(),
    "manifest cut": lambda path: path.with_suffix(".json").write_text('{"format": 1, "st'),
    "manifest no object": lambda path: path.with_suffix(".json").write_text("[1]"),
    "manifest binary": lambda path: path.with_suffix(".json").write_bytes(b"\xff\xfe\0"),
    "other format": lambda path: path.with_suffix(".json").write_text('{"format": 2}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew_without_encoding(filled_store, config, built, damage):
    DAMAGES[damage](saved(filled_store))
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
    for suffix in (".faiss", ".json"):
        file = saved(filled_store).with_suffix(suffix)
        file.write_bytes((tmp_path / "other" / file.name).read_bytes())
    built.clear()
    assert ask(vectors.open_vectors(filled_store, "fa4e"), "green pears", 1) == [2]
    assert built == [3]


def test_a_manifest_without_its_index_does_not_pass_for_whole(filled_store, config, built):
    """The writer was killed between the two renames: new index, old manifest."""
    old = saved(filled_store).with_suffix(".json").read_bytes()
    index_articles(config, [article("d", "Green limes.")], encoder=FakeEncoder())
    saved(filled_store).with_suffix(".json").write_bytes(old)
    assert vectors.open_vectors(filled_store, "fa4e").numbers.tolist() == [1, 2, 3, 4]
    assert built == [4]


def test_above_the_limit_the_index_is_a_graph_that_answers_and_filters_alike(monkeypatch, config, filled_store):
    exact = vectors.open_vectors(filled_store, "fa4e")
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 2)
    graph = vectors.in_step(exact, filled_store, "fa4e")
    assert graph.identity == exact.identity and graph is exact  # in step is in step
    index_articles(config, [article("d", "Green limes.")], encoder=FakeEncoder())
    graph = vectors.open_vectors(filled_store, "fa4e")
    assert isinstance(faiss.downcast_index(graph.faiss_index.index), faiss.IndexHNSW)
    assert ask(graph, "green pears", 1) == [2]
    assert ask(graph, "green pears", allowed=[1, 4]) == [4, 1]
    remove_articles(config, ["b"])  # a graph cannot forget: it is built again
    assert sorted(ask(vectors.open_vectors(filled_store, "fa4e"), "green pears")) == [1, 3, 4]
    monkeypatch.setattr(vectors, "EXACT_LIMIT", 100)
    remove_articles(config, ["a"])
    small = vectors.open_vectors(filled_store, "fa4e")
    assert not isinstance(faiss.downcast_index(small.faiss_index.index), faiss.IndexHNSW)


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
