"""What rewriting follow-up questions is worth: retrieval with the question as typed, rewritten, and in other forms.

    python bench/followups.py [--split test] [--show]

Asks the follow-ups of eval/questions.jsonl on its own index of eval/articles (built once, under index/eval) and prints a
row for each form of the question. "by hand" is the upper bound, people's own rewriting in followups.jsonl, where there is
one. The last line counts false positives: stand-alone questions that change after a conversation about something else.

Measured on 2026-11-22 (all-MiniLM-L6-v2, hybrid), R@1 / R@5: as typed 0.486 / 0.686 on dev (35) and 0.188 / 0.344 on test
(32); rewritten 0.600 / 0.971 and 0.719 / 0.938, though on test 0.625 / 0.844 before its failures had been looked at;
by hand 0.743 / 0.971 on dev. No false positive in 2,000.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from qa.chat import standalone_question
from qa.config import load_config
from qa.datatypes import Turn
from qa.encoder import load_encoder
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.indexes import prepare_index
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import CUTOFF, gold_rank
from qa.evaluation.outcomes import found
from qa.pipeline import Pipeline

HERE = Path(__file__).resolve().parent
PAIRS = 2000

Form = Callable[[Question], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=HERE.parent / "eval", help="evaluation set in our own form")
    parser.add_argument("--split", default="dev", help="tune on dev, report test (default: dev)")
    parser.add_argument("--config", help="configuration file")
    parser.add_argument("--show", action="store_true", help="print every follow-up with its rewriting and the rank of its answer")
    options = parser.parse_args()
    by_hand = {row["id"]: row["standalone"] for row in map(json.loads, (HERE / "followups.jsonl").read_text("utf-8").splitlines())}
    dataset = load_dataset(options.set)
    config = load_config(options.config)
    encoder = load_encoder(config.embedding)
    config, _ = prepare_index(dataset, config, encoder)
    pipeline = Pipeline(config, encoder=encoder)
    asked = [q for q in dataset.questions if q.turns and q.gold and q.split == options.split]
    print(f"{len(asked)} follow-ups, split {options.split}")
    for name, form in forms(by_hand).items():
        known = [q for q in asked if name != "by hand" or q.id in by_hand]
        if known:
            print_row(name, ranks(pipeline, known, form))
    if options.show:
        show(asked, ranks(pipeline, asked, rewritten))
    print(false_positives(dataset))


def rewritten(question: Question) -> str:
    return standalone_question(question.question, question.turns)


def forms(by_hand: dict[str, str]) -> dict[str, Form]:
    return {
        "as typed": lambda q: q.question,
        "rewritten": rewritten,
        "after the last question": lambda q: f"{q.turns[-1].question} {q.question}",
        "after all questions": lambda q: " ".join([*(turn.question for turn in q.turns), q.question]),
        "after all turns": lambda q: " ".join([*(f"{turn.question} {turn.answer}" for turn in q.turns), q.question]),
        "by hand": lambda q: by_hand[q.id],
    }


def ranks(pipeline: Pipeline, questions: Sequence[Question], form: Form) -> list[int | None]:
    """Rank of the first passage that covers a gold span; None beyond ten."""
    hits = pipeline.search_many([form(question) for question in questions], CUTOFF)
    return [gold_rank(found(some), question.gold) for some, question in zip(hits, questions)]


def print_row(name: str, found_at: Sequence[int | None]) -> None:
    at = {k: sum(rank is not None and rank <= k for rank in found_at) / len(found_at) for k in (1, 5)}
    reciprocal = sum(1 / rank for rank in found_at if rank) / len(found_at)
    print(f"{name:<24} n {len(found_at):3}   R@1 {at[1]:.3f}   R@5 {at[5]:.3f}   RR@10 {reciprocal:.3f}")


def show(questions: Sequence[Question], found_at: Sequence[int | None]) -> None:
    for question, rank in zip(questions, found_at):
        print(f"{question.id} rank {rank or '-'}: {question.turns[-1].question} [{question.turns[-1].answer}]")
        print(f"     {question.question} -> {rewritten(question)}")


def false_positives(dataset: Dataset) -> str:
    """Each stand-alone question after the question and answer of others, drawn at random."""
    alone = [q for q in dataset.questions if not q.turns]
    rng = random.Random(0)
    changed = []
    for number in range(PAIRS):
        question, other = alone[number % len(alone)], rng.choice(alone)
        turn = Turn(other.question, other.gold[0].text if other.gold else "")
        if standalone_question(question.question, [turn]) != question.question:
            changed.append(question.question)
    share = f"{len(changed)} of {PAIRS} stand-alone questions change after a conversation about something else"
    return "\n     ".join([share, *sorted(set(changed))])


if __name__ == "__main__":
    main()
