"""The one place that chooses a store: SQLite and FAISS in the folder `index.path`, or a Milvus server (`index.store`)."""

from __future__ import annotations

from collections.abc import Callable

from qa import vectors
from qa.config import Config
from qa.errors import ConfigError
from qa.local import LocalSearcher
from qa.storage import Reading, Searcher, Writing
from qa.store import Store
from qa.store_writer import StoreWriter


def open_store(config: Config) -> Reading:
    """The index, to be read. StoreError when there is none, or one that this version cannot read."""
    if config.index.store == "milvus":
        from qa.milvus.store import MilvusStore

        return MilvusStore.open(config.index)
    return Store.open(config.index.path)


def open_writer(config: Config, fingerprint: Callable[[], str] | None = None, splitting: str = "") -> Writing:
    """The index, to be written for an encoder; made when it is missing. The caller holds the lock.

    Without a `splitting`, passages are taken as they are cut.
    """
    if config.index.store == "milvus":
        from qa.milvus.writer import MilvusWriter

        return MilvusWriter.start(config.index, fingerprint, splitting)
    return StoreWriter.open(config.index.path)


def searcher(store: Reading, fingerprint: str) -> Searcher:
    """What searches this store for one encoder."""
    if isinstance(store, Store):
        return LocalSearcher(store, fingerprint)
    from qa.milvus.search import MilvusSearcher
    from qa.milvus.store import MilvusStore

    assert isinstance(store, MilvusStore)
    return MilvusSearcher(store, fingerprint)


def publish(store: Writing, fingerprint: str) -> None:
    """The encoder has encoded every passage: from now on this is what questions are answered from."""
    if isinstance(store, Store):
        vectors.refresh(store, fingerprint)
        return
    from qa.milvus.writer import MilvusWriter

    assert isinstance(store, MilvusWriter)
    store.publish(fingerprint)


def need_local(config: Config, what: str) -> None:
    """ConfigError where `what` can be done only with files of our own."""
    if config.index.store != "sqlite":
        raise ConfigError(f'{what} is for the files of index.store = "sqlite"; a server looks after its own (see docs/milvus.md)')
