"""Writes the trained reader as it ships: weights of 8 and 4 bits with their scales, tokenizer, configuration, manifest of hashes.

`python training/export.py --model RUN/model` replaces qa/models/reader. Matrices are stored as int8 with a scale for every
64 values of a row (symmetric, the largest value at 127); word vectors, which were never trained, with the 4 bits that they came
with; vectors and the span head as float32. What that costs in gold F1 stands in README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

SHIPPED = Path(__file__).resolve().parent.parent / "qa" / "models" / "reader"
SCALE = ".scale"  # suffix that qa/span_model.py looks for
GROUP = 64  # values that share a scale; widths of all matrices are multiples of it
BLOCK = 32  # values of a word vector that share a scale
KEPT_EXACT = ("qa_outputs.weight",)
WORDS = "bert.embeddings.word_embeddings.weight"


def quantized(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`{"w": (n, m)}` -> `{"w": int8 (n, m), "w.scale": float16 (n, m / 64)}`; vectors and KEPT_EXACT stay float32. WORDS: `halved`."""
    stored: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if name == WORDS:
            stored[name], stored[name + SCALE] = halved(tensor)
            continue
        if tensor.dim() != 2 or name in KEPT_EXACT:
            stored[name] = tensor.float().contiguous()
            continue
        groups = tensor.float().reshape(len(tensor), -1, GROUP)
        scale = (groups.abs().amax(dim=2).clamp(min=1e-5) / 127).half().float()
        stored[name] = torch.round(groups / scale[:, :, None]).clamp(-127, 127).to(torch.int8).reshape(tensor.shape)
        stored[name + SCALE] = scale.half()
    return stored


def halved(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """float (n, m) -> 4 bits each, two in a byte, uint8 (n, m / 2), and float16 scales (n, m / 32). Lossless where they had 4 bits.

    Values are -8 to 7, the largest of a block at -8; a block's first half is in the low halves of its bytes (llama.cpp's Q4_0).
    """
    blocks = vectors.float().reshape(len(vectors), -1, BLOCK)
    largest = blocks.gather(2, blocks.abs().argmax(dim=2, keepdim=True))
    scale = (largest / -8).half()
    values = torch.round(blocks / torch.where(scale == 0, 1, scale.float())).clamp(-8, 7).to(torch.int16) + 8
    packed = (values[..., : BLOCK // 2] | values[..., BLOCK // 2 :] << 4).to(torch.uint8)
    return packed.reshape(len(vectors), -1), scale[..., 0]


def export(model: Path, target: Path, made_by: dict[str, object]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    save_file(quantized(load_file(model / "model.safetensors")), target / "model.safetensors")
    (target / "model.safetensors").chmod(0o644)  # the library writes it readable for its owner only
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    _write_json(target / "config.json", config)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (target / name).write_bytes((model / name).read_bytes())
    names = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
    digests = {name: hashlib.sha256((target / name).read_bytes()).hexdigest() for name in names}
    _write_json(target / "manifest.json", {"made_by": made_by, "sha256": digests})


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder `model` of a training run")
    parser.add_argument("--output", type=Path, default=SHIPPED, help="default: the package's own reader")
    args = parser.parse_args()
    export(args.model, args.output, json.loads((args.model / "made_by.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
