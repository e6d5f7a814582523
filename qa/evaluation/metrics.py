"""Scores of single questions: SQuAD's exact match and F1, and trec's retrieval measures at ten hits.

Answers are scored by the definitions of SQuAD's `evaluate-v2.0.py`; rankings by `ir_measures`. What a hit must cover is
decided here as well. Averages, intervals and everything about confidence are in `statistics`.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa.evaluation.datasets import Gold, Question

CUTOFF = 10  # hits that are scored
RIGHT_FROM = 0.5  # F1 from which an answer counts as right
MEASURES = (*(f"R@{k}" for k in range(1, CUTOFF + 1)), "RR@10", "nDCG@10")

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = frozenset(string.punctuation)


@dataclass(frozen=True, slots=True)
class Found:
    """A hit as it is kept and scored: which piece of which article."""

    article_id: str
    start: int
    end: int
    score: float


def normalize_answer(text: str) -> str:
    """SQuAD's: lower case, without punctuation, articles and extra spaces. "The U.S." -> "us"."""
    kept = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def exact_match(answer: str, golds: Iterable[str]) -> float:
    """1 when the answer equals any gold, normalised. No golds: 1 when the answer is empty, which is a refusal."""
    found = normalize_answer(answer)
    return float(any(found == normalize_answer(gold) for gold in _scored(golds)))


def f1(answer: str, golds: Iterable[str]) -> float:
    """Best word overlap with any gold; no golds: as `exact_match`."""
    return max(_word_f1(answer, gold) for gold in _scored(golds))


def is_right(answer: str, golds: Iterable[str]) -> bool:
    """Whether an answer does, which is looser than F1: it shares enough words with a gold, or holds one word for word.

    The second is for readers that answer by whole sentences, whose F1 is low however right they are. Words are told apart from all
    punctuation there, while SQuAD's definition takes “ and ’ for letters.
    """
    found = f" {_words(answer)} "
    wanted = [(gold, _words(gold)) for gold in golds]
    return any(words and (f" {words} " in found or _word_f1(answer, gold) >= RIGHT_FROM) for gold, words in wanted)


def _words(text: str) -> str:
    """Normalised, without punctuation of any script: 'as “the end”.' -> 'as end'."""
    return normalize_answer("".join(character for character in text if not unicodedata.category(character).startswith("P")))


def _scored(golds: Iterable[str]) -> list[str]:
    """Golds that have words left; none at all is one empty gold, so that a refusal is right."""
    return [gold for gold in golds if normalize_answer(gold)] or [""]


def _word_f1(answer: str, gold: str) -> float:
    found, wanted = normalize_answer(answer).split(), normalize_answer(gold).split()
    if not found or not wanted:
        return float(found == wanted)
    shared = sum((Counter(found) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(found), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def covers(hit: Found, gold: Gold) -> bool:
    return hit.article_id == gold.article_id and hit.start <= gold.start and gold.end <= hit.end


def gold_rank(hits: Sequence[Found], golds: Sequence[Gold]) -> int | None:
    """Rank, from 1, of the first hit that covers any gold."""
    return next((rank for rank, hit in enumerate(hits, 1) if any(covers(hit, gold) for gold in golds)), None)


def ranking_scores(asked: Sequence[tuple[Question, Sequence[Found]]]) -> dict[str, dict[str, float]]:
    """Measures by question id, for answerable questions; hits best first.

    A question with golds has one relevant target, met by the first hit that covers a gold: then R@k is 0 or 1 and nDCG is
    1 / log2(1 + rank). A question with judged documents is scored as by trec_eval, each document at its best passage.
    """
    import ir_measures

    qrels: dict[str, Mapping[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for question, hits in asked:
        if question.answerable:
            qrels[question.id] = question.documents or {"gold": 1}
            run[question.id] = _descending(_ranked_documents(hits) if question.documents else _ranked_targets(hits, question.gold))
    scores: dict[str, dict[str, float]] = {key: dict.fromkeys(MEASURES, 0.0) for key in qrels}
    if qrels:
        measures = [ir_measures.parse_measure(name) for name in MEASURES]
        for metric in ir_measures.iter_calc(measures, qrels, run):
            scores[metric.query_id][str(metric.measure)] = metric.value
    return scores


def _ranked_documents(hits: Sequence[Found]) -> list[str]:
    return list(dict.fromkeys(hit.article_id for hit in hits))[:CUTOFF]


def _ranked_targets(hits: Sequence[Found], golds: Sequence[Gold]) -> list[str]:
    """Names of the hits: "gold" for the first that covers one, a number for the others."""
    rank = gold_rank(hits, golds)
    return ["gold" if number == rank else str(number) for number in range(1, min(len(hits), CUTOFF) + 1)]


def _descending(names: Sequence[str]) -> dict[str, float]:
    """The order as scores without ties, which trec_eval would break by name."""
    return {name: float(-rank) for rank, name in enumerate(names)}
