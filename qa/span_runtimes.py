"""What runs a reader: transformers on torch, or an export on OpenVINO. Both turn token numbers into logits.

An export is used only if it gives the logits that torch gives for some probes. The encoder of a reader runs in bfloat16 where
the processor multiplies that; the span head never does, since its scores are compared across passages and bfloat16 has
three digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from qa.errors import ModelError
from qa.exported import (
    STEP,
    Compiled,
    Export,
    NotExportable,
    Numbers,
    Precision,
    Rows,
    cached_export,
    copied,
    export_key,
    padded,
    traced,
)
from qa.model_files import first_line, quiet_loading
from qa.span_model import load_reader, reader_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Backend = Literal["auto", "torch", "openvino"]
Inputs = Mapping[str, Numbers]
Logits = tuple[Rows, Rows]  # of starts and of ends: float32 (windows, tokens) each

PROBES = (("Who built the tower?", "It was built by Gustave Eiffel. " * 4), ("When?", "In 1889."))
EQUAL = 1e-3  # most that logits of a probe may differ, float32
UNKNOWN = 384  # positions of a model that does not tell


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reading has to know of a model. `limit` is its longest input in tokens; `null` the token that stands for "not said"."""

    limit: int
    null: int | None
    padding: int
    separator: str
    inputs: tuple[str, ...]
    reads_titles: bool


@dataclass(frozen=True)
class SpanModel:
    """A reader that is loaded, for one thread at a time. Lengths are rounded up to multiples of `step`."""

    tokenizer: Tokenizer
    facts: Facts
    logits: Callable[[Inputs], Logits]
    step: int

    def score(self, windows: Sequence[Mapping[str, Sequence[int]]]) -> Logits:
        return self.logits(self._batch(windows))

    def _batch(self, windows: Sequence[Mapping[str, Sequence[int]]]) -> Inputs:
        filler = {"input_ids": self.facts.padding}
        return {
            name: padded([window[name] for window in windows], filler.get(name, 0), self.facts.limit, self.step)
            for name in self.facts.inputs
        }


def load_span_model(name: str, backend: Backend) -> SpanModel:
    """The reader of that name. `auto` takes OpenVINO if the model can be exported."""
    if backend == "torch":
        return on_torch(*load_reader(name))
    try:
        return on_openvino(name)
    except NotExportable as reason:
        if backend == "auto":
            return on_torch(*load_reader(name))
        raise ModelError(f"reader {name} cannot run on OpenVINO: {reason} (set reader.backend to 'auto')") from None


def on_torch(tokenizer: Any, model: Any, precision: Precision = "auto") -> SpanModel:
    """Tokenizer and model of transformers."""
    half = precision == "bfloat16" or (precision == "auto" and torch_has_bfloat16())
    return SpanModel(copied(tokenizer.backend_tokenizer), _facts(tokenizer, model), lambda inputs: _torch_logits(model, inputs, half), 1)


def on_openvino(name: str, precision: Precision = "auto") -> SpanModel:
    """Raises NotExportable when it cannot be had."""
    return _compiled(cached_export(export_key("reader", reader_folder(name)), lambda: _exported(name)), precision)


def _compiled(export: Export, precision: Precision) -> SpanModel:
    facts = Facts(**{**export.facts["model"], "inputs": tuple(export.facts["model"]["inputs"])})
    weight = np.array(export.facts["head"]["weight"], np.float32)
    bias = np.array(export.facts["head"]["bias"], np.float32)
    run = Compiled(export.graph, precision)

    def logits(inputs: Inputs) -> Logits:
        both = run(inputs) @ weight.T + bias
        return both[..., 0], both[..., 1]

    return SpanModel(export.tokenizer, facts, logits, STEP)


def _exported(name: str) -> Export:
    """Made by torch, and compared with it."""
    tokenizer, model = load_reader(name)
    reference = on_torch(tokenizer, model, "float32")
    head = getattr(model, "qa_outputs", None)
    with quiet_loading():
        import torch

        if not isinstance(head, torch.nn.Linear):
            raise NotExportable("it has no linear span head")
        example = {key: torch.from_numpy(values) for key, values in reference._batch(_probes(reference)).items()}
        graph = traced(_hidden_states(model.base_model, list(example)), example)
    facts = {"model": asdict(reference.facts), "head": {"weight": head.weight.tolist(), "bias": head.bias.tolist()}}
    export = Export(graph, copied(reference.tokenizer), facts)
    _compare(_compiled(export, "float32"), reference)
    return export


def _hidden_states(model: Any, names: Sequence[str]) -> Any:
    """From token numbers, given in the order of `names`, to the last hidden states, as a torch module."""
    import torch

    class HiddenStates(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            given = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
            return self.model(**{name: given[name] for name in names})[0]

    return HiddenStates()


def _probes(model: SpanModel, repeats: int = 1) -> list[dict[str, list[int]]]:
    """Windows of different lengths."""
    model.tokenizer.enable_truncation(model.facts.limit)
    pairs = [(question, text * repeats) for question, text in PROBES]
    return [token_inputs(encoding, model.facts.inputs) for encoding in model.tokenizer.encode_batch(pairs)]


def token_inputs(encoding: Any, names: Sequence[str]) -> dict[str, list[int]]:
    """What a model is given of a text: the arrays that transformers calls so."""
    arrays = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
    return {name: arrays[name] for name in names}


def _compare(ours: SpanModel, reference: SpanModel) -> None:
    """Raises NotExportable unless both give the same, for windows of another length than those that were traced as well."""
    for repeats in (1, 2):
        windows = _probes(reference, repeats)
        try:
            found = ours.score(windows)
        except RuntimeError as error:  # OpenVINO's, for a graph that cannot take another shape
            raise NotExportable(f"its export does not run: {first_line(error)}") from error
        for row, window in enumerate(windows):
            for mine, theirs in zip(found, reference.score(windows), strict=True):
                apart = float(np.abs(mine[row, : len(window["input_ids"])] - theirs[row, : len(window["input_ids"])]).max())
                if not apart <= EQUAL:
                    raise NotExportable(f"its export gives other logits (by {apart:.3f})")


def _facts(tokenizer: Any, model: Any) -> Facts:
    names = ("input_ids", "attention_mask", "token_type_ids")
    return Facts(
        limit=min(tokenizer.model_max_length, _positions(model)),
        null=tokenizer.cls_token_id,
        padding=tokenizer.pad_token_id or 0,
        separator=tokenizer.sep_token or "",
        inputs=tuple(name for name in names if name in tokenizer.model_input_names),
        reads_titles=bool(getattr(model.config, "reads_titles", False)),
    )


def _positions(model: Any) -> int:
    """Longest input of the model. RoBERTa's kind counts positions from its padding index on."""
    positions = int(getattr(model.config, "max_position_embeddings", None) or UNKNOWN)
    counts_from_padding = model.config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet")
    return positions - 2 if counts_from_padding and positions > 2 else positions


def _torch_logits(model: Any, inputs: Inputs, half: bool) -> Logits:
    import torch

    batch = {name: torch.from_numpy(values) for name, values in inputs.items()}
    head = getattr(model, "qa_outputs", None)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        if not isinstance(head, torch.nn.Linear):
            output = model(**batch)
            return output.start_logits.float().numpy(), output.end_logits.float().numpy()
        hidden = model.base_model(**batch)[0]
    with torch.inference_mode():
        starts, ends = head(hidden.float()).unbind(-1)
    return starts.numpy(), ends.numpy()


@cache
def torch_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    import torch

    # Older versions of torch cannot tell; float32 is always right.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
