"""The same questions, encoder and reader in qa and in Haystack 2, one after the other in one run.

    bench/haystack.sh                     # once: an environment of its own for Haystack
    python bench/peers.py FILE [--sample 300]

FILE is a SQuAD file. Haystack gets its paragraphs as documents: sentence-transformers embedder, in-memory BM25 and embedding
retrievers joined by reciprocal rank, 8 documents to the `ExtractiveReader`. Both use the encoder and the reader of the
configuration, and the best span counts, shown or not. Figures go to bench/results/haystack.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.config import load_config
from qa.encoder import load_encoder
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.indexes import prepare_index
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import exact_match, f1
from qa.model_files import model_folder
from qa.pipeline import Pipeline
from qa.sentences import paragraph_spans
from qa.span_model import load_reader

HERE = Path(__file__).resolve().parent
PYTHON = HERE / "haystack-env" / "bin" / "python"
RESULTS = HERE / "results" / "haystack.json"


@dataclass(frozen=True, slots=True)
class Answered:
    """What one system said to the questions, in their order, and how long each took."""

    answers: list[str]
    seconds: list[float]
    passages_per_second: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="SQuAD file")
    parser.add_argument("--sample", type=int, default=300, help="answerable questions, drawn with a fixed seed")
    options = parser.parse_args()
    if not PYTHON.exists():
        parser.error(f"{PYTHON} is not there (make it: bench/haystack.sh)")
    dataset = load_dataset(options.file)
    answerable = [question for question in dataset.questions if question.answerable]
    questions = random.Random(1).sample(answerable, min(options.sample, len(answerable)))
    rows = {"qa": by_qa(dataset, questions), "Haystack": by_haystack(dataset, questions)}
    figures = {name: row(found, questions) for name, found in rows.items()}
    report = {"file": options.file.name, "questions": len(questions), "machine": platform.processor() or platform.machine(), **figures}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def row(found: Answered, questions: list[Question]) -> dict[str, float]:
    golds = [[gold.text for gold in question.gold] for question in questions]
    figures = {
        "EM": statistics.mean(map(exact_match, found.answers, golds)),
        "F1": statistics.mean(map(f1, found.answers, golds)),
        "p50_ms": 1000 * statistics.median(found.seconds),
        "p95_ms": 1000 * statistics.quantiles(found.seconds, n=20)[-1],
        "passages_per_second": found.passages_per_second,
    }
    return {name: round(value, 4) for name, value in figures.items()}


def by_qa(dataset: Dataset, questions: list[Question]) -> Answered:
    with tempfile.TemporaryDirectory() as folder:
        config = load_config().replace("index.path", Path(folder) / "default")
        encoder = load_encoder(config.embedding)
        encoder.encode_passages(["warm up"])
        config, built = prepare_index(dataset, config, encoder)
        pipeline = Pipeline(config, encoder=encoder)
        pipeline.warm_up()
        answers, seconds = [], []
        for question in questions:
            began = time.perf_counter()
            response = pipeline.ask(question.question)
            seconds.append(time.perf_counter() - began)
            best = response.answer or response.withheld
            answers.append(best.text if best else "")
        return Answered(answers, seconds, built["encoded"] / built["seconds"])


def by_haystack(dataset: Dataset, questions: list[Question]) -> Answered:
    """Runs haystack_answers.py in Haystack's environment, with the models as folders."""
    config = load_config()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokenizer, model = load_reader(config.reader.model)
        model.save_pretrained(folder / "reader")
        tokenizer.save_pretrained(folder / "reader")
        documents = [article.text[start:end] for article in dataset.articles for start, end in paragraph_spans(article.text)]
        task: dict[str, Any] = {
            "encoder": str(model_folder(config.embedding.model)),
            "reader": str(folder / "reader"),
            "documents": documents,
            "questions": [question.question for question in questions],
            "passages": config.retrieval.passages,
        }
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        subprocess.run([PYTHON, HERE / "haystack_answers.py", folder / "task.json", folder / "found.json"], check=True)
        found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
        return Answered(found["answers"], found["seconds"], found["passages_per_second"])


if __name__ == "__main__":
    main()
