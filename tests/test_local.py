"""What searches a store in a folder keeps the vectors in step, and those that a question under way needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from fakes import article

from qa import local
from qa.local import LocalSearcher
from qa.store import Store


def test_a_question_that_began_earlier_goes_on_with_the_index_it_began_with(filled, monkeypatch):
    store = Store.open(filled(article("a", "Red apples."), article("b", "Green pears.")).index.path)
    searcher = LocalSearcher(store, "fa4e")
    with store.snapshot():
        before = searcher.now()
        filled(article("c", "Blue plums."))
        later = in_a_thread(lambda: moment(store, searcher))
        assert later.vectors.numbers.tolist() == [1, 2, 3]
        monkeypatch.setattr(local, "in_step", None)  # nothing is made
        assert searcher.now() is before
    assert in_a_thread(lambda: moment(store, searcher)) is later


def test_what_needs_much_work_is_taken_from_the_files_instead(filled, monkeypatch):
    from qa import vectors

    monkeypatch.setattr(vectors, "EXACT_LIMIT", 2)
    monkeypatch.setattr(vectors, "ROOM", 2)
    store = Store.open(filled(article("a", "Red apples."), article("b", "Green pears.")).index.path)
    searcher = LocalSearcher(store, "fa4e")
    moment(store, searcher)
    filled(article("c", "Blue plums."), article("d", "Ripe figs."), article("e", "Sour limes."))
    monkeypatch.setattr(vectors, "_to_search", None)  # none is made
    assert [len(part.numbers) for part in moment(store, searcher).vectors.parts] == [1, 4]


def moment(store, searcher):
    with store.snapshot():
        return searcher.now()


def in_a_thread(step):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(step).result()
