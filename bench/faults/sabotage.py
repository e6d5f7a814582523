"""Our own saving, broken on purpose: what the harness must notice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from qa.store_writer import StoreWriter


@contextlib.contextmanager
def no_transaction() -> Iterator[None]:
    """Each statement is committed by itself, so that a kill leaves half an article."""

    @contextlib.contextmanager
    def nothing(store: StoreWriter) -> Iterator[None]:
        yield

    with patch.object(StoreWriter, "_all_or_nothing", nothing):
        yield


@contextlib.contextmanager
def in_place() -> Iterator[None]:
    """SQLite writes its file in place, with no journal to fall back on."""
    with _set("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = OFF"):
        yield


@contextlib.contextmanager
def no_sync() -> Iterator[None]:
    """SQLite is told not to wait for the disk, so that a power failure loses what was acknowledged."""
    with _set("PRAGMA synchronous = OFF"):
        yield


@contextlib.contextmanager
def _set(*pragmas: str) -> Iterator[None]:
    """Every store that is opened to be written has these settings."""
    opened = StoreWriter.open.__func__  # type: ignore[attr-defined]

    def careless(cls: type[StoreWriter], folder: Path) -> StoreWriter:
        store: StoreWriter = opened(cls, folder)
        for pragma in pragmas:
            store._db.execute(pragma)
        return store

    with patch.object(StoreWriter, "open", classmethod(careless)):
        yield


SABOTAGES: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "no-transaction": no_transaction,
    "in-place": in_place,
    "no-sync": no_sync,
}
