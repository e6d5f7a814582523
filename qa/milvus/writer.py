"""Writing an index on a Milvus server, so that nothing is lost or doubled though Milvus has no transactions.

What is written in a transaction is collected and sent at its end, in an order that any failure may cut off:

    1. a note that these articles are under way       5. articles that were removed or changed lose what is old
    2. their files, as read in part                   6. files and folders, as read to the end
    3. texts and passages of the new versions         7. the state, with the next generation
    4. the articles' rows: now the new versions count

A passage's number and a text's key are made from what they are, so that sending them again changes nothing. After a failure, the
next run finds the note, clears away what belongs to no version that counts, reads the files again, and sends the rest. The texts of
old versions stay until then, for questions under way.
"""

from __future__ import annotations

import contextlib
import json
import platform
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from qa.config import Index
from qa.datatypes import Article, Passage, Refusal
from qa.errors import IndexBusy, ModelError, StoreError
from qa.milvus import rows, schema
from qa.milvus.engine import Row
from qa.milvus.rows import Head, article_key, quoted
from qa.milvus.schema import NO_VECTOR, Cut
from qa.milvus.store import STATE, MilvusStore, State, lacking
from qa.storage import Entry

NOTED = 500  # articles of one note
LEASE = 600  # seconds for which a note from elsewhere, not taken back, means that somebody writes there


@dataclass(slots=True)
class _Changes:
    """What a transaction has collected; None stands for what goes."""

    entries: dict[str, tuple[Entry, str]] = field(default_factory=dict)  # by article id, with the encoder's fingerprint
    removed: set[str] = field(default_factory=set)
    files: dict[str, str | None] = field(default_factory=dict)
    folders: dict[str, bool] = field(default_factory=dict)
    encoders: dict[str, tuple[str, int]] = field(default_factory=dict)
    vectors: list[tuple[str, Sequence[tuple[int, Passage, bytes]], NDArray[np.float16]]] = field(default_factory=list)


class MilvusWriter(MilvusStore):
    """An index that may be written, for one encoder and way of cutting."""

    strong = True

    def __init__(self, settings: Index) -> None:
        super().__init__(settings)
        self._fingerprint: Callable[[], str] | None = None
        self._splitting = ""
        self._follows = False  # another encoder, whose passages count as the index's
        self._known_cut: Cut | None = None
        self._place = f"{platform.node()}:{self.folder.resolve()}"
        self._answered: set[Cut] = set()
        self._number = 0
        self._changes: _Changes | None = None

    @classmethod
    def start(cls, settings: Index, fingerprint: Callable[[], str] | None, splitting: str) -> MilvusWriter:
        """The index, made when it is missing. Clears what a failure has left.

        Without a fingerprint articles can only be removed. An empty `splitting` takes passages as they are cut.
        """
        writer = cls(settings)
        try:
            state = writer._find_state() or writer._create()
            writer._store = state.store
            main = writer.names.cut(state.main)
            writer._fingerprint, writer._follows = fingerprint, not splitting
            writer._splitting = splitting or (main.splitting if main else "")
            writer._clear()
        except BaseException:
            writer.close()
            raise
        return writer

    @property
    def cut(self) -> Cut | None:
        """None without an encoder, and before the first batch of one whose fingerprint is made from that (int8)."""
        if self._known_cut is None and self._fingerprint is not None:
            with contextlib.suppress(ModelError):
                self._known_cut = Cut(self._fingerprint(), self._splitting)
        return self._known_cut

    # Reading, with what the transaction has collected so far

    def article(self, article_id: str) -> Article | None:
        if self._changes is not None and article_id in self._changes.entries:
            return self._changes.entries[article_id][0].article
        return super().article(article_id)

    def articles_of_file(self, file: str) -> dict[str, tuple[str, str]]:
        changes = self._changes or _Changes()
        found = {
            head.id: (head.sha256, self._splitting_of(head))
            for head in map(Head.from_row, self.engine.rows(self.names.articles, f"file == {quoted(file)}", rows.BRIEF))
            if head.id not in changes.removed and head.id not in changes.entries
        }
        collected = {key: entry for key, (entry, _) in changes.entries.items() if entry.file == file}
        return found | {key: (entry.article.sha256, entry.splitting) for key, entry in collected.items()}

    def origin(self, article_id: str) -> tuple[str | None, str, str] | None:
        """(file, sha256, splitting), the splitting only if this encoder has the passages that way."""
        head = self.heads([article_key(article_id)]).get(article_key(article_id))
        return (head.file, head.sha256, self._splitting_of(head)) if head else None

    def split_otherwise(self, splitting: str) -> list[str]:
        if self.cut is None:
            return []
        fields = ("id", "number", "passages", "cuts")
        found = list(self.engine.rows(self.names.articles, f"not array_contains(cuts, {quoted(self.cut.mark)})", fields))
        return [row["id"] for row in sorted(found, key=_number)]

    def signatures(self, bands: Sequence[int]) -> list[tuple[str, str, bytes]]:
        changes = self._changes or _Changes()
        where = f"array_contains_any(bands, {list(bands)})"
        stored = list(self.engine.rows(self.names.articles, where, ("number", "id", "family", "signature")))
        shared = set(bands)
        collected = [entry for entry, _ in changes.entries.values() if shared & set(entry.bands)]
        gone = changes.removed | changes.entries.keys()
        stored = sorted((row for row in stored if row["id"] not in gone), key=_number)
        found = [(row["id"], row["family"], bytes.fromhex(row["signature"])) for row in stored]
        return found + [(entry.article.id, entry.family, entry.signature) for entry in collected]

    def missing(self, fingerprint: str) -> int:
        if self.cut is None or self.cut.fingerprint != fingerprint:
            return super().missing(fingerprint)
        return sum(row["passages"] for row in self.engine.rows(self.names.articles, lacking(self.cut), ("passages",)))

    def without_vectors(self, fingerprint: str, limit: int, after: int = 0) -> list[tuple[int, Passage, bytes]]:
        """Whole articles' passages, about `limit` of them. What was put is no more without, so `after` is not needed.

        Without a fingerprint, of all articles.
        """
        if not fingerprint:
            return self._passages_of("passages > 0", limit)
        source = self.names.cut(self.state.main)
        if self.cut is None or source is None or self.cut.splitting != source.splitting:
            return []
        return self._passages_of(lacking(self.cut), limit)

    def _passages_of(self, where: str, limit: int) -> list[tuple[int, Passage, bytes]]:
        """From the passages that count as the index's, those of the first articles that a filter lets through."""
        heads: dict[str, Head] = {}
        if not self.state.main:
            return []
        for row in self.engine.first(self.names.articles, where, rows.BRIEF, limit):
            heads[row["key"]] = Head.from_row(row)
            if sum(head.passages for head in heads.values()) >= limit:
                break
        found = [row for row in self._in(self.state.main, "article", list(heads), (*rows.PASSAGE, "text_key")) if _counts(row, heads)]
        found.sort(key=lambda row: (heads[row["article"]].number, row["first"]))
        return [(0, self._passage(row, heads[row["article"]]), bytes.fromhex(row["text_key"])) for row in found]

    def known_vectors(self, fingerprint: str, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """Also from passages that were cut otherwise."""
        wanted = sorted({key.hex() for key in keys})
        found = {}
        for cut in self._cuts():
            if cut.fingerprint == fingerprint:
                for row in self._in(self.names.passages(cut), "text_key", wanted, ("number", "text_key", "vector")):
                    found[bytes.fromhex(row["text_key"])] = np.asarray(row["vector"], np.float16)
        return found

    # Writing

    @contextlib.contextmanager
    def transaction(self, *, articles: bool = True) -> Iterator[None]:
        self._changes = _Changes()
        try:
            yield
            self._send(self._changes, articles)
        finally:
            self._changes = None

    def put(self, entry: Entry, fingerprint: str) -> None:
        """In place of what had its id."""
        self._collected.removed.discard(entry.article.id)
        self._collected.entries[entry.article.id] = entry, fingerprint

    def put_vectors(self, fingerprint: str, rows: Sequence[tuple[int, Passage, bytes]], vectors: NDArray[np.float16]) -> None:
        """For rows of `without_vectors`, all of one call."""
        self._collected.vectors.append((fingerprint, rows, vectors))

    def add_encoder(self, fingerprint: str, name: str, dimension: int) -> None:
        self._collected.encoders[fingerprint] = name, dimension

    def remove(self, article_id: str) -> None:
        self._collected.entries.pop(article_id, None)
        self._collected.removed.add(article_id)

    def put_file(self, path: str, sha256: str) -> None:
        self._collected.files[path] = sha256

    def forget_file(self, path: str) -> None:
        self._collected.files[path] = None

    def put_folder(self, path: str) -> None:
        self._collected.folders[path] = True

    def forget_folder(self, path: str) -> None:
        self._collected.folders[path] = False

    def put_refusals(self, refusals: Sequence[Refusal]) -> None:
        kept = [_record("refusal", str(number), (refusal.path, refusal.reason)) for number, refusal in enumerate(refusals)]
        self.engine.put(self.names.records, kept)
        before = {name for name, _ in self.records("refusal")}
        self.engine.delete(self.names.records, [_key("refusal", name) for name in before if int(name) >= len(kept)])

    def publish(self, fingerprint: str) -> None:
        """The encoder has every passage: its alias moves on to them, and what it left goes with the next run."""
        cut = self.cut
        if cut is None or self.missing(fingerprint):
            return
        name, alias = self.names.passages(cut), self.names.alias(fingerprint)
        if name not in self.engine.collections():  # there are no passages
            return
        before = self.engine.collection_of(alias)
        main = self.state.main if self._follows else name
        if before == name and main == self.state.main:
            return
        if before != name:
            self.engine.point(alias, name, new=before is None)
            if before is not None:
                self.engine.put(self.names.records, [_record("drop", before, before)])
        self._next(replace(self.state, main=main))

    # Inside

    @property
    def _collected(self) -> _Changes:
        if self._changes is None:
            raise RuntimeError("writing belongs inside a transaction")
        return self._changes

    def _splitting_of(self, head: Head) -> str:
        return self.cut.splitting if self.cut is not None and self.cut.mark in head.cuts else ""

    def _cuts(self) -> list[Cut]:
        """All ways in which passages are there."""
        return [cut for cut in map(self.names.cut, self.engine.collections()) if cut is not None]

    def _send(self, changes: _Changes, articles: bool) -> None:
        names, put, delete = self.names, self.engine.put, self.engine.delete
        keys = [article_key(article_id) for article_id in (*changes.entries, *changes.removed)]
        before = self.heads(keys)
        notes = {uuid.uuid4().hex: keys[at : at + NOTED] for at in range(0, len(keys), NOTED)}
        self._note(notes, sent=False)
        put(names.records, [_record("file", name, "") for name, sha256 in changes.files.items() if sha256 is not None])
        self._keep_encoders(changes.encoders)
        heads = self._send_entries(list(changes.entries.values()), before)
        heads += [head for part in changes.vectors for head in self._send_vectors(*part)]
        put(names.articles, heads)
        delete(names.articles, [article_key(article_id) for article_id in changes.removed])
        self._clear_passages(list(before))
        put(names.records, [_record("file", name, sha256) for name, sha256 in changes.files.items() if sha256 is not None])
        put(names.records, [_record("folder", name, "") for name, there in changes.folders.items() if there])
        delete(names.records, [_key("file", name) for name, sha256 in changes.files.items() if sha256 is None])
        delete(names.records, [_key("folder", name) for name, there in changes.folders.items() if not there])
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._next(replace(self.state, indexed_at=now) if articles else self.state)
        if before:  # old texts are left
            self._note(notes, sent=True)
        else:
            delete(names.records, [_key("note", name) for name in notes])

    def _note(self, notes: dict[str, list[str]], sent: bool) -> None:
        """Articles under way, or of which the next run is to clear away old texts."""
        said = {"from": self._place, "since": time.time(), "sent": sent}
        self.engine.put(self.names.records, [_record("note", name, {**said, "keys": keys}) for name, keys in notes.items()])

    def _send_entries(self, entries: Sequence[tuple[Entry, str]], before: dict[str, Head]) -> list[Row]:
        """Texts and passages; returns the articles' rows, which make them count."""
        heads, texts = [], []
        passages: dict[Cut, list[Row]] = {}
        for entry, fingerprint in entries:
            article, cut = entry.article, Cut(fingerprint, entry.splitting)
            pieces = rows.pieces_of(article)
            key, version = article_key(article.id), rows.version_of(pieces)
            old = before.get(key)
            texts += rows.piece_rows(key, version, pieces)
            passages.setdefault(cut, []).extend(rows.passage_rows(article, version, entry.passages, entry.keys, entry.vectors))
            known = old.cuts if old and old.version == version else ()
            if cut.mark in known:  # written again: it may have been cut otherwise, whatever its splitting says
                self._clear_cut(cut, [key], {})
            heads.append(rows.head_row(
                article, entry.file, entry.splitting, entry.family, entry.signature, entry.bands,
                version=version, number=old.number if old else self._next_number(), pieces=len(pieces), passages=len(entry.passages),
                cuts=sorted({*known, cut.mark}),
            ))  # fmt: skip
        self.engine.put(self.names.texts, texts)
        for cut, sent in passages.items():
            self._send_passages(cut, sent)
        return heads

    def _next_number(self) -> int:
        """Later ones are larger."""
        self._number = max(time.time_ns(), self._number + 1)
        return self._number

    def _send_vectors(self, fingerprint: str, found: Sequence[tuple[int, Passage, bytes]], vectors: NDArray[np.float16]) -> list[Row]:
        """Passages as they are, with the vectors of another encoder; returns the rows of their articles."""
        main = self.names.cut(self.state.main)
        if main is None:
            return []
        cut = Cut(fingerprint, main.splitting)
        sources = {row["number"]: row for row in self.engine.get(self.state.main, [p.number for _, p, _ in found], rows.STORED_PASSAGE)}
        copied = [
            {**sources[passage.number], "vector": vector.astype(np.float32).tolist()}
            for (_, passage, _), vector in zip(found, vectors, strict=True)
            if passage.number in sources
        ]
        self._send_passages(cut, copied)
        heads = self.engine.get(self.names.articles, sorted({row["article"] for row in copied}), rows.HEAD)
        return [{**head, "cuts": sorted({*head["cuts"], cut.mark}), "vector": NO_VECTOR} for head in heads]

    def _send_passages(self, cut: Cut, sent: list[Row]) -> None:
        if not sent:
            return
        name, dimension = self.names.passages(cut), len(sent[0]["vector"])
        if name not in self.engine.collections():
            self.engine.make(name, *schema.passages(dimension))
        elif self.engine.dimension(name) != dimension:
            raise StoreError(
                f"the collection {name} has vectors of {self.engine.dimension(name)} dimensions, the encoder makes {dimension} "
                "(drop it, and run qa index again)"
            )
        self.engine.put(name, sent)
        if cut not in self._answered:
            self._answer_from(cut)

    def _answer_from(self, cut: Cut) -> None:
        """Where an encoder, or the index, has no passages yet, these are they from the start."""
        name, alias = self.names.passages(cut), self.names.alias(cut.fingerprint)
        if self.engine.collection_of(alias) is None:
            self.engine.point(alias, name, new=True)
        if not self.state.main:
            self._keep_state(replace(self.state, main=name))
        self._answered.add(cut)

    def _clear_passages(self, keys: list[str]) -> None:
        """Of these articles, what belongs to no version that counts, whoever encoded it."""
        heads = self.heads(keys)
        for cut in self._cuts() if keys else []:
            self._clear_cut(cut, keys, heads)

    def _clear_cut(self, cut: Cut, keys: list[str], heads: dict[str, Head]) -> None:
        name = self.names.passages(cut)
        found = self._in(name, "article", keys, ("number", "article", "version"))
        self.engine.delete(name, [row["number"] for row in found if not _counts(row, heads)])

    def _clear(self) -> None:
        """What failed or old runs have left. IndexBusy when somebody elsewhere is writing: the lock holds on one machine."""
        notes = {name: json.loads(value) for name, value in self.records("note")}
        for note in notes.values():
            if not note["sent"] and note["from"] != self._place and time.time() - note["since"] < LEASE:
                minutes = f"or {LEASE // 60} minutes if it was stopped"
                raise IndexBusy(f"{note['from']} is writing the index {self.where} (wait for it, {minutes})")
        for name, note in notes.items():
            keys = note["keys"]
            heads = self.heads(keys)
            self._clear_passages(keys)
            old = self._in(self.names.texts, "article", keys, ("key", "article", "version"))
            self.engine.delete(self.names.texts, [row["key"] for row in old if not _counts(row, heads)])
            self.engine.delete(self.names.records, [_key("note", name)])
        for name, _ in list(self.records("drop")):
            if name in self.engine.collections():
                self.engine.drop(name)
            self.engine.delete(self.names.records, [_key("drop", name)])

    def _keep_encoders(self, encoders: dict[str, tuple[str, int]]) -> None:
        known = {name for name, _ in self.records("encoder")} if encoders else set()
        self.engine.put(
            self.names.records,
            [
                _record("encoder", fingerprint, {"name": name, "fingerprint": fingerprint, "dimension": dimension, "since": time.time_ns()})
                for fingerprint, (name, dimension) in encoders.items()
                if fingerprint not in known
            ],
        )

    def _next(self, state: State) -> None:
        self._keep_state(replace(state, generation=state.generation + 1))

    def _keep_state(self, state: State) -> None:
        self.engine.put(self.names.records, [{**_record("state", "", asdict(state)), "key": STATE}])

    def _create(self) -> State:
        """The state comes last: without it there is no index."""
        there = self.engine.collections()
        made = {self.names.texts: schema.texts, self.names.articles: schema.articles, self.names.records: schema.records}
        for name, make in made.items():
            if name not in there:
                self.engine.make(name, *make())
        state = State(uuid.uuid4().hex)
        self._keep_state(state)
        return state


def _number(row: Row) -> int:
    return int(row["number"])


def _counts(row: Row, heads: dict[str, Head]) -> bool:
    """Whether a text or passage belongs to the version of its article that counts."""
    head = heads.get(row["article"])
    return head is not None and head.version == row["version"]


def _key(kind: str, name: str) -> str:
    return f"{kind}-{article_key(name)}"


def _record(kind: str, name: str, value: object) -> Row:
    return {"key": _key(kind, name), "kind": kind, "name": name, "value": json.dumps(value), "vector": NO_VECTOR}
