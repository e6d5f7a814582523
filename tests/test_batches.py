"""While one batch is encoded, the next one is collected and the one before is committed. Here a batch is one article."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from fakes import FakeEncoder, article

from qa.config import Config
from qa.datatypes import Article
from qa.encoder import Vectors
from qa.indexer import index_articles
from qa.store import Store

PATIENCE = 60  # seconds until a test that would wait for ever fails


class Watched(FakeEncoder):
    """Calls `before` with the texts that it is about to encode, and notices whether another thread is encoding."""

    def __init__(self, before: Callable[[Sequence[str]], None]) -> None:
        super().__init__()
        self._before = before
        self._alone = threading.Lock()

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        assert self._alone.acquire(blocking=False)
        try:
            self._before(texts)
            return super().encode_passages(texts)
        finally:
            self._alone.release()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.batches.BATCH", 1)


def stored(config: Config) -> list[str]:
    with Store.open(config.index.path) as store:
        return [summary.id for summary in store.summaries()]


def test_the_next_articles_are_read_while_a_batch_is_encoded(config):
    read = threading.Event()

    def articles() -> Iterator[Article]:
        yield article("first", "one two")
        read.set()
        yield article("second", "three four")

    def waiting(_: Sequence[str]) -> None:
        assert read.wait(PATIENCE)

    index_articles(config, articles(), encoder=Watched(waiting))
    assert stored(config) == ["first", "second"]


def test_a_batch_is_committed_while_the_next_one_is_encoded(config):
    done = threading.Event()

    def waiting(texts: Sequence[str]) -> None:
        if "three four" in texts[0]:
            assert done.wait(PATIENCE)

    def articles() -> Iterator[Article]:
        yield article("first", "one two")
        yield article("second", "three four")
        assert stored(config) == ["first"]
        done.set()
        yield article("third", "five six")

    index_articles(config, articles(), encoder=Watched(waiting))
    assert stored(config) == ["first", "second", "third"]


def test_an_article_that_comes_again_while_it_is_encoded_is_the_same(config):
    again = [article("first", "one two"), article("first", "one two"), article("second", "three"), article("first", "one two")]
    report = index_articles(config, again, encoder=FakeEncoder())
    assert (report.added, report.unchanged, report.encoded) == (("first", "second"), 2, 2)


def test_what_interrupts_the_reading_leaves_what_was_committed(config):
    def articles() -> Iterator[Article]:
        yield article("first", "one two")
        yield article("second", "three four")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_articles(config, articles(), encoder=FakeEncoder())
    assert stored(config) == ["first"]
    assert index_articles(config, [article("first", "one two"), article("second", "three four")], encoder=FakeEncoder()).encoded == 1


def test_what_breaks_the_encoding_comes_out_where_it_was_asked_for(config):
    def breaking(texts: Sequence[str]) -> None:
        if "three" in texts[0]:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        index_articles(config, [article(text, text) for text in ("one", "two", "three", "four", "five")], encoder=Watched(breaking))
    assert stored(config) == ["one", "two"]
