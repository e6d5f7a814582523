"""The collections of one index: their names, fields and indexes.

    qa_NAME_records                     key -> JSON: state, files, folders, refusals, encoders, and what the next run clears away
    qa_NAME_articles                    a row an article; that it is there, in this version, is what counts (see writer.py)
    qa_NAME_texts                       articles as JSON, in pieces that fit into a field; by article and version
    qa_NAME_passages_ENCODER_SPLITTING  passages as one encoder has them: vector, stemmed words, text, and what filters look at
    qa_NAME_passages_ENCODER            alias of the one that questions to that encoder are answered from

NAME is that of the folder `index.path`. Milvus wants a vector in every collection; where there is none, it is two zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

FORMAT = 1  # of all this; an index of a newer one is refused
LONGEST = 65_535  # bytes of a field
BM25 = {"bm25_k1": 1.2, "bm25_b": 0.75}  # as in SQLite's FTS5
NO_VECTOR = [0.0, 0.0]


@dataclass(frozen=True, slots=True)
class Cut:
    """One way of having the passages: cut for a splitting, encoded by an encoder."""

    fingerprint: str
    splitting: str

    @property
    def mark(self) -> str:
        """By which an article's row says that its passages are there."""
        return f"{self.fingerprint}:{self.splitting}"


@dataclass(frozen=True, slots=True)
class Names:
    """Of an index's collections."""

    base: str

    @classmethod
    def of(cls, name: str) -> Names:
        return cls("qa_" + re.sub(r"[^0-9A-Za-z_]", "_", name))

    @property
    def records(self) -> str:
        return f"{self.base}_records"

    @property
    def articles(self) -> str:
        return f"{self.base}_articles"

    @property
    def texts(self) -> str:
        return f"{self.base}_texts"

    def alias(self, fingerprint: str) -> str:
        return f"{self.base}_passages_{fingerprint}"

    def passages(self, cut: Cut) -> str:
        return f"{self.alias(cut.fingerprint)}_{cut.splitting}"

    def cut(self, collection: str) -> Cut | None:
        """The way back: None for a collection that is another's, or holds no passages."""
        fingerprint, _, splitting = collection.removeprefix(self.alias("")).partition("_")
        own = collection.startswith(self.alias("")) and splitting and "_" not in splitting
        return Cut(fingerprint, splitting) if own else None


def records() -> tuple[Any, Any]:
    schema, indexes = _start("key", 4096)
    _text(schema, "kind", 64)
    _text(schema, "name")
    _text(schema, "value")
    _index(indexes, "kind")
    return schema, indexes


def articles() -> tuple[Any, Any, tuple[str, ...]]:
    """`cuts` are marks of the passages that are whole, `number` gives the order of indexing, `card` is what lists show."""
    from pymilvus import DataType

    schema, indexes = _start("key", 64)
    for name in ("id", "file", "splitting", "card", "source", "author"):
        _text(schema, name)
    for name in ("version", "family"):
        _text(schema, name, 256)
    _text(schema, "signature", 4096)
    for name in ("number", "pieces", "passages", "published"):
        schema.add_field(name, DataType.INT64)
    schema.add_field("bands", DataType.ARRAY, element_type=DataType.INT64, max_capacity=256)
    schema.add_field("cuts", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=256, max_capacity=64)
    for name in ("file", "family"):
        _index(indexes, name)
    return schema, indexes, ("bands", "cuts")  # Milvus Lite indexes no lists


def texts() -> tuple[Any, Any]:
    schema, indexes = _start("key", 256)
    for name in ("article", "version"):
        _text(schema, name, 64)
    _text(schema, "text")
    _index(indexes, "article")
    return schema, indexes


def passages(dimension: int) -> tuple[Any, Any]:
    """`text` is empty where it is too long for a field: then it is taken from the article."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("number", DataType.INT64, is_primary=True)
    for name in ("article", "version", "text_key"):
        _text(schema, name, 64)
    for name in ("id", "title", "text", "source", "author"):
        _text(schema, name)
    for name in ("first", "last", "published"):
        schema.add_field(name, DataType.INT64)
    schema.add_field(
        "words", DataType.VARCHAR, max_length=LONGEST, enable_analyzer=True, analyzer_params={"tokenizer": "standard"}
    )
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["words"], output_field_names=["bm25"])
    )
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(field_name="vector", index_type="AUTOINDEX", metric_type="IP")  # of length 1
    indexes.add_index(field_name="bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=BM25)
    for name in ("article", "text_key", "source", "published"):
        _index(indexes, name)
    return schema, indexes


def _start(key: str, longest: int) -> tuple[Any, Any]:
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(key, DataType.VARCHAR, max_length=longest, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=len(NO_VECTOR))
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(field_name="vector", index_type="FLAT", metric_type="L2")
    return schema, indexes


def _text(schema: Any, name: str, longest: int = LONGEST) -> None:
    from pymilvus import DataType

    schema.add_field(name, DataType.VARCHAR, max_length=longest)


def _index(indexes: Any, name: str) -> None:
    indexes.add_index(field_name=name, index_type="INVERTED")
