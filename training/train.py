"""Trains the span reader from the sentence encoder: `python training/train.py --data FOLDER --output FOLDER`.

The phases are the table PHASES. The model is the mean of the weights at the ends of those named in MEAN. A run that was stopped goes on
from its last checkpoint when it is started with the same `--output`.
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
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

# Threads that wait give way to others at once: hours of training in the background share the processor.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertForQuestionAnswering

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training.encoder import save
from training.evaluate import evaluate, read_dev
from training.examples import Question, read_squad, read_written
from training.features import Feature, Featurizer, batches
from training.learning import MAX_EXAMPLES, MAX_TOKENS, Checkpoint, loss_of, mean_weights, set_dropout
from training.sources import SOURCES, Mix, stream

SEED = 20261122
MASKED = 0.03  # share of the passage's words that are hidden, after the first phase


@dataclass(frozen=True, slots=True)
class Phase:
    """A piece of the run. `rate` is the highest learning rate: after `warmup` steps it falls to zero, or stays.

    `after`: it starts from the mean of these phases' last weights, with a new optimizer; one that is named twice counts twice.
    """

    name: str
    steps: int
    rate: float
    mix: Mix
    warmup: int = 0
    falls: bool = True
    masked: float = MASKED
    dropout: float = 0.0
    after: tuple[str, ...] = ()

    def rate_at(self, step: int) -> float:
        """Of a step counted from the phase's first."""
        warm = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate * warm * ((self.steps - step) / self.steps if self.falls else 1.0)


TITLED = Mix(titled=True, negatives={"reworded": 0.1})
WRITTEN = Path(__file__).with_name("written")  # questions on paragraphs of SQuAD
FILES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def with_written(files: int, unanswered: float = 0.2, answered: float = 0.2) -> Mix:
    """With the questions of the first so many files."""
    return Mix(titled=True, negatives={"changed": 0.07}, written=FILES[:files], unanswered=unanswered, answered=answered)


PHASES = (
    Phase("mixed", 1000, 1.5e-4, Mix(wiki=False, titled=True), warmup=200, falls=False, masked=0.0),
    Phase("wiki", 1500, 1.5e-4, TITLED),
    Phase("again", 1000, 1e-4, TITLED, dropout=0.1),
    Phase("third", 1000, 1e-4, TITLED, warmup=50, dropout=0.1, after=("wiki", "again")),
    Phase("written", 900, 1e-4, with_written(1, 0.22, 0.0), warmup=50, dropout=0.1, after=("wiki", "again", "third")),
    Phase("asked", 700, 1e-4, with_written(2, answered=0.15), warmup=50, dropout=0.1, after=("third", "written")),
    Phase("later", 700, 1e-4, with_written(4), warmup=50, dropout=0.1, after=("third", "written", "asked", "asked")),
    Phase("alike", 1200, 1e-4, with_written(7), warmup=50, dropout=0.1, after=("third", "written", "asked", "asked", "later", "later")),
    Phase("last", 900, 1e-4, with_written(9), warmup=50, dropout=0.1, after=("asked", "later", "alike")),
)
MEAN = ("third", "written", *2 * ("asked", "later", "alike", "last"))


class Run:
    """A run in a folder: data, model, optimizer, log and checkpoint."""

    def __init__(self, args: argparse.Namespace) -> None:
        torch.manual_seed(SEED)
        torch.set_num_threads(args.threads)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.folder: Path = args.output
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data: dict[str, list[Question]] = {s.file: read_squad(args.data / f"{s.file}.json", s.one_pool, s.titled) for s in SOURCES}
        self.written = {path.stem: read_written(path) for path in sorted(WRITTEN.glob("*.tsv"))}
        encoder = args.encoder or self._encoder()
        # Attention in plain matrix products: with bfloat16 autocast this trains twice as fast on a CPU as the fused kernel.
        self.model: Any = BertForQuestionAnswering.from_pretrained(encoder, attn_implementation="eager", local_files_only=True)
        self.model.to(self.device)
        # Word vectors stay as the encoder has them: half of the weights, and the training text is too small to move them.
        self.model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self.checkpoint = Checkpoint(self.folder)
        self.step = self.checkpoint.load(self.model, self.optimizer)
        self.tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.devs = {titled: read_dev(args.dev, self.tokenizer, 1000, 1, titled) for titled in (False, True)} if args.dev else {}
        self.eval_every: int = args.eval_every
        self.log = (self.folder / "log.jsonl").open("a", encoding="utf-8")
        self.stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: self.stopped.set())  # a polite end saves before it goes

    def _encoder(self) -> Path:
        """A folder beside the checkpoint, made once."""
        folder = self.folder / "encoder"
        if not (folder / "tokenizer.json").exists():
            questions = [question for pool in self.data.values() for question in pool]
            save(folder, {text for q in questions for text in (q.context, q.question, q.title)}, SEED)
        return folder

    def write(self, **record: float | str) -> None:
        print(json.dumps(record), file=self.log, flush=True)

    def go(self, stop: int | None) -> None:
        """To the end, or to this step."""
        begins = [0, *accumulate(phase.steps for phase in PHASES)]
        end = min(begins[-1], stop or begins[-1])
        for phase, begin in zip(PHASES, begins, strict=False):
            if begin <= self.step < begin + phase.steps and self.step < end and not self.stopped.is_set():
                self._phase(phase, begin, end)
        self.checkpoint.save(self.model, self.optimizer, self.step)
        if self.step == begins[-1]:
            self.model.load_state_dict(self._mean(MEAN))
        self.save_model({"encoder": "multilingual-e5-small", "steps": self.step, "seed": SEED})

    def _mean(self, names: Iterable[str]) -> dict[str, torch.Tensor]:
        return mean_weights([self.folder / f"{name}.safetensors" for name in names])

    def _phase(self, phase: Phase, begin: int, end: int) -> None:
        if phase.after and self.step == begin:
            self.model.load_state_dict(self._mean(phase.after))
            self.optimizer.state.clear()
        rng = random.Random(f"{SEED}/{phase.name}")
        examples = stream(phase.mix, self.data, self.written, Featurizer(self.tokenizer, phase.masked), rng)
        set_dropout(self.model, phase.dropout)
        queue = batches(examples, MAX_TOKENS, MAX_EXAMPLES, rng)
        for _ in range(self.step - begin):  # a resumed run goes on where it stood
            next(queue)
        self.model.train()
        saved = began = time.monotonic()
        tokens, losses = 0, []
        while self.step < min(begin + phase.steps, end) and not self.stopped.is_set():
            features = next(queue)
            losses.append(self._learn(features, phase.rate_at(self.step - begin)))
            tokens += sum(len(f.ids) for f in features)
            if self.step % 20 == 0:
                speed = round(tokens / (time.monotonic() - began))
                self.write(step=self.step, phase=phase.name, loss=round(sum(losses) / len(losses), 4), tokens_per_second=speed)
                tokens, losses, began = 0, [], time.monotonic()
            if time.monotonic() - saved > 180:
                self.checkpoint.save(self.model, self.optimizer, self.step)
                saved = time.monotonic()
            if self.devs and (self.step % self.eval_every == 0 or self.step == begin + phase.steps):
                self.model.eval()
                self.write(step=self.step, **evaluate(self.model, self.devs[phase.mix.titled], self.device))
                self.model.train()
                began = time.monotonic()
        if self.step == begin + phase.steps:
            save_file(self.model.state_dict(), self.folder / f"{phase.name}.safetensors")

    def _learn(self, features: list[Feature], rate: float) -> float:
        torch.manual_seed(SEED + self.step)  # dropout does not depend on where a run was resumed
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(self.model, features, self.device)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return loss.item()

    def save_model(self, made_by: dict[str, object]) -> None:
        """As a Hugging Face model, so that `reader.model` may name the folder."""
        folder = self.folder / "model"
        self.model.config.reads_titles = True  # for qa/span_reader.py
        self.model.save_pretrained(folder)
        self.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        tokens = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
        inputs = ["input_ids", "token_type_ids", "attention_mask"]
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, "model_input_names": inputs, **tokens}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
        (folder / "made_by.json").write_text(json.dumps(made_by), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("QA_READER_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="training files (or QA_READER_DATA)")
    parser.add_argument("--output", type=Path, required=True, help="folder for checkpoint, log and the model")
    parser.add_argument("--dev", type=Path, help="SQuAD 2.0 file to measure on")
    parser.add_argument("--encoder", type=Path, help="folder of another encoder, a BERT")
    parser.add_argument("--stop", type=int, help="stop after this step of the schedule (a smoke run)")
    parser.add_argument("--eval-every", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.data is None:
        parser.error("--data is required: the folder that holds squad1_part.json")
    Run(args).go(args.stop)


if __name__ == "__main__":
    main()
