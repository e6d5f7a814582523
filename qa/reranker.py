"""Orders hits anew by a cross-encoder, a model that reads question and passage together: slower than search, and better.

Off unless `retrieval.reranker` names one. The reader that ships orders the passages that it reads as well, for nothing;
a reranker is for looking further down than that, or for readers that do not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from qa.config import Retrieval
from qa.datatypes import Hit
from qa.errors import ModelError
from qa.model_files import first_line, model_folder, quiet_loading

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class Reranker(Protocol):
    """What the retriever needs of one."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits, best first, with new scores in [0, 1]."""


class CrossEncoderReranker:
    """A sentence-transformers `CrossEncoder` by folder or Hugging Face name. Safe to use from several threads."""

    def __init__(self, model: str) -> None:
        self.name = model
        self._folder = model_folder(model)
        kinds = _architectures(self._folder / "config.json")
        if not any(kind.endswith("ForSequenceClassification") for kind in kinds):
            raise ModelError(
                f"{model} is no reranker: its architecture is {', '.join(kinds) or 'not given'}, expected one that ends in "
                "ForSequenceClassification (give a cross-encoder, or leave retrieval.reranker out)"
            )
        self._lock = threading.Lock()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        if not hits:
            return []
        with self._lock:
            scores = self._model.predict([(question, f"{hit.passage.title}\n{hit.passage.text}") for hit in hits], show_progress_bar=False)
        low, high = float(min(scores)), float(max(scores))
        # Scaled like the fused scores that they replace, so that the reader's weight beside them means the same.
        scaled = [(float(score) - low) / (high - low) if high > low else 1.0 for score in scores]
        ranked = sorted(zip(scaled, hits, strict=True), key=lambda pair: -pair[0])
        return [replace(hit, score=score) for score, hit in ranked]

    @cached_property
    def _model(self) -> CrossEncoder:
        with quiet_loading():
            from sentence_transformers import CrossEncoder

            try:
                model: CrossEncoder = CrossEncoder(
                    str(self._folder), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
                )
            except Exception as error:  # whatever is wrong with a model's files: the user needs one line
                raise ModelError(f"reranker {self.name} cannot be loaded from {self._folder}: {first_line(error)}") from error
        if model.num_labels != 1:
            raise ModelError(f"{self.name} is no reranker: it tells {model.num_labels} classes apart, expected one score")
        return model


def load_reranker(settings: Retrieval) -> Reranker | None:
    """The reranker that the configuration names, if any. Fails at once, with ModelError, when its files are not there."""
    return CrossEncoderReranker(settings.reranker) if settings.reranker else None


def _architectures(path: Path) -> list[str]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8")).get("architectures") or [])
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error} (restore the model's files)") from None
