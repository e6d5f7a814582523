"""What runs an embedding model: sentence-transformers on torch, which is the reference, or OpenVINO on the processor.

Both give the same vectors but for rounding, so they share a fingerprint; OpenVINO in int8 has one of its own. An export is used
only if it gives what sentence-transformers gives for some probes; tokenizer, truncation and pooling are compared along with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.config import Embedding
from qa.errors import ModelError
from qa.exported import (
    Compiled,
    Export,
    NotExportable,
    Numbers,
    Precision,
    cache_folder,
    cached_export,
    copied,
    export_key,
    kept_export,
    padded,
    traced,
)
from qa.model_files import first_line, quiet_loading
from qa.quantized import quantized, spread

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

CACHED = 1024  # tokens in a batch: what passes between two layers then stays in the processor's cache (docs/design.md has the sweep)
PROBE = "  Who built the OLD tower of Paris, naïve Größe 東京?\n"
LONGEST_PROBE = 512  # words
EQUAL = 1e-5  # most that the cosine of a probe's two vectors may be below 1
ALIKE = 0.98  # least cosine, on average, of a passage's vectors in int8 and in float32 (0.998 for all-MiniLM-L6-v2)
# There when a graphics processor may be: NVIDIA's and AMD's drivers. Torch, which knows, takes seconds to import.
GRAPHICS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("C:/Windows/System32/nvcuda.dll"))


class EncoderRuntime(Protocol):
    def encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        """float32 (n, dim), rows of length 1. For one thread at a time."""


class TorchRuntime:
    """sentence-transformers, on the device that is asked for."""

    def __init__(self, settings: Embedding, folder: Path) -> None:
        precision = "float32" if settings.precision == "auto" else settings.precision
        self._model = _sentence_transformer(settings.model, folder, settings.device, precision)
        self._batch_size = settings.batch_size

    def encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        rows = self._model.encode(
            list(texts),
            prompt=prompt,  # given even when empty: else a prompt that the model's files name as default would come in
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        return np.ascontiguousarray(rows.float().cpu().numpy(), dtype=np.float32)


class OpenVinoRuntime:
    """An export, with its tokenizer. Texts of about the same length are encoded together, so that little is padding."""

    def __init__(self, export: Export, precision: Precision, max_tokens: int, batch_size: int) -> None:
        self._run = Compiled(export.graph, precision)
        self._tokenizer, self._facts = export.tokenizer, export.facts
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._max_tokens, self._batch_size = max_tokens, batch_size

    def encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        tokens = self._tokens(texts, prompt)
        rows = np.empty((len(tokens), self._facts["dimension"]), np.float32)
        for batch in self._batches(tokens):
            rows[batch] = self._run(self._inputs([tokens[number] for number in batch]))
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows

    def inputs(self, texts: Sequence[str], prompt: str) -> list[dict[str, Numbers]]:
        """What the graph is given for each text alone."""
        return [self._inputs([row]) for row in self._tokens(texts, prompt)]

    def _batches(self, tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Numbers of the texts that are encoded together."""
        batch: list[int] = []
        for number in sorted(range(len(tokens)), key=lambda number: len(tokens[number])):
            if batch and (len(batch) == self._batch_size or (len(batch) + 1) * len(tokens[number]) > CACHED):
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch

    def _tokens(self, texts: Sequence[str], prompt: str) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        return [encoding.ids or [self._facts["padding"]] for encoding in encodings]  # no token at all would give no number

    def _inputs(self, tokens: Sequence[Sequence[int]]) -> dict[str, Numbers]:
        ids = padded(tokens, self._facts["padding"], self._max_tokens)
        mask = padded([[1] * len(row) for row in tokens], 0, self._max_tokens)
        return {"input_ids": ids, "attention_mask": mask}


def load_runtime(settings: Embedding, folder: Path, max_tokens: int) -> EncoderRuntime:
    """What the settings ask for; `auto` takes OpenVINO where there is no graphics processor and the model can be exported."""
    if settings.backend == "torch" or (settings.backend == "auto" and _wants_graphics(settings.device)):
        return TorchRuntime(settings, folder)
    if settings.device not in ("auto", "cpu"):
        raise ModelError(
            f"embedding.backend = 'openvino' runs on the processor, and embedding.device = {settings.device!r} does not (set one to 'auto')"
        )
    try:
        return OpenVinoRuntime(_export(settings.model, folder, max_tokens), settings.precision, max_tokens, settings.batch_size)
    except NotExportable as reason:
        if settings.backend == "auto":
            return TorchRuntime(settings, folder)
        raise ModelError(f"embedding model {settings.model} cannot run on OpenVINO: {reason} (set embedding.backend to 'auto')") from None


def load_int8(key: str, settings: Embedding, max_tokens: int) -> EncoderRuntime:
    """What `calibrate` has made."""
    export = kept_export(key)
    if export is None:
        raise not_calibrated(settings.model)
    return OpenVinoRuntime(export, settings.precision, max_tokens, settings.batch_size)


def not_calibrated(name: str) -> ModelError:
    return ModelError(f"embedding.precision = 'int8' wants {name} calibrated on passages of your own (run: qa index)")


def calibrate(key: str, name: str, folder: Path, max_tokens: int, texts: Callable[[], Sequence[str]], prompt: str) -> None:
    """Makes the int8 export of that key, unless it is there and whole. Whichever process is first chooses the texts."""
    try:
        cached_export(key, lambda: _calibrated(_export(name, folder, max_tokens), max_tokens, spread(texts()), prompt))
    except NotExportable as reason:
        raise ModelError(f"embedding model {name} cannot run in int8: {reason} (set embedding.precision to 'auto')") from None
    if kept_export(key) is None:
        raise ModelError(f"{cache_folder()} cannot be written, and embedding.precision = 'int8' needs it (set QA_CACHE)")


def _calibrated(export: Export, max_tokens: int, texts: Sequence[str], prompt: str) -> Export:
    reference = OpenVinoRuntime(export, "float32", max_tokens, 1)
    made = quantized(export, texts, reference.inputs(texts, prompt))
    both = (runtime.encode(texts, prompt) for runtime in (reference, OpenVinoRuntime(made, "int8", max_tokens, 1)))
    cosine = float(np.multiply(*both).sum(axis=1).mean())
    if not cosine >= ALIKE:
        raise NotExportable(f"its vectors are others then (cosine {cosine:.4f} on average)")
    return made


def _export(name: str, folder: Path, max_tokens: int) -> Export:
    return cached_export(export_key("encoder", folder), lambda: _exported(name, folder, max_tokens))


def _wants_graphics(device: str) -> bool:
    if device != "auto":
        return device != "cpu"
    if sys.platform != "darwin" and not any(path.exists() for path in GRAPHICS):
        return False
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def _sentence_transformer(name: str, folder: Path, device: str, precision: str) -> SentenceTransformer:
    with quiet_loading():
        import torch
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(
                str(folder),
                device=None if device == "auto" else device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": getattr(torch, precision)},
            )
        except Exception as error:  # whatever is wrong with a model's files: the user needs one line
            raise ModelError(f"embedding model {name} cannot be loaded from {folder}: {first_line(error)}") from error


def _exported(name: str, folder: Path, max_tokens: int) -> Export:
    """Made by torch, and compared with it."""
    reference = _sentence_transformer(name, folder, "cpu", "float32")
    with quiet_loading():
        import torch

        mask = torch.ones(2, 16).long()
        mask[1, 9:] = 0  # without padding in the example, models leave the mask out of what is traced
        graph = traced(_sentence_module(reference), {"input_ids": torch.ones_like(mask), "attention_mask": mask})
    tokenizer: Any = reference.tokenizer
    facts = {"padding": int(tokenizer.pad_token_id or 0), "dimension": reference.get_embedding_dimension()}
    export = Export(graph, copied(tokenizer.backend_tokenizer), facts)
    _compare(OpenVinoRuntime(export, "float32", max_tokens, 2), reference, max_tokens)
    return export


def _sentence_module(reference: SentenceTransformer) -> Any:
    """From token numbers to the vector of a text, as one torch module."""
    import torch

    modules: list[Any] = list(reference)
    transformer, *others = modules
    tokenizer: Any = reference.tokenizer
    if not hasattr(transformer, "auto_model"):
        raise NotExportable(f"its first module is {type(transformer).__name__}, expected Transformer")
    if not getattr(tokenizer, "is_fast", False):
        raise NotExportable("its tokenizer is not a fast one")
    if not all(getattr(module, "include_prompt", True) for module in others):
        raise NotExportable("its pooling leaves the prompt out")

    class SentenceModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.modules_in_order = torch.nn.ModuleList([transformer.auto_model, *others])

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            model, *others = self.modules_in_order
            found = model(input_ids=input_ids, attention_mask=attention_mask)
            features = {"token_embeddings": found[0], "attention_mask": attention_mask}
            for module in others:
                features = module(features)
            return features["sentence_embedding"]

    return SentenceModule()


def _compare(runtime: OpenVinoRuntime, reference: SentenceTransformer, max_tokens: int) -> None:
    """Raises NotExportable unless both give the same for a short text, a shorter one beside it, and one that is cut off."""
    probes = [PROBE, "tower", PROBE * 2, "tower " * min(max_tokens + 8, LONGEST_PROBE)]
    expected = np.asarray(reference.encode(probes, prompt="", normalize_embeddings=True, show_progress_bar=False), np.float32)
    try:
        cosine = float((runtime.encode(probes, "") * expected).sum(axis=1).min())
    except RuntimeError as error:  # OpenVINO's, for a graph that cannot take another shape
        raise NotExportable(f"its export does not run: {first_line(error)}") from error
    if not cosine >= 1 - EQUAL:
        raise NotExportable(f"its export gives other vectors (cosine to the reference {cosine:.4f})")
