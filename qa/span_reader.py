"""Reads passages with an extractive model: for a question and its hits, the spans that answer best.

A span's score is its start logit + end logit minus those of the null span (the [CLS] token) in the same window, so
that scores compare across passages: above 0 the model prefers the span to "not said here". Ranking with retrieval,
grouping and confidence are the caller's. Nothing heavy is imported before the first `read`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from qa.datatypes import Hit, Passage, Span
from qa.mend import mend
from qa.questions import wants_sentence
from qa.sentences import Offsets, sentence_spans
from qa.span_model import SHIPPED, load_reader, reader_folder

if TYPE_CHECKING:
    import torch

MAX_QUESTION = 64  # tokens; what is longer is cut off
MAX_TITLE = 24  # tokens; likewise
MAX_WINDOW = 384  # tokens of question and passage together; longer passages are read in windows
STRIDE = 128  # tokens that neighbouring windows share
MAX_SPAN = 30  # tokens
BATCH_TOKENS = 4096  # padding included
FORBIDDEN = -1e4  # logit of a position that no span may take


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a hit's passage as the model sees it. `offsets` are characters of the passage, None outside of it."""

    hit: int
    inputs: dict[str, list[int]]
    offsets: list[tuple[int, int] | None]
    null: int

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span of passage characters, half-open."""

    hit: int
    start: int
    end: int
    score: float


class SpanReader:
    """A reader by name (`span`: our own), folder or Hugging Face name. Safe to use from several threads."""

    weight = 0.05  # of a logit beside the retrieval score
    reranks = True

    def __init__(self, model: str = SHIPPED, spans_per_passage: int = 3) -> None:
        reader_folder(model)  # fails now, not at the first question
        self.name = model
        self._per_passage = spans_per_passage
        self._lock = threading.Lock()

    def read(self, question: str, hits: Sequence[Hit]) -> list[Span]:
        """Spans of these hits, best first: at most `spans_per_passage` of a passage, none overlapping another of it."""
        if not question.strip() or not hits:
            return []
        with self._lock:
            windows = self._windows(question.strip(), [hit.passage for hit in hits])
            found = [candidate for batch in _batches(windows) for candidate in self._score(batch)]
        whole = _whole_sentences if wants_sentence(question) else mend
        mended = [_widened(candidate, whole(hits[candidate.hit].passage.text, candidate.start, candidate.end)) for candidate in found]
        kept = _without_overlaps(sorted(mended, key=lambda c: -c.score), self._per_passage)
        return [_span(hits[candidate.hit], candidate) for candidate in kept]

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_reader(self.name)

    def _windows(self, question: str, passages: Sequence[Passage]) -> list[Window]:
        tokenizer, model = self._loaded
        limit = min(MAX_WINDOW, tokenizer.model_max_length, _positions(model))
        asked = [self._asked(question, passage.title, limit) for passage in passages]
        longest = max(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in set(asked))
        room = limit - longest - tokenizer.num_special_tokens_to_add(pair=True)
        encoded = tokenizer(
            asked,
            [passage.text for passage in passages],
            truncation="only_second",
            max_length=limit,
            stride=min(STRIDE, room // 2),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_attention_mask=True,
        )
        windows = []
        for row, ids in enumerate(encoded["input_ids"]):
            part = encoded.sequence_ids(row)
            # A token of no width (some tokenizers make them) is no place for a span to begin.
            offsets = [
                offset if side == 1 and offset[0] < offset[1] else None
                for offset, side in zip(encoded["offset_mapping"][row], part, strict=True)
            ]
            null = ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0
            inputs = {name: encoded[name][row] for name in tokenizer.model_input_names if name in encoded}
            windows.append(Window(encoded["overflow_to_sample_mapping"][row], inputs, offsets, null))
        return windows

    def _asked(self, question: str, title: str, limit: int) -> str:
        """What stands before the passage: the question and, for a model that was trained so, the title of the article."""
        tokenizer, model = self._loaded
        question = _cut(tokenizer, question, min(MAX_QUESTION, limit // 2))
        if not title or not getattr(model.config, "reads_titles", False):
            return question
        return f"{question} {tokenizer.sep_token} {_cut(tokenizer, title, min(MAX_TITLE, limit // 8))}"

    def _score(self, windows: Sequence[Window]) -> Iterator[Candidate]:
        tokenizer, model = self._loaded
        inputs = {name: [window.inputs[name] for window in windows] for name in windows[0].inputs}
        starts, ends = _logits(model, dict(tokenizer.pad(inputs, return_tensors="pt")))
        left = tokenizer.padding_side == "left"
        for row, window in enumerate(windows):
            begin = starts.shape[1] - len(window) if left else 0
            here = slice(begin, begin + len(window))
            yield from _best_pairs(window, starts[row, here], ends[row, here], self._per_passage)


def _cut(tokenizer: Any, text: str, tokens: int) -> str:
    """The first so many tokens of a text."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]


def _best_pairs(window: Window, starts: torch.Tensor, ends: torch.Tensor, count: int) -> Iterator[Candidate]:
    """The best (start, end) pairs of a window: end >= start, at most MAX_SPAN tokens, inside the passage."""
    import torch

    outside = torch.tensor([offset is None for offset in window.offsets])
    null = starts[window.null] + ends[window.null]
    pairs = starts.masked_fill(outside, FORBIDDEN)[:, None] + ends.masked_fill(outside, FORBIDDEN)[None, :]
    band = torch.ones_like(pairs, dtype=torch.bool).triu().tril(MAX_SPAN - 1)
    # Neighbours of the best span score nearly as high, so that many pairs are needed to find a few that lie apart.
    scores, places = pairs.masked_fill(~band, 2 * FORBIDDEN).flatten().topk(min(40 * count, pairs.numel()))
    for score, place in zip(scores.tolist(), places.tolist(), strict=True):
        first, last = window.offsets[place // len(window)], window.offsets[place % len(window)]
        if first is not None and last is not None and score > FORBIDDEN:
            yield Candidate(window.hit, first[0], last[1], score - float(null))


def _batches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows of about the same length together, so that little is padding."""
    batch: list[Window] = []
    for window in sorted(windows, key=len):
        if batch and (len(batch) + 1) * len(window) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _without_overlaps(candidates: Sequence[Candidate], per_passage: int) -> list[Candidate]:
    """Best first: drops a candidate that overlaps a better one of its passage, and those beyond `per_passage`."""
    kept: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        others = kept.setdefault(candidate.hit, [])
        if len(others) < per_passage and all(candidate.end <= o.start or o.end <= candidate.start for o in others):
            others.append(candidate)
    return sorted((c for others in kept.values() for c in others), key=lambda c: -c.score)


def _whole_sentences(text: str, start: int, end: int) -> Offsets:
    """The sentences that a span lies in."""
    touched = [span for span in sentence_spans(text) if span[0] < end and start < span[1]] or [(start, end)]
    return touched[0][0], touched[-1][1]


def _widened(candidate: Candidate, place: Offsets) -> Candidate:
    return replace(candidate, start=place[0], end=place[1])


def _span(hit: Hit, candidate: Candidate) -> Span:
    """The candidate in characters of the article."""
    passage, start, end = hit.passage, candidate.start, candidate.end
    return Span(hit, passage.start + start, passage.start + end, passage.text[start:end], candidate.score)


def _positions(model: Any) -> int:
    """Longest input of the model. RoBERTa's kind counts positions from its padding index on."""
    positions = int(getattr(model.config, "max_position_embeddings", MAX_WINDOW) or MAX_WINDOW)
    counts_from_padding = model.config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet")
    return positions - 2 if counts_from_padding and positions > 2 else positions


def _logits(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and end logits, float32 (windows, tokens) each.

    The encoder runs in bfloat16 where the processor multiplies that; the span head never does, since its scores are
    compared across passages and bfloat16 has three digits.
    """
    import torch

    head = getattr(model, "qa_outputs", None)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
        if not isinstance(head, torch.nn.Linear):
            output = model(**batch)
            return output.start_logits.float(), output.end_logits.float()
        hidden = model.base_model(**batch)[0]
    with torch.inference_mode():
        starts, ends = head(hidden.float()).unbind(-1)
    return starts, ends


@cache
def _has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    import torch

    # Older versions of torch cannot tell; float32 is always right.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
