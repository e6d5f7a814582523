"""qa beside Haystack 2 and txtai: the same passages, questions, encoder and reader, in one run.

    bench/haystack.sh; bench/txtai.sh     # once: environments of their own
    python bench/peers.py FILE [--sample 100] [--rounds 2]

FILE is a SQuAD file. qa indexes its articles as usual; the others get the passages that qa cut. Haystack: sentence-transformers embedder,
in-memory BM25 and embedding retrievers joined by reciprocal rank, 8 documents to the `ExtractiveReader`. txtai: hybrid search, 8 texts
to `Questions`, which gives no scores: the first answer in the order of retrieval counts. qa's best span counts, shown or not. Indexing
ends with an index that can be searched; models are loaded before. The systems take turns, round by round, so that a machine that is
busy with other things is so for all: the best round of indexing counts, and the times of all questions. Figures go to
bench/results/peers.json.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from machine import described

from qa.config import Config, load_config
from qa.encoder import load_encoder
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.indexes import prepare_index
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import exact_match, f1
from qa.model_files import model_folder
from qa.passages import Splitter
from qa.pipeline import Pipeline
from qa.span_model import load_reader

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "peers.json"
PEERS = {"Haystack": "haystack", "txtai": "txtai"}

Found = dict[str, Any]  # version, answers (in the order of the questions), seconds of each, passages_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="SQuAD file")
    parser.add_argument("--sample", type=int, default=100, help="answerable questions, drawn with a fixed seed")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    for name in PEERS.values():
        if not python(name).exists():
            parser.error(f"{python(name)} is not there (make it: bench/{name}.sh)")
    dataset, config = load_dataset(options.file), load_config()
    answerable = [question for question in dataset.questions if question.answerable]
    questions = random.Random(1).sample(answerable, min(options.sample, len(answerable)))
    with tempfile.TemporaryDirectory() as folder:
        task = write_task(Path(folder), config, dataset, questions)
        passages = len(json_of(task)["documents"])
        systems: dict[str, Callable[[], Found]] = {"qa": lambda: by_qa(config, dataset, questions)}
        systems |= {name: lambda peer=peer: by_peer(peer, task) for name, peer in PEERS.items()}  # type: ignore[misc]
        rounds = [{name: answer() for name, answer in systems.items()} for _ in range(options.rounds)]
    rows = {name: row([found[name] for found in rounds], questions) for name in systems}
    report = {
        "file": options.file.name,
        "questions": len(questions),
        "passages": passages,
        "rounds": options.rounds,
        "machine": described(),
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def row(rounds: list[Found], questions: list[Question]) -> dict[str, Any]:
    golds = [[gold.text for gold in question.gold] for question in questions]
    answers = rounds[0]["answers"]
    seconds = [second for found in rounds for second in found["seconds"]]
    figures = {
        "EM": statistics.mean(map(exact_match, answers, golds)),
        "F1": statistics.mean(map(f1, answers, golds)),
        "p50_ms": 1000 * statistics.median(seconds),
        "p95_ms": 1000 * statistics.quantiles(seconds, n=20)[-1],
        "passages_per_second": max(found["passages_per_second"] for found in rounds),
    }
    return {"version": rounds[0]["version"], **{name: round(value, 4) for name, value in figures.items()}}


def by_qa(config: Config, dataset: Dataset, questions: list[Question]) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        config = config.replace("index.path", Path(folder) / "default")
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
    rate = built["encoded"] / built["seconds"]
    return {"version": metadata.version("qa"), "answers": answers, "seconds": seconds, "passages_per_second": rate}


def by_peer(name: str, task: Path) -> Found:
    found = task.with_name(f"{name}.json")
    subprocess.run([python(name), HERE / f"{name}_answers.py", task, found], check=True)
    return json_of(found)


def write_task(folder: Path, config: Config, dataset: Dataset, questions: list[Question]) -> Path:
    """What the others are given: models as folders, passages and questions."""
    tokenizer, model = load_reader(config.reader.model)
    model.save_pretrained(folder / "reader")
    tokenizer.save_pretrained(folder / "reader")
    encoder = load_encoder(config.embedding)
    splitter = Splitter(encoder.token_offsets, config.passages.size, config.passages.overlap, encoder.max_tokens)
    passages = [passage for article in dataset.articles for passage in splitter.split(article)]
    task = {
        "encoder": str(model_folder(config.embedding.model)),
        "reader": str(folder / "reader"),
        "documents": [{"title": passage.title, "text": passage.text} for passage in passages],
        "questions": [question.question for question in questions],
        "passages": config.retrieval.passages,
    }
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    return folder / "task.json"


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def python(name: str) -> Path:
    return HERE / f"{name}-env" / "bin" / "python"


if __name__ == "__main__":
    main()
