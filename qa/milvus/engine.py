"""A connection to one database of a Milvus server: rows in, rows out, and errors in one line that a user can act on."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from qa.config import Index
from qa.errors import ConfigError, StoreError

TIMEOUT = 30.0  # seconds that one request may take
CALM = {"grpc.keepalive_permit_without_calls": False}  # a server may take pings between calls for an attack, and hang up
CHUNK = 256  # rows or keys of one request
NOT_THERE, NOT_LOADED = 100, 101  # Milvus's codes, of collections
PAGE = 1000  # rows read at a time where there may be many

Row = dict[str, Any]
Found = TypeVar("Found")


class NoCollection(StoreError):
    """One that was asked for is not there."""


class Engine:
    """Safe to use from several threads. A `strong` read sees all that was written before it; others are quicker, and of a moment ago."""

    def __init__(self, settings: Index, strong: bool) -> None:
        self.uri, self.database = settings.uri, settings.database
        self._consistency = "Strong" if strong else "Bounded"
        self._token = settings.token.get_secret_value()
        self._connecting = threading.Lock()
        self._connected: Any = None
        with self._errors():
            assert self._client

    def close(self) -> None:
        with contextlib.suppress(Exception):  # whatever it says now helps nobody
            self._connected.close()
        self._connected = None

    @property
    def _client(self) -> Any:
        """Connected anew after the server was away."""
        with self._connecting:
            if self._connected is None:
                self._connected = _client_type()(
                    uri=self.uri, token=self._token, db_name=self.database, timeout=TIMEOUT, grpc_options=CALM
                )
            return self._connected

    # Collections

    def collections(self) -> list[str]:
        with self._errors():
            return list(self._client.list_collections(timeout=TIMEOUT))

    def make(self, name: str, schema: Any, indexes: Any, wished: Sequence[str] = ()) -> None:
        """An empty collection, ready to be searched. `wished` are fields that only some servers can index."""
        with self._errors():
            self._client.create_collection(name, schema=schema, consistency_level="Strong", timeout=TIMEOUT)
            self._client.create_index(name, indexes, timeout=TIMEOUT, sync=False)  # of nothing: there is nothing to wait for
            for field in wished:
                index = self._client.prepare_index_params()
                index.add_index(field_name=field, index_type="INVERTED")
                with contextlib.suppress(*_client_errors()):
                    self._client.create_index(name, index, timeout=TIMEOUT, sync=False)
            self._client.load_collection(name, timeout=TIMEOUT)

    def drop(self, name: str) -> None:
        with self._errors():
            self._client.drop_collection(name, timeout=TIMEOUT)

    def dimension(self, name: str) -> int:
        """Of a collection's vectors."""
        with self._errors():
            fields = self._client.describe_collection(name, timeout=TIMEOUT)["fields"]
        return next((int(field["params"]["dim"]) for field in fields if field["name"] == "vector"), 0)

    def collection_of(self, alias: str) -> str | None:
        with self._errors():
            listed = self._client.list_aliases(timeout=TIMEOUT)["aliases"]
            if alias not in listed:
                return None
            return str(self._client.describe_alias(alias, timeout=TIMEOUT)["collection_name"])

    def point(self, alias: str, name: str, new: bool) -> None:
        """From now on `alias` stands for this collection, in one step."""
        with self._errors():
            change = self._client.create_alias if new else self._client.alter_alias
            change(name, alias, timeout=TIMEOUT)

    # Rows

    def get(self, name: str, keys: Iterable[str | int], fields: Sequence[str]) -> list[Row]:
        """Those that are there, in no order."""
        return [row for part in _chunks(list(keys)) for row in self._query(name, fields, ids=part)]

    def rows(self, name: str, where: str, fields: Sequence[str]) -> Iterator[Row]:
        """All that a filter lets through, page by page."""
        pages = self._read(
            name,
            lambda: self._client.query_iterator(
                name, batch_size=PAGE, filter=where, output_fields=list(fields), consistency_level=self._consistency, timeout=TIMEOUT
            ),
        )
        try:
            while True:
                with self._errors():
                    page = pages.next()
                if not page:
                    return
                yield from page
        finally:
            with contextlib.suppress(Exception):
                pages.close()

    def first(self, name: str, where: str, fields: Sequence[str], limit: int) -> list[Row]:
        """Some rows that a filter lets through, at most `limit`."""
        return self._query(name, fields, filter=where, limit=limit)

    def count(self, name: str, where: str = "") -> int:
        return int(self._query(name, ["count(*)"], filter=where)[0]["count(*)"])

    def search(self, name: str, field: str, question: Any, k: int, where: str, fields: Sequence[str]) -> list[tuple[Row, float]]:
        """(row with these fields, score as the engine gives it), best first."""
        (hits,) = self._read(
            name,
            lambda: self._client.search(
                name, data=[question], anns_field=field, limit=k, filter=where, output_fields=list(fields),
                consistency_level=self._consistency, timeout=TIMEOUT,
            ),
        )  # fmt: skip
        return [(hit["entity"], float(hit["distance"])) for hit in hits]

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """In place of those with the same keys."""
        with self._errors():
            for part in _chunks(rows):
                self._client.upsert(name, part, timeout=TIMEOUT)

    def delete(self, name: str, keys: Iterable[str | int]) -> None:
        with self._errors():
            for part in _chunks(list(keys)):
                self._client.delete(name, ids=part, timeout=TIMEOUT)

    def _query(self, name: str, fields: Sequence[str], **which: Any) -> list[Row]:
        chosen = {"output_fields": list(fields), "consistency_level": self._consistency, "timeout": TIMEOUT, **which}
        return self._read(name, lambda: list(self._client.query(name, **chosen)))

    def _read(self, name: str, ask: Callable[[], Found]) -> Found:
        """A server that was started again may have to be told to load a collection."""
        with self._errors():
            try:
                return ask()
            except _client_errors() as error:
                if not _is_not_loaded(error):
                    raise
                self._client.load_collection(name, timeout=TIMEOUT)
                return ask()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns what the client says into one line with a remedy."""
        try:
            yield
        except _client_errors() as error:
            raise self._explained(error) from error

    def _explained(self, error: Any) -> StoreError:
        code = error.code() if callable(error.code) else error.code
        said = " ".join(str(getattr(error, "message", "") or (error.details() if hasattr(error, "details") else error)).split())
        words = f"{code} {said}".casefold()
        if code == NOT_THERE:
            return NoCollection(
                f"the Milvus server at {self.uri} lacks a collection of the index: {said} "
                "(put it back from a backup, or drop the others that qa_… names alike, and run qa index PATH… again)"
            )
        if "unauthenticated" in words or "auth check" in words or "permission" in words:
            return StoreError(f"the Milvus server at {self.uri} does not accept index.token: {said} (set QA_INDEX__TOKEN=user:password)")
        if "database" in words and ("not exist" in words or "not found" in words):
            return StoreError(f"the Milvus server at {self.uri} has no database {self.database} (make it there, or set index.database)")
        if code == 2 or any(word in words for word in ("unavailable", "deadline", "fail connecting", "closed channel")):
            self.close()
            return StoreError(
                f"the Milvus server at {self.uri} cannot be reached; what was committed is kept (start it, or set index.uri, and try again)"
            )
        return StoreError(f"the Milvus server at {self.uri} refused: {said[:500]} (see its log)")


def _client_type() -> Any:
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise ConfigError('index.store = "milvus" needs the package pymilvus (pip install "qa[milvus]")') from None
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # every error is raised as well, and told once
    return MilvusClient


def _is_not_loaded(error: Any) -> bool:
    return getattr(error, "code", None) == NOT_LOADED


def _client_errors() -> tuple[type[Exception], ...]:
    try:
        import grpc
        from pymilvus.exceptions import MilvusException
    except ImportError:  # told by _client_type
        return ()
    return MilvusException, grpc.RpcError


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(items), CHUNK):
        yield list(items[at : at + CHUNK])
