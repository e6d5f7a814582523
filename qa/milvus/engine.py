"""A connection to one database of a Milvus server: rows in, rows out, and errors in one line that a user can act on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from qa.config import Index
from qa.errors import ConfigError, StoreError

TIMEOUT = 30.0  # seconds that one request may take
CHUNK = 256  # rows or keys of one request
PAGE = 1000  # rows read at a time where there may be many

Row = dict[str, Any]


class Engine:
    """Safe to use from several threads. A `strong` read sees all that was written before it; others are quicker, and of a moment ago."""

    def __init__(self, settings: Index, strong: bool) -> None:
        self.uri, self.database = settings.uri, settings.database
        self._consistency = "Strong" if strong else "Bounded"
        client = _client_type()
        with self._errors():
            self._client = client(uri=settings.uri, token=settings.token.get_secret_value(), db_name=settings.database, timeout=TIMEOUT)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # whatever it says now helps nobody
            self._client.close()

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
                with contextlib.suppress(_milvus_error()):
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
        wanted = list(keys)
        found: list[Row] = []
        with self._errors():
            for part in _chunks(wanted):
                found += self._client.query(
                    name, ids=part, output_fields=list(fields), consistency_level=self._consistency, timeout=TIMEOUT
                )
        return found

    def rows(self, name: str, where: str, fields: Sequence[str]) -> Iterator[Row]:
        """All that a filter lets through, page by page."""
        with self._errors():
            pages = self._client.query_iterator(
                name, batch_size=PAGE, filter=where, output_fields=list(fields), consistency_level=self._consistency, timeout=TIMEOUT
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
        with self._errors():
            return list(
                self._client.query(
                    name, filter=where, output_fields=list(fields), limit=limit, consistency_level=self._consistency, timeout=TIMEOUT
                )
            )

    def count(self, name: str, where: str = "") -> int:
        with self._errors():
            rows = self._client.query(
                name, filter=where, output_fields=["count(*)"], consistency_level=self._consistency, timeout=TIMEOUT
            )
        return int(rows[0]["count(*)"])

    def search(self, name: str, field: str, question: Any, k: int, where: str, fields: Sequence[str]) -> list[tuple[Row, float]]:
        """(row with these fields, score as the engine gives it), best first."""
        with self._errors():
            (hits,) = self._client.search(
                name, data=[question], anns_field=field, limit=k, filter=where, output_fields=list(fields),
                consistency_level=self._consistency, timeout=TIMEOUT,
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

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns what the client says into one line with a remedy."""
        import grpc

        try:
            yield
        except (_milvus_error(), grpc.RpcError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Any) -> StoreError:
        code = error.code() if callable(error.code) else error.code
        said = " ".join(str(getattr(error, "message", "") or (error.details() if hasattr(error, "details") else error)).split())
        words = f"{code} {said}".casefold()
        if "unauthenticated" in words or "auth check" in words or "permission" in words:
            return StoreError(f"the Milvus server at {self.uri} does not accept index.token: {said} (set QA_INDEX__TOKEN=user:password)")
        if "database" in words and ("not exist" in words or "not found" in words):
            return StoreError(f"the Milvus server at {self.uri} has no database {self.database} (make it there, or set index.database)")
        if code == 2 or any(word in words for word in ("unavailable", "deadline", "fail connecting", "closed channel")):
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


def _milvus_error() -> type[Exception]:
    from pymilvus.exceptions import MilvusException

    return MilvusException  # type: ignore[no-any-return]


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(items), CHUNK):
        yield list(items[at : at + CHUNK])
