"""qa beside Haystack 2 and txtai: the same passages, questions, encoder and reader, in one run.

    bench/haystack.sh; bench/txtai.sh     # once: environments of their own
    python bench/peers.py FILE [--sample 100] [--parts 4]

FILE is a SQuAD file. qa indexes its articles as usual; the others get the passages that qa cut. Haystack: sentence-transformers embedder
of title and text, in-memory BM25 and embedding retrievers joined by reciprocal rank, 8 documents to the `ExtractiveReader`; and once more
with the embedder as it comes, which leaves titles out, and without BM25. txtai: hybrid search, 8 texts to `Questions`, which gives no
scores: the first answer in the order of retrieval counts. qa's best span counts, shown or not. Models are loaded before. The systems take
turns, part by part of the articles and question by question, so that a machine that is busy with other things is so for all: ratios say
more than seconds. Figures go to bench/results/peers.json.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from machine import described

from qa.config import Config, load_config
from qa.datatypes import Article, Passage
from qa.encoder import load_encoder
from qa.evaluation.datasets import Question
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import exact_match, f1
from qa.indexer import index_articles
from qa.model_files import model_folder
from qa.passages import Splitter
from qa.pipeline import Pipeline
from qa.span_model import load_reader

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "peers.json"
PEERS = {
    "Haystack": ("haystack", {"hybrid": True}),
    "Haystack, by embeddings of the text alone": ("haystack", {"hybrid": False}),
    "txtai": ("txtai", {}),
}


class System(Protocol):
    version: str

    def index(self, articles: Sequence[Article], passages: Sequence[Passage]) -> float:
        """The same once as articles and once as cut; seconds. May be called again."""

    def ask(self, question: str) -> tuple[str, float]:
        """The answer, or "", and seconds."""


class Ours:
    def __init__(self, config: Config) -> None:
        self.version = metadata.version("qa")
        self._config, self._encoder = config, load_encoder(config.embedding)
        self._encoder.encode_passages(["warm up"])
        self._pipeline = Pipeline(config, encoder=self._encoder)

    def index(self, articles: Sequence[Article], passages: Sequence[Passage]) -> float:
        began = time.perf_counter()
        index_articles(self._config, articles, encoder=self._encoder)
        return time.perf_counter() - began

    def ask(self, question: str) -> tuple[str, float]:
        began = time.perf_counter()
        response = self._pipeline.ask(question)
        best = response.answer or response.withheld
        return best.text if best else "", time.perf_counter() - began


class Peer:
    """A process in the environment of that name (see peer.py)."""

    def __init__(self, name: str, task: Path) -> None:
        command = [python(name), HERE / f"{name}_answers.py", task]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.version = self._reply()

    def index(self, articles: Sequence[Article], passages: Sequence[Passage]) -> float:
        return self._say("index", [{"title": passage.title, "text": passage.text} for passage in passages])[1]

    def ask(self, question: str) -> tuple[str, float]:
        return self._say("ask", question)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _say(self, name: str, given: object) -> Any:
        assert self._process.stdin
        print(json.dumps((name, given)), file=self._process.stdin, flush=True)
        return self._reply()

    def _reply(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="SQuAD file")
    parser.add_argument("--sample", type=int, default=100, help="answerable questions, drawn with a fixed seed")
    parser.add_argument("--parts", type=int, default=4, help="in which the articles are indexed")
    options = parser.parse_args()
    for name in sorted({environment for environment, _ in PEERS.values()}):
        if not python(name).exists():
            parser.error(f"{python(name)} is not there (make it: bench/{name}.sh)")
    dataset = load_dataset(options.file)
    answerable = [question for question in dataset.questions if question.answerable]
    questions = random.Random(1).sample(answerable, min(options.sample, len(answerable)))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        config = load_config().replace("index.path", Path(folder) / "index")
        systems: dict[str, System] = {"qa": Ours(config)}
        models = write_models(Path(folder), config)
        for name, (environment, settings) in PEERS.items():
            task = Path(folder) / f"{name}.json"
            task.write_text(json.dumps(models | settings), encoding="utf-8")
            systems[name] = peer = Peer(environment, task)
            held.callback(peer.close)
        indexing = index(systems, config, [dataset.articles[first :: options.parts] for first in range(options.parts)])
        for system in systems.values():
            system.ask("warm up")
        found = {name: list[tuple[str, float]]() for name in systems}
        for question in questions:
            for name, system in systems.items():
                found[name].append(system.ask(question.question))
    rows = {name: {"version": system.version, **indexing[name], **row(found[name], questions)} for name, system in systems.items()}
    for name in PEERS:
        rows[name] |= lead(found["qa"], found[name], questions)
    report = {"file": options.file.name, "questions": len(questions), "machine": described(), "rows": rows}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def index(systems: dict[str, System], config: Config, parts: Sequence[Sequence[Article]]) -> dict[str, dict[str, float]]:
    encoder = load_encoder(config.embedding)
    splitter = Splitter(encoder.token_offsets, config.passages.size, config.passages.overlap, encoder.max_tokens)
    seconds, count = dict.fromkeys(systems, 0.0), 0
    for articles in parts:
        passages = [passage for article in articles for passage in splitter.split(article)]
        count += len(passages)
        for name, system in systems.items():
            seconds[name] += system.index(articles, passages)
    return {name: {"passages": count, "passages_per_second": round(count / spent, 2)} for name, spent in seconds.items()}


def row(found: Sequence[tuple[str, float]], questions: Sequence[Question]) -> dict[str, float]:
    answers, seconds = zip(*found, strict=True)
    figures = {
        "EM": statistics.mean(map(exact_match, answers, golds(questions))),
        "F1": statistics.mean(map(f1, answers, golds(questions))),
        "p50_ms": 1000 * statistics.median(seconds),
        "p95_ms": 1000 * statistics.quantiles(seconds, n=20)[-1],
    }
    return {name: round(value, 4) for name, value in figures.items()}


def lead(ours: Sequence[tuple[str, float]], theirs: Sequence[tuple[str, float]], questions: Sequence[Question]) -> dict[str, float]:
    """How far qa's F1 is above, and the standard error of that: the questions are the same, so it is the error of the mean difference."""
    pairs = zip(ours, theirs, golds(questions), strict=True)
    differences = [f1(our, gold) - f1(their, gold) for (our, _), (their, _), gold in pairs]
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return {"qa_F1_above": round(statistics.mean(differences), 4), "qa_F1_above_error": round(error, 4)}


def golds(questions: Sequence[Question]) -> list[list[str]]:
    return [[gold.text for gold in question.gold] for question in questions]


def write_models(folder: Path, config: Config) -> dict[str, object]:
    """What the others are given: the models as folders, and how many passages are read."""
    tokenizer, model = load_reader(config.reader.model)
    model.save_pretrained(folder / "reader")
    tokenizer.save_pretrained(folder / "reader")
    return {
        "encoder": str(model_folder(config.embedding.model)),
        "reader": str(folder / "reader"),
        "passages": config.retrieval.passages,
    }


def python(name: str) -> Path:
    return HERE / f"{name}-env" / "bin" / "python"


if __name__ == "__main__":
    main()
