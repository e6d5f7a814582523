"""Measures a reader as it ships, on gold paragraphs: `python training/measure.py --questions FILE [--reader NAME]`.

Unlike `evaluate.py`, which looks at the weights while they train, this goes the product's way: int8 weights, windows, mending.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from qa.datatypes import Hit, Passage
from qa.evaluation.metrics import exact_match, f1
from qa.span_reader import SpanReader
from training.evaluate import auroc
from training.examples import Question, read_squad


def measure(reader: SpanReader, questions: list[Question]) -> dict[str, float]:
    """EM and F1 over the answerable questions, AUROC of the best span's score, milliseconds a paragraph."""
    right, overlap = [], []
    scores: dict[bool, list[float]] = {True: [], False: []}
    began = time.perf_counter()
    for question in questions:
        passage = Passage("gold", 0, len(question.context), question.context, question.title)
        spans = reader.read(question.question, [Hit(passage, 1.0)])
        scores[bool(question.answers)].append(spans[0].score)
        if question.answers:
            right.append(exact_match(spans[0].text, question.answers))
            overlap.append(f1(spans[0].text, question.answers))
    result = {"questions": len(questions), "EM": sum(right) / len(right), "F1": sum(overlap) / len(overlap)}
    if scores[False]:
        result["AUROC"] = auroc(scores[True], scores[False])
    return result | {"ms": 1000 * (time.perf_counter() - began) / len(questions)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="SQuAD file")
    parser.add_argument("--reader", default="span", help="span: the shipped one; else a folder")
    parser.add_argument("--sample", type=int, help="so many questions of the file, drawn with a fixed seed")
    args = parser.parse_args()
    questions = read_squad(args.questions)
    if args.sample is not None:
        questions = random.Random(1).sample(questions, args.sample)
    print(json.dumps({name: round(value, 4) for name, value in measure(SpanReader(args.reader), questions).items()}))


if __name__ == "__main__":
    main()
