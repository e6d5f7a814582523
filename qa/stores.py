"""The one place that chooses a store: SQLite and FAISS in the folder `index.path`, or a server (`index.store`)."""

from __future__ import annotations

from qa import vectors
from qa.config import Config
from qa.local import LocalSearcher
from qa.storage import Reading, Searcher, Writing
from qa.store import Store
from qa.store_writer import StoreWriter


def open_store(config: Config) -> Reading:
    """The index, to be read. StoreError when there is none, or one that this version cannot read."""
    return Store.open(config.index.path)


def open_writer(config: Config) -> Writing:
    """The index, to be written; made when it is missing. The caller holds the lock."""
    return StoreWriter.open(config.index.path)


def searcher(store: Reading, fingerprint: str) -> Searcher:
    """What searches this store for one encoder."""
    assert isinstance(store, Store)
    return LocalSearcher(store, fingerprint)


def publish(store: Writing, fingerprint: str) -> None:
    """The encoder has encoded every passage: from now on this is what questions are answered from."""
    assert isinstance(store, Store)
    vectors.refresh(store, fingerprint)
