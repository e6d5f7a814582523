"""The same questions put to both stores: what they find, how long a question and indexing take, and what Milvus's own fusion would find.

    python bench/milvus.py [SET… --sample 500 --seed 7] [--uri http://…:19530]

At most so many answerable questions of each set, our own (eval/) unless others are named. Without an address, Milvus Lite is started
on this machine. Passages are encoded once and both stores are timed with the vectors at hand. Processor time is of this process,
and of Milvus Lite in it, and holds on a busy machine as well. Milvus's own fusion is its WeightedRanker, over the same two searches.
Figures go to bench/results/milvus.json, each set's in place of those it had.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from machine import described

from qa.config import Config
from qa.datatypes import Filters, Hit
from qa.encoder import load_encoder
from qa.evaluation.datasets import Dataset
from qa.evaluation.indexes import RememberingEncoder
from qa.evaluation.load import load_dataset
from qa.evaluation.metrics import ranking_scores
from qa.evaluation.outcomes import found
from qa.indexer import index_articles
from qa.milvus.store import MilvusStore
from qa.milvus.terms import terms
from qa.retriever import Retriever
from qa.stores import open_store
from qa.words import content_words

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "milvus.json"
MEASURES = ("R@1", "R@5", "R@10", "RR@10")
WEIGHTS = (0.3, 0.6)  # of the dense search, tried with Milvus's own fusion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, default=[HERE.parent / "eval"])
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--uri")
    options = parser.parse_args()
    sets = [answerable(load_dataset(path)).sample(options.sample, options.seed) for path in options.sets]
    with tempfile.TemporaryDirectory() as folder:
        server = None if options.uri else started(Path(folder) / "milvus")
        config = Config().replace("index.uri", options.uri or server.uri)
        rows = {dataset.name: compared(dataset, config, Path(folder)) for dataset in sets}
    name = f"Milvus Lite {version('milvus-lite')}" if server else "a server"
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["sets"] if RESULTS.exists() else {}
    report = {"milvus": name, "pymilvus": version("pymilvus"), "machine": described(), "sets": {**before, **rows}}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def compared(dataset: Dataset, config: Config, folder: Path) -> dict[str, Any]:
    encoder = RememberingEncoder(load_encoder(config.embedding))
    encoder.remember()
    questions = encoder.encode_questions([question.question for question in dataset.questions])
    index_articles(config.replace("index.path", folder / f"{dataset.name}-first"), dataset.articles, encoder=encoder)  # encodes
    rows: dict[str, Any] = {"questions": len(dataset.questions), "articles": len(dataset.articles)}
    answers: dict[str, list[Sequence[Hit]]] = {}
    for kind in ("sqlite", "milvus"):
        here = config.replace("index.path", folder / f"{dataset.name}-{kind}").replace("index.store", kind)
        began = time.process_time()
        report = index_articles(here, dataset.articles, encoder=encoder)
        seconds = time.process_time() - began
        store = open_store(here)
        retriever = Retriever(here, store, encoder)
        retriever.search("warm up", 10)
        times, answers[kind], spent = [], [], time.process_time()
        for question, vector in zip(dataset.questions, questions, strict=True):
            began = time.perf_counter()
            answers[kind].append(retriever.search(question.question, 10, Filters(), vector))
            times.append(1000 * (time.perf_counter() - began))
        spent = 1000 * (time.process_time() - spent) / len(times)
        cost = {**latency(times), "processor ms": round(spent, 1), "index processor s": round(seconds, 2), "passages": report.passages}
        rows[kind] = {**scores(dataset, answers[kind]), **cost}
        if isinstance(store, MilvusStore):
            rows["milvus's own fusion"] = own_fusion(dataset, questions, store, encoder.fingerprint)
        store.close()
    same = [places(one) == places(other) for one, other in zip(answers["sqlite"], answers["milvus"], strict=True)]
    first = [places(one)[:1] == places(other)[:1] for one, other in zip(answers["sqlite"], answers["milvus"], strict=True)]
    return {**rows, "same first hit": round(statistics.mean(first), 4), "same ten hits": round(statistics.mean(same), 4)}


def own_fusion(dataset: Dataset, questions: np.ndarray, store: MilvusStore, fingerprint: str) -> dict[str, Any]:
    """What `hybrid_search` finds, by the weight of the dense search: the server scales each score by a fixed function, and adds them."""
    from pymilvus import AnnSearchRequest, MilvusClient, WeightedRanker

    client = MilvusClient(uri=store.engine.uri, db_name=store.engine.database)
    name = store.names.alias(fingerprint)
    rows = {}
    for weight in WEIGHTS:
        asked = []
        for question, vector in zip(dataset.questions, questions, strict=True):
            words = terms(" ".join(content_words(question.question)))
            requests = [AnnSearchRequest([vector.tolist()], "vector", {}, 100), AnnSearchRequest([words], "bm25", {}, 100)]
            ranker = WeightedRanker(weight, 1 - weight, norm_score=True)
            (hits,) = client.hybrid_search(name, requests, ranker, 10, output_fields=["number"])
            numbers = [hit["entity"]["number"] for hit in hits]
            passages = store.passages(numbers)
            ranked = [Hit(passages[number], 1 - at / 100) for at, number in enumerate(numbers)]
            asked.append(ranked)
        rows[str(weight)] = scores(dataset, asked)
    client.close()
    return rows


def answerable(dataset: Dataset) -> Dataset:
    """Without the questions that need those before them, and those that nothing answers."""
    return replace(dataset, questions=tuple(question for question in dataset.questions if question.gold and not question.turns))


def scores(dataset: Dataset, answers: Iterable[Sequence[Hit]]) -> dict[str, float]:
    scored = ranking_scores([(question, found(hits)) for question, hits in zip(dataset.questions, answers, strict=True)])
    return {name: round(statistics.mean(row[name] for row in scored.values()), 4) for name in MEASURES}


def latency(times: Sequence[float]) -> dict[str, float]:
    return {f"ms p{share}": round(float(np.percentile(times, share)), 1) for share in (50, 95)}


def places(hits: Sequence[Hit]) -> list[tuple[str, int]]:
    return [(hit.passage.article_id, hit.passage.start) for hit in hits]


def started(folder: Path) -> Any:
    sys.path.append(str(HERE.parent / "tests"))
    from milvus_server import MilvusServer

    return MilvusServer(folder)


def version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package)


if __name__ == "__main__":
    main()
