"""Reading an index on a Milvus server.

Milvus has no snapshots. An article's row says which version of it counts; whatever belongs to another version is left out, and
inside `snapshot` an article stays the one that was met first, whose text is kept until the next run of `qa index`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa.config import Index
from qa.datatypes import Article, ArticleSummary, Filters, Passage, Refusal
from qa.errors import StoreError
from qa.milvus import rows
from qa.milvus.engine import Engine, NoCollection, Row
from qa.milvus.rows import Head, article_key, condition, listed, piece_keys, quoted
from qa.milvus.schema import FORMAT, Cut, Names

STATE = "state"


@dataclass(frozen=True, slots=True)
class State:
    """Of an index as a whole. `main` is the collection whose passages count as the index's, empty until a run has ended."""

    store: str
    generation: int = 0
    indexed_at: str = ""
    main: str = ""
    format: int = FORMAT


@dataclass(slots=True)
class _Seen:
    """What one snapshot has met so far."""

    state: State
    heads: dict[str, Head | None] = field(default_factory=dict)
    passages: dict[int, Row] = field(default_factory=dict)


class MilvusStore:
    """An open index, to be read; safe to use from several threads."""

    strong = False

    def __init__(self, settings: Index) -> None:
        self.folder: Path = settings.path
        self.names = Names.of(settings.path.resolve().name)
        self.engine = Engine(settings, self.strong)
        self._local = threading.local()
        self._store = ""

    @classmethod
    def open(cls, settings: Index) -> MilvusStore:
        """StoreError when there is no such index, or one that this version cannot read."""
        store = cls(settings)
        try:
            state = store._find_state()
            if state is None:
                raise StoreError(f"no index in {store.where} (make one: qa index PATH… --index {settings.path})")
        except StoreError:
            store.close()
            raise
        store._store = state.store
        return store

    def close(self) -> None:
        self.engine.close()

    def __enter__(self) -> MilvusStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def where(self) -> str:
        return f"{self.folder.name} at {self.engine.uri}"

    @property
    def is_current(self) -> bool:
        state = self._find_state()
        return state is not None and state.store == self._store

    @property
    def identity(self) -> tuple[str, int]:
        return self.state.store, self.state.generation

    @property
    def state(self) -> State:
        """As of the snapshot, if there is one."""
        seen = self._seen
        return seen.state if seen else self._read_state()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._seen is not None:
            yield
            return
        self._local.seen = _Seen(self._read_state())
        try:
            yield
        finally:
            self._local.seen = None

    # What is there

    def info(self) -> dict[str, object]:
        """As of a store in a folder; what it takes on the server's disks is not known here, hence 0 bytes."""
        passages = self.passage_count()
        encoders = [{**encoder, "passages": passages - self.missing(str(encoder["fingerprint"]))} for encoder in self._encoders()]
        return {
            "path": self.where,
            "articles": self.engine.count(self.names.articles),
            "passages": passages,
            "generation": self.state.generation,
            "indexed_at": self.state.indexed_at or None,
            "encoders": encoders,
            "bytes": 0,
        }

    def article(self, article_id: str) -> Article | None:
        head = self.heads([article_key(article_id)]).get(article_key(article_id))
        return self._whole(head) if head else None

    def summaries(self) -> list[ArticleSummary]:
        heads = sorted(self._all_heads(), key=lambda head: head.number)
        first: dict[str, str] = {}
        for head in heads:
            first.setdefault(head.family, head.id)
        return [head.summary(first[head.family] if first[head.family] != head.id else None) for head in heads]

    def file_hashes(self) -> dict[str, str]:
        return {name: json.loads(value) for name, value in self.records("file")}

    def folders(self) -> list[str]:
        return sorted(name for name, _ in self.records("folder"))

    def refusals(self) -> list[Refusal]:
        found = [(int(name), json.loads(value)) for name, value in self.records("refusal")]
        return [Refusal(path, reason) for _, (path, reason) in sorted(found)]

    def families(self, article_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        wanted = {article_id: article_key(article_id) for article_id in article_ids}
        heads = self.heads(wanted.values())
        families = sorted({head.family for head in heads.values()})
        members: dict[str, list[tuple[int, str]]] = {}
        for row in self._in(self.names.articles, "family", families, ("family", "number", "id")):
            members.setdefault(row["family"], []).append((row["number"], row["id"]))
        found = {}
        for article_id, key in wanted.items():
            family = members.get(heads[key].family, []) if key in heads else []
            if len(family) > 1:
                found[article_id] = tuple(member for _, member in sorted(family))
        return found

    # Passages

    def count(self, filters: Filters) -> tuple[int, int]:
        where = condition(filters)
        both = " and ".join(filter(None, (where, "passages > 0")))
        articles = self.engine.count(self.names.articles, both)
        return articles, self.engine.count(self.state.main, where) if self.state.main else 0

    def passage_count(self) -> int:
        if self.state.main:
            return self.engine.count(self.state.main)
        return sum(head.passages for head in self._all_heads("passages > 0"))

    def passages(self, numbers: Iterable[int]) -> dict[int, Passage]:
        """Those that belong to the version of their article that counts."""
        found = self._rows(numbers)
        heads = self.heads({row["article"] for row in found.values()})
        passages = {}
        for number, row in found.items():
            head = heads.get(row["article"])
            if head is not None and head.version == row["version"]:
                passages[number] = self._passage(row, head)
        return passages

    def places(self, numbers: Iterable[int]) -> dict[int, tuple[str, int]]:
        return {number: (row["id"], row["first"]) for number, row in self._rows(numbers).items()}

    def missing(self, fingerprint: str) -> int:
        """How many passages have no vector of this encoder, where it is answered from."""
        cut = self.answering(fingerprint)
        if cut is None:
            return self.passage_count()
        return sum(row["passages"] for row in self.engine.rows(self.names.articles, lacking(cut), ("passages",)))

    def answering(self, fingerprint: str) -> Cut | None:
        """The passages from which questions to this encoder are answered; None before they were whole for the first time."""
        collection = self.engine.collection_of(self.names.alias(fingerprint))
        return self.names.cut(collection) if collection else None

    def met(self, found: Iterable[Row]) -> None:
        """Remembers rows of passages, so that they need not be asked for again in this snapshot."""
        if self._seen is not None:
            self._seen.passages.update((row["number"], row) for row in found)

    def heads(self, keys: Iterable[str]) -> dict[str, Head]:
        """Those that are there; inside a snapshot always the same."""
        seen = self._seen.heads if self._seen else {}
        wanted = set(keys)
        unknown = wanted - seen.keys()
        if unknown:
            seen.update(dict.fromkeys(unknown))
            found = self.engine.get(self.names.articles, sorted(unknown), rows.BRIEF)
            seen.update((row["key"], Head.from_row(row)) for row in found)
        return {key: head for key in wanted if (head := seen[key])}

    def records(self, kind: str) -> Iterator[tuple[str, str]]:
        """(name, value) of all of a kind."""
        for row in self.engine.rows(self.names.records, f"kind == {quoted(kind)}", ("name", "value")):
            yield row["name"], row["value"]

    # Inside

    @property
    def _seen(self) -> _Seen | None:
        return getattr(self._local, "seen", None)

    def _find_state(self) -> State | None:
        try:
            return self._stored_state()
        except NoCollection:
            return None

    def _read_state(self) -> State:
        state = self._stored_state()
        if state is None:
            raise StoreError(f"the index {self.where} has been removed (make it: qa index PATH…)")
        return state

    def _stored_state(self) -> State | None:
        found = self.engine.get(self.names.records, [STATE], ("value",))
        facts: dict[str, Any] = json.loads(found[0]["value"]) if found else {}
        if not facts:
            return None
        if facts["format"] > FORMAT:
            raise StoreError(
                f"the index {self.where} was made by a newer version of qa: format {facts['format']}, this one reads {FORMAT} "
                "(upgrade qa, or give another name with --index)"
            )
        return State(**facts)

    def _encoders(self) -> list[dict[str, object]]:
        found = sorted((json.loads(value) for _, value in self.records("encoder")), key=lambda encoder: encoder.pop("since"))
        return [{name: encoder[name] for name in ("name", "fingerprint", "dimension")} for encoder in found]

    def _all_heads(self, where: str = "number > 0") -> Iterator[Head]:
        return map(Head.from_row, self.engine.rows(self.names.articles, where, rows.BRIEF))

    def _whole(self, head: Head) -> Article:
        keys = piece_keys(head.key, head.version, head.pieces)
        pieces = {row["key"]: row["text"] for row in self.engine.get(self.names.texts, keys, ("key", "text"))}
        if len(pieces) < head.pieces:
            raise StoreError(f"article {head.id} was changed while it was being read (ask again)")
        return rows.article_from(pieces[key] for key in keys)

    def _passage(self, row: Row, head: Head) -> Passage:
        if row["text"]:
            return Passage(row["id"], row["first"], row["last"], row["text"], row["title"], row["number"])
        article = self._whole(head)
        return Passage(row["id"], row["first"], row["last"], article.text[row["first"] : row["last"]], article.title, row["number"])

    def _rows(self, numbers: Iterable[int]) -> dict[int, Row]:
        known = self._seen.passages if self._seen else {}
        wanted = list(numbers)
        found = {number: known[number] for number in wanted if number in known}
        unknown = [number for number in wanted if number not in known]
        if unknown and self.state.main:
            found.update((row["number"], row) for row in self.engine.get(self.state.main, unknown, rows.PASSAGE))
        return {number: found[number] for number in wanted if number in found}

    def _in(self, collection: str, name: str, values: list[str], fields: tuple[str, ...]) -> Iterator[Row]:
        """Rows with one of these values."""
        for at in range(0, len(values), 500):
            yield from self.engine.rows(collection, f"{name} in {listed(values[at : at + 500])}", fields)


def lacking(cut: Cut) -> str:
    """Articles whose passages are not there in this way."""
    return f"passages > 0 and not array_contains(cuts, {quoted(cut.mark)})"
