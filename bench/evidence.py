"""What the sentence behind an answer is worth in choosing between answers: the sweep of the two weights in qa/evidence.py.

    python bench/evidence.py eval/ --split dev
    python bench/evidence.py FILE --sample 1000
    python bench/evidence.py FILE --sample 1000 --others     # the questions that chose nothing

Asks the set's answerable questions once, every passage read, keeps the five best answers of each as retrieval and reader rank
them, and prints for each pair of weights the F1 of the answer that then comes first, the difference to none of either with its
standard error, and how many questions get an answer of another F1. Results are in docs/design.md#reading.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.answers import grouped
from qa.chat import standalone_question
from qa.config import load_config
from qa.encoder import load_encoder
from qa.evaluation.datasets import Question
from qa.evaluation.indexes import prepare_index
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import f1
from qa.evidence import COVERAGE, LEADING, LIKENESS, compared, evidence
from qa.pipeline import Pipeline
from qa.reader import SentenceReader, load_reader
from qa.words import coverage

LIKENESSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
COVERAGES = (0.0, 0.1, 0.2, 0.3, 0.4)
COUNTS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Candidate:
    score: float
    likeness: float
    coverage: float
    f1: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="evaluation set, or a SQuAD file")
    parser.add_argument("--split", help="tune on dev")
    parser.add_argument("--sample", type=int, help="so many answerable questions, drawn with a fixed seed")
    parser.add_argument("--others", action="store_true", help="those that --sample leaves, instead")
    parser.add_argument("--config", help="configuration file")
    options = parser.parse_args()
    dataset = load_dataset(options.set)
    questions = [q for q in dataset.questions if q.answerable and options.split in (None, q.split)]
    if options.sample is not None:
        shuffled = random.Random(2).sample(questions, len(questions))
        questions = shuffled[options.sample :] if options.others else shuffled[: options.sample]
    if len(questions) < 2:
        parser.error(f"{len(questions)} answerable questions to ask, and at least 2 are needed (other --split or --sample)")
    config = load_config(options.config)
    if config.reader.model == SentenceReader.name:
        parser.error(f"the {SentenceReader.name} reader weighs no evidence (set reader.model to a model)")
    encoder = load_encoder(config.embedding)
    config, _ = prepare_index(dataset, config, encoder)
    found = list(candidates(Pipeline(config, encoder=encoder), questions))
    print(f"{len(found)} questions")
    for likeness, share in itertools.product(LIKENESSES, COVERAGES):
        print(row(f"{likeness} {share}", found, likeness, share, LEADING))
    for count in COUNTS:
        print(row(f"as in qa, {count} weighed", found, LIKENESS, COVERAGE, count))


def candidates(pipeline: Pipeline, questions: Sequence[Question]) -> Iterator[list[Candidate]]:
    """Of each question, best first by retrieval and reader."""
    reader = load_reader(pipeline.config.reader, pipeline.encoder)
    for question in questions:
        text = standalone_question(question.question, question.turns)
        hits = pipeline.search(text, k=pipeline.config.retrieval.passages)
        groups = grouped(reader.read(text, hits), reader.weight)[: max(COUNTS)]
        golds = [gold.text for gold in question.gold]
        likened = compared(groups, pipeline.encoder.encode_questions([text])[0], pipeline.encoder)
        if likened:
            yield [Candidate(g.score, g.likeness, coverage(text, evidence(g)), f1(g.text, golds)) for g in likened]


def row(name: str, found: Sequence[Sequence[Candidate]], likeness: float, share: float, count: int) -> str:
    def score(candidate: Candidate) -> float:
        return candidate.score + likeness * candidate.likeness + share * candidate.coverage

    chosen = [max(those[:count], key=score).f1 for those in found]
    gains = [one - those[0].f1 for one, those in zip(chosen, found, strict=True)]
    error = statistics.stdev(gains) / math.sqrt(len(gains))
    return f"{name:20} F1 {statistics.mean(chosen):.4f} {statistics.mean(gains):+.4f} ± {error:.4f}, {sum(map(bool, gains))} changed"


if __name__ == "__main__":
    main()
