"""Text to vectors, by a sentence-transformers model that the configuration names; qa/encoder_runtimes.py runs it.

What identifies the vectors is the fingerprint: model content, prompts, pooling and length (both part of the content) and
normalisation; in int8 also the passages that the model was calibrated on. Counting tokens and the fingerprint need neither torch
nor the weights in memory; the model is loaded at the first `encode_…`. Vectors are float32 (n, dim), rows of length 1, so that
a dot product is the cosine.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qa.config import Embedding
from qa.encoder_runtimes import EncoderRuntime, calibrate, load_int8, load_runtime, not_calibrated
from qa.encoder_runtimes import Vectors as Vectors
from qa.errors import ModelError
from qa.model_files import content_hash, model_folder
from qa.quantized import calibrated_on

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# (start of the model's name, question prompt, passage prompt) for families whose cards ask for prompts but whose files don't tell
FAMILIES = (
    ("e5-", "query: ", "passage: "),
    ("multilingual-e5-", "query: ", "passage: "),
    ("bge-small-en", "Represent this sentence for searching relevant passages: ", ""),
    ("bge-base-en", "Represent this sentence for searching relevant passages: ", ""),
    ("bge-large-en", "Represent this sentence for searching relevant passages: ", ""),
)


class Encoder(Protocol):
    """What indexing and retrieval need; the tests have one of ten lines."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def max_tokens(self) -> int: ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Characters of each token of `text`, in order, special tokens left out."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 (n, dim), rows of length 1."""

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """float32 (n, dim), rows of length 1."""


class SentenceTransformerEncoder:
    """A model in the format of sentence-transformers. Safe to use from several threads."""

    def __init__(self, settings: Embedding) -> None:
        if settings.precision == "int8" and settings.backend == "torch":
            raise ModelError("embedding.precision = 'int8' runs on openvino alone, not on embedding.backend = 'torch' (set one to 'auto')")
        self.name = settings.model
        self._settings = settings
        self._folder = model_folder(settings.model)
        self._question_prompt, self._passage_prompt = _prompts(settings, self._folder)
        self._lock = threading.Lock()
        self._is_calibrated = False

    def __reduce__(self) -> tuple[type[SentenceTransformerEncoder], tuple[Embedding]]:
        """Another machine gets the settings, and has the model's files itself."""
        return SentenceTransformerEncoder, (self._settings,)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits; equal fingerprints mean interchangeable vectors."""
        if self._settings.precision != "int8":
            return self._fingerprint()
        texts = calibrated_on(self._int8)
        if texts is None:
            raise not_calibrated(self.name)
        return self._fingerprint("int8", texts)

    @cached_property
    def max_tokens(self) -> int:
        """Longest input in tokens, special ones included; what is longer is cut off."""
        told = _read_json(self._folder / "sentence_bert_config.json").get("max_seq_length")
        position = _read_json(self._folder / "config.json").get("max_position_embeddings")
        return int(told or position or 512)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self._passage_prompt)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self._question_prompt)

    def calibrate(self, texts: Callable[[], Sequence[str]]) -> None:
        """In int8, unless that was done before: on passages as they are embedded."""
        if self._settings.precision == "int8" and not self._is_calibrated:
            calibrate(self._int8, self.name, self._folder, self.max_tokens, texts, self._passage_prompt)
            self._is_calibrated = True

    @cached_property
    def _int8(self) -> str:
        """The key of the export in int8. No versions of libraries: an index outlives these, and its vectors need this very export."""
        return f"int8-{self._fingerprint()}"

    def _fingerprint(self, *more: str) -> str:
        parts = (content_hash(self._folder), self._question_prompt, self._passage_prompt, "normalised", *more)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        with self._lock:
            return self._runtime.encode(texts, prompt)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        path = self._folder / "tokenizer.json"
        if not path.is_file():
            raise ModelError(f"{self._folder} has no tokenizer.json, which gives exact offsets (save it with a fast tokenizer)")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library has no class of its own for a file that it cannot read
            raise ModelError(f"{path} cannot be read: {error} (restore the model's files)") from None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _runtime(self) -> EncoderRuntime:
        if self._settings.precision == "int8":
            return load_int8(self._int8, self._settings, self.max_tokens)
        return load_runtime(self._settings, self._folder, self.max_tokens)


def load_encoder(settings: Embedding) -> Encoder:
    """The encoder that the configuration asks for. Fails at once, with ModelError, when its files are not there."""
    return SentenceTransformerEncoder(settings)


def calibrate_encoder(encoder: Encoder, texts: Callable[[], Sequence[str]]) -> None:
    """Has an encoder in int8 ready to encode; others are ready as they are."""
    if isinstance(encoder, SentenceTransformerEncoder):
        encoder.calibrate(texts)


def listed_encoder(settings: Embedding, name: str) -> Encoder:
    """The first encoder of that name among those that the configuration lists."""
    listed = {one.model: one for one in reversed(settings.each())}
    if name not in listed:
        raise ModelError(f"embedding.others does not list {name} (listed: {', '.join(one.model for one in settings.each())})")
    return load_encoder(listed[name])


def _prompts(settings: Embedding, folder: Path) -> tuple[str, str]:
    """(question prompt, passage prompt): as configured, else as the model's files say, else by family, else none."""
    declared: dict[str, Any] = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    name = Path(settings.model).name.lower()
    family = next(((q, p) for start, q, p in FAMILIES if name.startswith(start)), ("", ""))
    question = declared.get("query") or declared.get("question") or family[0]
    passage = declared.get("document") or declared.get("passage") or family[1]
    if settings.query_prompt is not None:
        question = settings.query_prompt
    if settings.passage_prompt is not None:
        passage = settings.passage_prompt
    return question, passage


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error} (restore the model's files)") from None
