"""The loss, dropout, checkpoints, means of weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from qa.span_runtimes import torch_has_bfloat16
from training.features import Feature, tensors

MAX_TOKENS = 3600  # a batch, padding included
MAX_EXAMPLES = 32
NOWHERE = -1e4  # a logit


def bfloat16_where_it_is_fast(device: torch.device) -> torch.autocast:
    """Autocast that does nothing on a device without bfloat16, where a matrix product takes six times as long as in float32."""
    has_it = torch_has_bfloat16() if device.type == "cpu" else torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, torch.bfloat16, enabled=has_it)


def loss_of(model: torch.nn.Module, features: Sequence[Feature], device: torch.device) -> torch.Tensor:
    """Cross-entropy of start and of end, their mean; no span may stand in question, title or padding."""
    batch = {name: tensor.to(device) for name, tensor in tensors(features).items()}
    allowed = batch.pop("allowed")
    with bfloat16_where_it_is_fast(device):
        output = model(**batch)
    starts = torch.tensor([f.start for f in features], device=device)
    ends = torch.tensor([f.end for f in features], device=device)
    start_logits = output.start_logits.float().masked_fill(~allowed, NOWHERE)
    end_logits = output.end_logits.float().masked_fill(~allowed, NOWHERE)
    return (functional.cross_entropy(start_logits, starts) + functional.cross_entropy(end_logits, ends)) / 2


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """On the layers' outputs, not inside attention, where drawing the masks costs more than the matrices."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0 if name.endswith("attention.self.dropout") else share


class Checkpoint:
    """Weights, optimizer moments and the step, in one safetensors file that is written beside and renamed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "checkpoint.safetensors"

    def save(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
        state = {f"model.{name}": tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        names = [name for name, p in model.named_parameters() if p.requires_grad]
        moments = optimizer.state_dict()["state"]
        for number, name in enumerate(names):
            for key, tensor in moments.get(number, {}).items():
                state[f"optimizer.{key}.{name}"] = tensor.detach().cpu().contiguous()
        state["step"] = torch.tensor(step)
        beside = self._path.with_suffix(".part")
        save_file(state, beside)
        beside.replace(self._path)

    def load(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """The step to go on from; 0 where there is no checkpoint."""
        if not self._path.exists():
            return 0
        state = load_file(self._path)
        model.load_state_dict({k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
        names = [name for name, p in model.named_parameters() if p.requires_grad]
        keys = ("step", "exp_avg", "exp_avg_sq")
        known = [(i, name) for i, name in enumerate(names) if f"optimizer.step.{name}" in state]
        moments = {i: {key: state[f"optimizer.{key}.{name}"] for key in keys} for i, name in known}
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
        return int(state["step"])


def mean_weights(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    weights = [load_file(file) for file in files]
    return {name: torch.stack([w[name] for w in weights]).mean(dim=0) for name in weights[0]}
