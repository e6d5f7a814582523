"""A larger reader, all-mpnet-base-v2 with a span head, trained on the same examples so as to teach the small one.

It is not shipped. Its marks, the logits of every start and end on some 26,000 examples, are what the small reader then
learns from beside the gold spans (`training/train.py --teacher`): they say how sure one can be, which gold spans do not.
Its words are pieces of the same vocabulary as the small reader's, so that the marks fit token by token.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import MPNetForQuestionAnswering

from training.examples import Question
from training.features import Feature, Featurizer, batches, cut
from training.learning import MAX_EXAMPLES, MAX_TOKENS, Checkpoint, logits_of, loss_of, set_dropout
from training.sources import Mix, stream

STEPS = 640
RATE = 6e-5
WARMUP = 60  # steps
FROZEN_LAYERS = 3  # the lowest of twelve, and the word vectors
# Of the examples that it is trained on fewer are without an answer: it has but one epoch to learn what an answer is.
LEARNS = Mix(titled=True, reworded=0.04, negatives=0.65)
MARKS = Mix(titled=True, reworded=0.1)
SHARD = 1500  # marked examples a file
SPECIAL = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}


class Teacher(torch.nn.Module):
    """Takes the small reader's inputs."""

    def __init__(self, folder: Path, small: Tokenizer) -> None:
        super().__init__()
        self.reader: Any = MPNetForQuestionAnswering.from_pretrained(folder, attn_implementation="eager", local_files_only=True)
        large = Tokenizer.from_file(str(folder / "tokenizer.json"))
        numbers = torch.zeros(small.get_vocab_size(), dtype=torch.long)
        for token, number in small.get_vocab().items():
            numbers[number] = large.token_to_id(SPECIAL.get(token, token))
        self.numbers: torch.Tensor
        self.register_buffer("numbers", numbers)
        for part in (self.reader.mpnet.embeddings, *self.reader.mpnet.encoder.layer[:FROZEN_LAYERS]):
            part.requires_grad_(False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: torch.Tensor) -> Any:
        return self.reader(input_ids=self.numbers[input_ids], attention_mask=attention_mask)


def train_teacher(
    folder: Path, small: Tokenizer, data: dict[str, list[Question]], output: Path, seed: int, write: Callable[..., None], stopped: Event
) -> Teacher | None:
    """Trains it, or goes on from the checkpoint in `output`. None: stopped before the end."""
    output.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)  # the span head's first weights
    teacher = Teacher(folder, small).to(device)
    done = output / "teacher.safetensors"
    if done.exists():
        teacher.reader.load_state_dict(load_file(done))
        return teacher
    set_dropout(teacher, 0.0)
    teacher.train()
    parameters = [p for p in teacher.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    checkpoint = Checkpoint(output)
    step = checkpoint.load(teacher, optimizer)
    rng = random.Random(f"{seed}/teacher")
    queue = batches(stream(LEARNS, data, Featurizer(small), rng), MAX_TOKENS, MAX_EXAMPLES, rng)
    losses: list[float] = []
    for features in islice(queue, step, STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARMUP) * (STEPS - step) / STEPS
        loss = loss_of(teacher, features, device)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        losses.append(loss.item())
        if step % 20 == 0:
            write(step=step, phase="teacher", loss=round(sum(losses[-20:]) / 20, 4))
        if step % 100 == 0 or stopped.is_set():
            checkpoint.save(teacher, optimizer, step)
        if stopped.is_set():
            return None
    save_file({name: tensor.contiguous() for name, tensor in teacher.reader.state_dict().items()}, done)
    return teacher


def mark(
    teacher: Teacher, small: Tokenizer, data: dict[str, list[Question]], output: Path, shards: int, seed: int, stopped: Event
) -> None:
    """Writes `shards` files of SHARD examples with the teacher's logits; those that are there already stay."""
    output.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"{seed}/marks")
    examples = stream(MARKS, data, Featurizer(small), rng)
    teacher.eval()
    for number in range(shards):
        taken = list(islice(examples, SHARD))
        path = output / f"{number:03}.safetensors"
        if not path.exists():
            _save([feature for batch in cut(taken, MAX_TOKENS, MAX_EXAMPLES) for feature in _marked(teacher, batch)], path)
        if stopped.is_set():
            return


@torch.inference_mode()
def _marked(teacher: Teacher, features: Sequence[Feature]) -> list[Feature]:
    logits = torch.stack(logits_of(teacher, features, next(teacher.parameters()).device))  # (2, n, longest)
    marks = logits.half().cpu().numpy()
    return [replace(f, marks=marks[:, row, : len(f.ids)]) for row, f in enumerate(features)]


def _save(features: Sequence[Feature], path: Path) -> None:
    arrays = {
        "ids": np.concatenate([np.array(f.ids, dtype=np.int32) for f in features]),
        "places": np.array([(len(f.ids), f.first, f.start, f.end) for f in features], dtype=np.int32),
        "marks": np.ascontiguousarray(np.concatenate([f.marks for f in features if f.marks is not None], axis=1)),
    }
    beside = path.with_suffix(".part")
    save_arrays(arrays, beside)
    beside.replace(path)


def read_marked(folder: Path) -> list[Feature]:
    """The examples that `mark` wrote."""
    features: list[Feature] = []
    for path in sorted(folder.glob("*.safetensors")):
        arrays = load_arrays(path)
        at = 0
        for length, first, start, end in arrays["places"].tolist():
            piece = slice(at, at + length)
            features.append(Feature(arrays["ids"][piece].tolist(), first, start, end, arrays["marks"][:, piece]))
            at += length
    return features


def marked_stream(features: Sequence[Feature], mask: int, share: float, rng: random.Random) -> Iterator[Feature]:
    """The examples in random order, epoch after epoch, a share of the passage's words hidden anew each time."""
    while True:
        for feature in rng.sample(features, len(features)):
            last = len(feature.ids) - 1
            ids = [mask if feature.first <= i < last and rng.random() < share else word for i, word in enumerate(feature.ids)]
            yield replace(feature, ids=ids)
