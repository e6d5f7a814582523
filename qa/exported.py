"""Models for the OpenVINO runtime: made once from a torch model, kept in a cache folder, run without torch.

An export is a folder: the graph, the tokenizer as the model's library made it, and the facts that are needed to run both. A
manifest has the SHA-256 of each file. The folder is written beside and renamed; one that is damaged is made again. That a model
cannot be exported is kept as well, so that it is tried once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from qa.model_files import content_hash, file_hash, first_line

if TYPE_CHECKING:
    import torch
    from openvino import Model
    from tokenizers import Tokenizer

Numbers = NDArray[np.int64]
Rows = NDArray[np.float32]
Precision = Literal["auto", "float32", "bfloat16", "int8"]  # the last one is for graphs that are made so (qa/quantized.py)

FORM = "1"  # of what an export contains; another one makes all of them again
LIBRARIES = ("openvino", "torch", "transformers", "sentence-transformers", "tokenizers")
GRAPH, TOKENIZER, FACTS, MANIFEST, REFUSAL = "model.xml", "tokenizer.json", "facts.json", "manifest.json", "refusal.json"
STEP = 16  # lengths are rounded up to multiples of it: each new shape costs the runtime some preparation


class NotExportable(Exception):
    """Why a model cannot run on OpenVINO, as half a sentence."""


@dataclass(frozen=True)
class Export:
    """`facts` is what JSON can hold."""

    graph: Model
    tokenizer: Tokenizer
    facts: dict[str, Any]


class Compiled:
    """A graph that is ready to run, for one thread at a time."""

    def __init__(self, graph: Model, precision: Precision) -> None:
        names = [port.any_name for port in graph.inputs]
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _hint(precision), "PERFORMANCE_HINT": "LATENCY"}
        settings["ENABLE_CPU_PINNING"] = False  # several processes with a thread each would all be pinned to the first core
        if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdigit():  # OpenVINO has threads of its own, and does not look
            settings["INFERENCE_NUM_THREADS"] = int(threads)
        self._names = names
        self._request = _core().compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, inputs: Mapping[str, Numbers]) -> Rows:
        """The first output."""
        found = self._request.infer({name: inputs[name] for name in self._names}, share_inputs=True)
        return np.asarray(found[0], dtype=np.float32)


def cached_export(key: str, make: Callable[[], Export]) -> Export:
    """The export of that key, made unless it is there and whole. A cache folder that cannot be written is done without."""
    folder = cache_folder() / key
    found = kept_export(key)
    if found is not None:
        return found
    with ExitStack() as held:
        try:
            from filelock import FileLock

            folder.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(f"{folder}.lock"))
        except OSError:
            return make()
        return _read(folder) or _made(folder, make)  # another process may have made it while we waited


def kept_export(key: str) -> Export | None:
    """The export of that key if it is there and whole."""
    return _read(cache_folder() / key)


def kept_facts(key: str) -> dict[str, Any]:
    """The facts of the export of that key, without reading its graph; none when it is not there."""
    try:
        return dict(json.loads((cache_folder() / key / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def cache_folder() -> Path:
    """`QA_CACHE`, else the user's folder for such things."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("QA_CACHE") or user_cache_dir("qa", appauthor=False)).expanduser()


def export_key(kind: str, model: Path) -> str:
    """Equal keys mean equal exports: of the same content, made by the same versions."""
    versions = [f"{library} {_version(library)}" for library in LIBRARIES]
    digest = hashlib.sha256("\0".join([FORM, content_hash(model), *versions]).encode()).hexdigest()
    return f"{kind}-{digest[:16]}"


def traced(module: torch.nn.Module, example: dict[str, torch.Tensor]) -> Model:
    """The graph of a torch module for inputs of any shape, its parameters named as in `example`."""
    import torch

    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # the tracer doubts shapes; whoever exports compares results
            return openvino().convert_model(module.eval(), example_input=example)
    except Exception as error:  # whatever the model does that the converter does not know
        raise NotExportable(f"its conversion failed: {first_line(error)}") from error


def copied(tokenizer: Tokenizer) -> Tokenizer:
    """One of our own: the model's library sets truncation and padding of its one at every call."""
    return type(tokenizer).from_str(tokenizer.to_str())


def padded(rows: Sequence[Sequence[int]], filler: int, longest: int, step: int = STEP) -> Numbers:
    """Rows of different lengths as one array, filled up on the right to a multiple of `step`, at most `longest`."""
    length = max(map(len, rows))
    width = max(length, min(-(-length // step) * step, longest))
    array = np.full((len(rows), width), filler, np.int64)
    for row, values in enumerate(rows):
        array[row, : len(values)] = values
    return array


def openvino() -> Any:
    """The library, without the telemetry that it would load and, at a conversion, send."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> Any:
    return openvino().Core()


def _hint(precision: Precision) -> str:
    if precision in ("auto", "int8"):
        return "bf16" if has_bfloat16() else "f32"
    return {"float32": "f32", "bfloat16": "bf16"}[precision]


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "-"


def _read(folder: Path) -> Export | None:
    """What is kept there; None unless it is whole. Raises NotExportable when that is what is kept."""
    try:
        expected: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if any(file_hash(folder / name) != digest for name, digest in expected.items()):
            return None
        if REFUSAL in expected:
            raise NotExportable(json.loads((folder / REFUSAL).read_text(encoding="utf-8")))
        from tokenizers import Tokenizer

        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return Export(_core().read_model(folder / GRAPH), Tokenizer.from_file(str(folder / TOKENIZER)), facts)
    except (OSError, ValueError, AttributeError):  # no file; no JSON; JSON of another shape
        return None


def _made(folder: Path, make: Callable[[], Export]) -> Export:
    try:
        export = make()
    except NotExportable as refusal:
        reason = str(refusal)
        _keep(folder, lambda beside: _write_json(beside / REFUSAL, reason))
        raise
    _keep(folder, lambda beside: _write(export, beside))
    return export


def _write(export: Export, folder: Path) -> None:
    openvino().save_model(export.graph, folder / GRAPH, compress_to_fp16=False)
    (folder / TOKENIZER).write_text(export.tokenizer.to_str(), encoding="utf-8")  # its own `save` raises no OSError
    _write_json(folder / FACTS, export.facts)


def _keep(folder: Path, write: Callable[[Path], None]) -> None:
    """Writes files and their manifest beside, then renames. A disk that is full or read-only costs only the next start time."""
    beside = Path(f"{folder}.new")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        write(beside)
        _write_json(beside / MANIFEST, {path.name: file_hash(path) for path in sorted(beside.iterdir())})
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    except (OSError, RuntimeError):  # OpenVINO's own writing raises the latter
        shutil.rmtree(beside, ignore_errors=True)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
