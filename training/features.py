"""Questions to token batches, the target a pair of token positions (0, 0: null).

`[CLS] question [SEP] context [SEP]`, or `[CLS] question [SEP] title [SEP] context [SEP]`, as qa/span_reader.py asks.

Batches hold examples of about the same length and about the same number of tokens, so that little is padding.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from tokenizers import Tokenizer

from training.examples import Question

MAX_QUESTION = 48  # tokens; 99.9 % of the training questions are shorter
MAX_TITLE = 24  # tokens


@dataclass(frozen=True, slots=True)
class Feature:
    """One example. `start` and `end` are token positions, both inclusive; `first` is the first context token."""

    ids: list[int]
    first: int
    start: int
    end: int


def special(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    assert number is not None, f"the encoder's vocabulary has no {name}"
    return int(number)


class Featurizer:
    """Tokenises, crops a long context at random around its answer, and finds the answer's tokens."""

    def __init__(self, tokenizer: Tokenizer, mask_share: float = 0.0) -> None:
        self._tokenizer = tokenizer
        self._cls, self._sep, self._mask = (special(tokenizer, name) for name in ("[CLS]", "[SEP]", "[MASK]"))
        self._mask_share = mask_share
        self._context = lru_cache(maxsize=20_000)(self._encode)

    def _encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def __call__(self, question: Question, max_length: int, rng: random.Random, title: str = "") -> Feature | None:
        asked = self._encode(question.question)[0][:MAX_QUESTION]
        if title:
            asked = [*asked, self._sep, *self._encode(title)[0][:MAX_TITLE]]
        ids, offsets = self._context(question.context)
        start = end = -1
        if question.spans:
            span_start, span_end = question.spans[0]
            inside = [i for i, (s, e) in enumerate(offsets) if s < span_end and span_start < e]
            if not inside:
                return None
            start, end = inside[0], inside[-1]
        room = max_length - len(asked) - 3
        crop = self._crop(len(ids), room, start, end, rng)
        if crop is None:
            return None
        context = ids[crop : crop + room]
        if self._mask_share:
            context = [self._mask if rng.random() < self._mask_share else i for i in context]
        first = len(asked) + 2
        joined = [self._cls, *asked, self._sep, *context, self._sep]
        if start < 0:
            return Feature(joined, first, 0, 0)
        return Feature(joined, first, first + start - crop, first + end - crop)

    @staticmethod
    def _crop(length: int, room: int, start: int, end: int, rng: random.Random) -> int | None:
        """Where a window of `room` tokens begins that holds the answer; None: the answer is longer than the window."""
        if length <= room:
            return 0
        if start < 0:
            return rng.randrange(length - room + 1)
        lowest, highest = max(0, end + 1 - room), min(start, length - room)
        return rng.randint(lowest, highest) if lowest <= highest else None


def batches(
    features: Iterator[Feature], max_tokens: int, max_examples: int, rng: random.Random, bucket: int = 1500
) -> Iterator[list[Feature]]:
    """Takes `bucket` features, cuts them into batches, and yields those in random order."""
    while True:
        ready = cut([next(features) for _ in range(bucket)], max_tokens, max_examples)
        rng.shuffle(ready)
        yield from ready


def cut(features: Sequence[Feature], max_tokens: int, max_examples: int) -> list[list[Feature]]:
    """Batches of about the same length, shortest first."""
    batches: list[list[Feature]] = [[]]
    for feature in sorted(features, key=lambda f: len(f.ids)):
        if len(batches[-1]) == max_examples or (len(batches[-1]) + 1) * len(feature.ids) > max_tokens:
            batches.append([])
        batches[-1].append(feature)
    return batches


def tensors(features: Sequence[Feature]) -> dict[str, torch.Tensor]:
    """int64 (n, longest): `input_ids`, `token_type_ids`, `attention_mask`; bool `allowed`: where a span may stand."""
    longest = max(len(f.ids) for f in features)
    ids = torch.zeros(len(features), longest, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    allowed = torch.zeros_like(ids, dtype=torch.bool)
    for row, feature in enumerate(features):
        n = len(feature.ids)
        ids[row, :n] = torch.tensor(feature.ids)
        mask[row, :n] = 1
        types[row, feature.first : n] = 1
        allowed[row, feature.first : n - 1] = True
        allowed[row, 0] = True
    return {"input_ids": ids, "token_type_ids": types, "attention_mask": mask, "allowed": allowed}
