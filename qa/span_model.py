"""Loads an extractive question-answering model: the one that ships with the project, or any Hugging Face one.

The shipped one keeps its weights as 8 or 4 bits with scales; they are checked against the manifest and unfolded to
float32 here. Of others only safetensors are read, never pickle, never remote code (see `model_files`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import ModelError
from qa.model_files import file_hash, first_line, model_folder

if TYPE_CHECKING:
    import torch

SHIPPED = "span"  # the name that the configuration gives our own reader
SHIPPED_FOLDER = Path(__file__).parent / "models" / "reader"
RESTORE = "restore the folder: git checkout -- qa/models/reader, or install the package again"
SCALE = ".scale"


def reader_folder(name: str) -> Path:
    """The folder of reader `name`, with what can be checked without loading it. Raises ModelError in one line."""
    folder = _checked_shipped() if name == SHIPPED else model_folder(name)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} of reader {name} cannot be read: {error} (restore it)") from None
    kinds = config.get("architectures") or []
    if not any(kind.endswith("ForQuestionAnswering") for kind in kinds):
        raise ModelError(
            f"{name} is no reader: its architecture is {', '.join(kinds) or 'not given'}, expected one that ends in "
            f"ForQuestionAnswering (give another model, or reader.model = {SHIPPED!r} or 'sentence')"
        )
    return folder


def load_reader(name: str) -> tuple[Any, Any]:
    """Tokenizer and model, float32, in evaluation mode, on the CPU."""
    folder = reader_folder(name)
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = _shipped_model(folder) if name == SHIPPED else _foreign_model(name, folder)
    except ModelError:
        raise
    except Exception as error:  # whatever is wrong with a model's files: the user needs one line
        raise ModelError(f"reader {name} cannot be loaded from {folder}: {first_line(error)}") from error
    if not tokenizer.is_fast:
        raise ModelError(f"reader {name}: its tokenizer gives no offsets (save a fast one: tokenizer.json)")
    return tokenizer, model.eval()


def unfolded(stored: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All as float32: `{"w": int8 (n, m), "w.scale": (n, g)}` -> `{"w": (n, m)}`, a scale for each m / g values of a row.

    Values of 4 bits are two in a byte of uint8 (n, m / 2): see training/export.py.
    """
    import torch

    weights = {}
    for name, tensor in stored.items():
        if name.endswith(SCALE):
            continue
        scale = stored.get(name + SCALE)
        if scale is None:
            weights[name] = tensor.float()
        else:
            groups = tensor.reshape(*scale.shape, -1)
            if not tensor.dtype.is_signed:
                groups = torch.cat([groups & 15, groups >> 4], dim=2).float() - 8
            weights[name] = (groups * scale.float()[:, :, None]).reshape(len(tensor), -1)
    return weights


def _checked_shipped() -> Path:
    manifest = SHIPPED_FOLDER / "manifest.json"
    try:
        expected: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError):
        raise ModelError(f"the shipped reader has no readable manifest at {manifest} ({RESTORE})") from None
    for file, digest in expected.items():
        path = SHIPPED_FOLDER / file
        if not path.is_file():
            raise ModelError(f"the shipped reader lacks {path} ({RESTORE})")
        found = file_hash(path)
        if found != digest:
            raise ModelError(f"{path} was changed: SHA-256 {found[:12]}…, expected {digest[:12]}… ({RESTORE})")
    return SHIPPED_FOLDER


def _shipped_model(folder: Path) -> Any:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    auto: Any = AutoModelForQuestionAnswering
    with torch.device("meta"):  # no time spent on random weights that are replaced at once
        model = auto.from_config(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
    model.load_state_dict(unfolded(load_file(folder / "model.safetensors")), strict=True, assign=True)
    # Not stored, and still without content: the numbers of the positions, and token types that are always given.
    embeddings = model.base_model.embeddings
    embeddings.position_ids = torch.arange(model.config.max_position_embeddings)[None]
    embeddings.token_type_ids = torch.zeros_like(embeddings.position_ids)
    return model


def _foreign_model(name: str, folder: Path) -> Any:
    from transformers import AutoModelForQuestionAnswering

    model, report = AutoModelForQuestionAnswering.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, output_loading_info=True
    )
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise ModelError(f"the weights of reader {name} in {folder} lack {missing} (give a model trained to read)")
    return model
