"""A thousand to a million made-up passages: how well and how fast they are searched, and what they cost.

    python bench/million.py [--sizes 1000 10000 100000 1000000] [--corpus other] [--folder DIR] [--questions 300]

Articles, questions and vectors come from bench/corpus.py, since encoding a million passages takes hours. The store is filled without
cutting and without looking for copies; everything else is what `qa index` and a question do. For each size: recall@10 of the dense part
against comparing with every vector; milliseconds of `Retriever.search` without encoding the question, in a process of its own; its memory
with encoder and reader loaded; seconds to open the index and to add 1,000 passages beside encoding; bytes. Results go to
bench/results/million.json and million.svg, those of the "other" corpus to million_other.json. An index that is in DIR already is measured
as it is (a million passages take 6 GB).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from corpus import DIMENSION, PASSAGES, SHAPES, Corpus, MadeUpEncoder
from machine import described
from numpy.typing import NDArray

from qa import copies, vectors
from qa.config import Config
from qa.cutting import splitting
from qa.datatypes import Filters, Passage
from qa.encoder import load_encoder
from qa.evaluation.charts import line_chart
from qa.indexer import index_articles, remove_articles
from qa.passages import embedding_text
from qa.reader import load_reader
from qa.retriever import Retriever
from qa.store import Store, text_key
from qa.store_writer import Entry, StoreWriter
from qa.words import content_words

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
NEIGHBOURS = 10
ADDED = 1_000  # passages
BATCH = 100  # articles in one transaction
WARM = 30  # questions before those that count
FILTERS = {"one of forty sources": Filters(source="paper7.example"), "half of the days": Filters(since=date(2012, 5, 1))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="passages")
    parser.add_argument("--corpus", choices=SHAPES, default="usual", help="another one: longer passages, fewer words and topics")
    parser.add_argument("--folder", type=Path, help="where the indexes are, or are made and kept")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)  # the process that is measured
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(asked(options.ask)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Corpus(SHAPES[options.corpus])
        rows = [measured(corpus, size, (options.folder or Path(temporary)) / str(size), options.questions) for size in options.sizes]
    write({row["passages"]: row for row in rows}, "million" if options.corpus == "usual" else f"million_{options.corpus}")


def write(rows: dict[int, dict[str, object]], name: str) -> None:
    """Sizes that were not measured this time stay as they were."""
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    merged = {row["passages"]: row for row in before} | rows
    report = {"machine": described(), "rows": [merged[size] for size in sorted(merged)]}
    RESULTS.mkdir(exist_ok=True)
    file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if len(merged) > 1:
        file.with_suffix(".svg").write_text(plots(report["rows"]), encoding="utf-8")


def measured(corpus: Corpus, size: int, folder: Path, questions: int) -> dict[str, object]:
    encoder = MadeUpEncoder(corpus)
    config = Config().replace("index.path", folder)
    if not folder.exists():
        fill(corpus, encoder, size, folder)
    started = time.perf_counter()
    with StoreWriter.open(folder) as store:
        vectors.refresh(store, encoder.fingerprint)
    row: dict[str, object] = {
        "passages": size,
        "load": round(os.getloadavg()[0], 1),
        "refresh_seconds": round(time.perf_counter() - started, 1),
    }
    row["bytes"] = {"store": size_of(folder, "articles.sqlite"), "vectors": size_of(folder, "vectors-*")}
    asked_for = [corpus.question(number, size // PASSAGES) for number in range(questions + WARM)]
    rows = encoder.encode_questions([question.text for question in asked_for])
    row["recall@10"] = round(recall(folder, encoder.fingerprint, rows[WARM:]), 4)
    np.savez(folder / "questions.npz", texts=[question.text for question in asked_for], rows=rows)
    row |= json.loads(subprocess.run([sys.executable, __file__, "--ask", folder], check=True, stdout=subprocess.PIPE, text=True).stdout)
    row |= adding(corpus, encoder, size, config)
    print(json.dumps(row, indent=1), flush=True)
    return row


def fill(corpus: Corpus, encoder: MadeUpEncoder, size: int, folder: Path) -> None:
    how = splitting(Config().passages, encoder)
    with StoreWriter.open(folder) as store:
        for first in range(0, size // PASSAGES, BATCH):
            entries = [entry(corpus, encoder, number, how) for number in range(first, min(first + BATCH, size // PASSAGES))]
            with store.transaction():
                store.add_encoder(encoder.fingerprint, encoder.name, DIMENSION)
                for one in entries:
                    store.put(one, encoder.fingerprint)


def entry(corpus: Corpus, encoder: MadeUpEncoder, number: int, how: str) -> Entry:
    """One paragraph, one passage, as the splitter would have it; and a signature like that of no other article."""
    article = corpus.article(number)
    passages, at = [], 0
    for text in article.text.split("\n\n"):
        passages.append(Passage(article.id, at, at + len(text), text, article.title))
        at += len(text) + 2
    texts = [embedding_text(passage.title, passage.text) for passage in passages]
    signature = hashlib.shake_128(article.id.encode()).digest(4 * copies.PERMUTATIONS)
    rows = encoder.encode_passages(texts).astype(np.float16)
    keys = tuple(map(text_key, texts))
    return Entry(article, None, tuple(passages), keys, rows, how, article.sha256, signature, copies.bands(signature))


def recall(folder: Path, fingerprint: str, questions: NDArray[np.float32]) -> float:
    """The share of the true neighbours, found by comparing with every vector, that the index finds."""
    with Store.open(folder) as store, store.snapshot():
        index = vectors.open_vectors(store, fingerprint)
        scores = np.full((len(questions), NEIGHBOURS), -np.inf, np.float32)
        true = np.full((len(questions), NEIGHBOURS), -1)
        for at in range(0, len(index.numbers), vectors.BLOCK):
            numbers = index.numbers[at : at + vectors.BLOCK]
            new = questions @ store.vectors(fingerprint, numbers).astype(np.float32).T
            all_scores = np.hstack([scores, new])
            all_numbers = np.hstack([true, np.broadcast_to(numbers, new.shape)])
            best = np.argpartition(-all_scores, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
            scores, true = np.take_along_axis(all_scores, best, 1), np.take_along_axis(all_numbers, best, 1)
        found = [index.search(question[None], NEIGHBOURS)[0] for question in questions]
    hits = [len({number for number, _ in one} & set(other.tolist())) for one, other in zip(found, true, strict=True)]
    return sum(hits) / true.size


def asked(folder: Path) -> dict[str, object]:
    """In a process of its own, with the default encoder and reader loaded, since a question needs them."""
    told = np.load(folder / "questions.npz")
    texts, rows = told["texts"].tolist(), told["rows"]
    config = Config().replace("index.path", folder)
    encoder = load_encoder(config.embedding)
    encoder.encode_questions(["warm up"])
    reader = load_reader(config.reader, encoder)
    before = memory()
    started = time.perf_counter()
    store = Store.open(folder)
    retriever = Retriever(config, store, Named())  # type: ignore[arg-type]
    with store.snapshot():
        moment = retriever._searcher.now()
    opening = time.perf_counter() - started
    assert moment is not None
    for text, row in zip(texts[:WARM], rows[:WARM], strict=True):
        hits = retriever.search(text, 10, vector=row)
    reader.read(texts[0], hits)
    texts, rows = texts[WARM:], rows[WARM:]
    result = {
        "opening_seconds": round(opening, 2),
        "retrieving": timed(lambda at: retriever.search(texts[at], 10, vector=rows[at]), len(texts)),
        "dense_part": timed(lambda at: moment.nearest(rows[at], 200, Filters()), len(texts)),
        "words_part": timed(lambda at: moment.with_words(content_words(texts[at]), 200, Filters()), len(texts)),
        "filtered": {
            name: timed(lambda at, chosen=chosen: retriever.search(texts[at], 10, chosen, rows[at]), len(texts) // 3)
            for name, chosen in FILTERS.items()
        },
    }
    return {**result, "memory_mb": memory(), "memory_before_opening_mb": before}


class Named:
    """Stands for an encoder whose questions are encoded already."""

    name, fingerprint = MadeUpEncoder.name, MadeUpEncoder.fingerprint


def timed(step: object, count: int) -> dict[str, float]:
    """Milliseconds, and those of a processor, which other work on the machine does not lengthen as much."""
    wall, processor = [], []
    for at in range(count):
        started, used = time.perf_counter(), time.process_time()
        step(at)  # type: ignore[operator]
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - used) * 1000)
    names = {"p50_ms": (wall, 50), "p95_ms": (wall, 95), "processor_p50_ms": (processor, 50), "processor_p95_ms": (processor, 95)}
    return {name: round(float(np.percentile(values, share)), 1) for name, (values, share) in names.items()}


def adding(corpus: Corpus, encoder: MadeUpEncoder, size: int, config: Config) -> dict[str, object]:
    """By `qa index`'s own way: cut, compared with other articles, stored, and put into the files of the vector index."""
    waiting = Waiting(encoder)
    first = size // PASSAGES
    articles = [corpus.article(number) for number in range(first, first + ADDED // PASSAGES)]
    started, used = time.perf_counter(), time.process_time()
    report = index_articles(config, articles, encoder=waiting)  # type: ignore[arg-type]
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    assert len(report.added) == len(articles)
    remove_articles(config, report.added)
    with StoreWriter.open(config.index.path) as store:
        vectors.refresh(store, encoder.fingerprint)
    return {"adding_seconds": round(seconds - waiting.seconds, 2), "adding_processor_seconds": round(processor - waiting.processor, 2)}


class Waiting:
    """Counts how long encoding takes."""

    name, fingerprint, max_tokens = MadeUpEncoder.name, MadeUpEncoder.fingerprint, MadeUpEncoder.max_tokens

    def __init__(self, encoder: MadeUpEncoder) -> None:
        self._encoder = encoder
        self.token_offsets = encoder.token_offsets
        self.seconds = self.processor = 0.0

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        started, used = time.perf_counter(), time.process_time()
        found = self._encoder.encode_passages(texts)
        self.seconds += time.perf_counter() - started
        self.processor += time.process_time() - used
        return found


def memory() -> int:
    """Resident, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return round(int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024)


def size_of(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def plots(rows: Sequence[dict]) -> str:  # type: ignore[type-arg]
    """Four small ones beside one another; passages as powers of ten."""
    x = [math.log10(row["passages"]) for row in rows]

    def chart(title: str, label: str, series: dict[str, list[float]]) -> str:
        points = {name: list(zip(x, values, strict=True)) for name, values in series.items()}
        highest = max(max(values) for values in series.values())
        return line_chart(title, points, ("passages, 10 to the power of", label), (min(x), max(x)), (0, highest * 1.25))

    retrieving = {f"{name}, p95": [row[part]["processor_p95_ms"] for row in rows] for name, part in PARTS.items()}
    charts = [
        chart("Finding passages", "ms of the processor", retrieving),
        chart("Memory of a process that asks", "MB", {"models, index": [row["memory_mb"] for row in rows]}),
        chart("Opening, and adding 1,000 passages", "s of a busy machine", {k: [row[v] for row in rows] for k, v in SECONDS.items()}),
        chart("On disk", "GB", {name: [row["bytes"][name] / 1e9 for row in rows] for name in ("store", "vectors")}),
    ]
    placed = [
        one.replace("<svg ", f'<svg x="{430 * (at % 2)}" y="{310 * (at // 2)}" width="420" height="300" ', 1)
        for at, one in enumerate(charts)
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 620" color="#222">{"".join(placed)}</svg>\n'


PARTS = {"all": "retrieving", "by words": "words_part", "by vectors": "dense_part"}
SECONDS = {"opening": "opening_seconds", "adding": "adding_seconds"}


if __name__ == "__main__":
    main()
