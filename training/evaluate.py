"""Measures a reader on gold paragraphs: exact match, F1, and how well its scores tell unanswerable questions apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from qa.evaluation.metrics import exact_match, f1
from training.examples import Question, read_squad
from training.features import MAX_QUESTION, MAX_TITLE, Feature, special, tensors
from training.learning import bfloat16_where_it_is_fast

MAX_LENGTH = 320
MAX_SPAN = 30  # tokens


class Dev:
    """Questions with their token inputs (a context longer than MAX_LENGTH is cut: rare, and the same for every run)."""

    def __init__(self, questions: Sequence[Question], tokenizer: Tokenizer, titled: bool) -> None:
        cls, sep = special(tokenizer, "[CLS]"), special(tokenizer, "[SEP]")
        self.questions: list[Question] = []
        self.features: list[Feature] = []
        self.offsets: list[list[tuple[int, int]]] = []
        for question in questions:
            asked = tokenizer.encode(question.question, add_special_tokens=False).ids[:MAX_QUESTION]
            if titled and question.title:
                asked = [*asked, sep, *tokenizer.encode(question.title, add_special_tokens=False).ids[:MAX_TITLE]]
            context = tokenizer.encode(question.context, add_special_tokens=False)
            room = MAX_LENGTH - len(asked) - 3
            self.questions.append(question)
            self.features.append(Feature([cls, *asked, sep, *context.ids[:room], sep], len(asked) + 2, 0, 0))
            self.offsets.append(context.offsets[:room])


def read_dev(path: Path, tokenizer: Tokenizer, sample: int | None, seed: int, titled: bool) -> Dev:
    questions = read_squad(path)
    if sample is not None:
        questions = random.Random(seed).sample(questions, sample)
    return Dev(questions, tokenizer, titled)


@torch.inference_mode()
def predict(model: torch.nn.Module, dev: Dev, device: torch.device) -> list[tuple[str, float]]:
    """For each question the best span's text and its score: best start + end minus the null span's."""
    order = sorted(range(len(dev.features)), key=lambda i: len(dev.features[i].ids))
    found: list[tuple[str, float]] = [("", 0.0)] * len(order)
    for at in range(0, len(order), 16):
        rows = order[at : at + 16]
        batch = {name: t.to(device) for name, t in tensors([dev.features[i] for i in rows]).items()}
        allowed = batch.pop("allowed")
        with bfloat16_where_it_is_fast(device):
            output = model(**batch)
        starts, ends = output.start_logits.float(), output.end_logits.float()
        null = (starts[:, 0] + ends[:, 0]).tolist()
        allowed[:, 0] = False
        pairs = starts.masked_fill(~allowed, -1e4)[:, :, None] + ends.masked_fill(~allowed, -1e4)[:, None, :]
        band = torch.ones(pairs.shape[1:], dtype=torch.bool, device=device).triu().tril(MAX_SPAN - 1)
        best, where = pairs.masked_fill(~band, -1e5).flatten(1).max(dim=1)
        for row, number in enumerate(rows):
            start, end = divmod(int(where[row]), pairs.shape[2])
            first, offsets = dev.features[number].first, dev.offsets[number]
            text = dev.questions[number].context[offsets[start - first][0] : offsets[end - first][1]]
            found[number] = (text, float(best[row]) - null[row])
    return found


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative."""
    scores = sorted([(s, 1) for s in positive] + [(s, 0) for s in negative])
    ranks = sum(rank for rank, (_, label) in enumerate(scores, 1) if label)
    n, m = len(positive), len(negative)
    return (ranks - n * (n + 1) / 2) / (n * m)


def evaluate(model: torch.nn.Module, dev: Dev, device: torch.device) -> dict[str, float]:
    found = predict(model, dev, device)
    answerable = [(q, text, score) for q, (text, score) in zip(dev.questions, found, strict=True) if q.answers]
    others = [score for q, (_, score) in zip(dev.questions, found, strict=True) if not q.answers]
    result = {
        "questions": len(dev.questions),
        "EM": sum(exact_match(text, q.answers) for q, text, _ in answerable) / len(answerable),
        "F1": sum(f1(text, q.answers) for q, text, _ in answerable) / len(answerable),
    }
    if others:
        result["AUROC"] = auroc([score for _, _, score in answerable], others)
    return {name: round(value, 4) for name, value in result.items()}
