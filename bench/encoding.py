"""Passages encoded a second: ours on OpenVINO and torch, and sentence-transformers as it comes, on the same passages in one run.

    python bench/encoding.py [--passages 384] [--rounds 2]

The passages are those of eval/articles, repeated; int8 is calibrated on them. Each is encoded by every one in turn, round by round, so that
a machine that is busy with other things is so for all; the best round counts, and ratios say more than seconds. The cosine is to
sentence-transformers. Beside it stands the physical limit: how fast the processor multiplies large matrices in that number format, and
the share of it that was reached by the model's own multiplications. Figures go to bench/results/encoding.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import described, matrix_rate

from qa.articles import read_file
from qa.config import Embedding, Passages
from qa.datatypes import Article
from qa.encoder import Vectors, calibrate_encoder, load_encoder
from qa.model_files import model_folder, quiet_loading
from qa.passages import Splitter, embedding_text

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "encoding.json"
REFERENCE = "sentence-transformers"

Encode = Callable[[list[str]], Vectors]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["QA_CACHE"] = folder  # what is calibrated here is nobody's
        measure(options.passages, options.rounds)


def measure(count: int, rounds: int) -> None:
    texts = passages(count)
    runtimes = {
        "openvino int8": ours("openvino", "int8", texts),
        "openvino bfloat16": ours("openvino", "bfloat16", texts),
        "openvino float32": ours("openvino", "float32", texts),
        "torch float32": ours("torch", "float32", texts),
        REFERENCE: sentence_transformers(),
    }
    for encode in runtimes.values():
        encode(texts[:4])  # loads the model
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    vectors: dict[str, Vectors] = {}
    for _ in range(rounds):
        for name, encode in runtimes.items():
            started = time.perf_counter()
            vectors[name] = encode(texts)
            seconds[name].append(time.perf_counter() - started)
    limits = {precision: round(matrix_rate(precision)) for precision in ("float32", "bfloat16", "int8")}
    work = operations(texts) / 1e9
    rows = {
        name: {
            "passages_per_second": round(len(texts) / min(spent), 1),
            "times_reference": round(min(seconds[REFERENCE]) / min(spent), 2),
            "share_of_limit": round(work / min(spent) / limits.get(name.split()[-1], limits["float32"]), 2),
            "least_cosine": round(float((vectors[name] * vectors[REFERENCE]).sum(axis=1).min()), 6),
        }
        for name, spent in seconds.items()
    }
    report = {"passages": len(texts), "rounds": rounds, "machine": described(), "billion_operations_per_second": limits, "rows": rows}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def passages(count: int) -> list[str]:
    """As many passages of the sample articles as asked for, over and over, as they are encoded."""
    encoder, settings = load_encoder(Embedding()), Passages()
    splitter = Splitter(encoder.token_offsets, settings.size, settings.overlap, encoder.max_tokens)
    files = sorted(path for path in (HERE.parent / "eval" / "articles").iterdir() if path.suffix in (".txt", ".md"))
    articles = [article for file in files for article in read_file(file, file.read_bytes()) if isinstance(article, Article)]
    texts = [embedding_text(passage.title, passage.text) for article in articles for passage in splitter.split(article)]
    return list(itertools.islice(itertools.cycle(texts), count))


def ours(backend: str, precision: str, texts: list[str]) -> Encode:
    encoder = load_encoder(Embedding.model_validate({"backend": backend, "precision": precision}))
    calibrate_encoder(encoder, lambda: texts)
    return encoder.encode_passages


def operations(texts: list[str]) -> int:
    """Multiplications and additions that the model needs for the texts, in its matrices and between their tokens."""
    told = json.loads((model_folder(Embedding().model) / "config.json").read_text(encoding="utf-8"))
    width, inner, layers = told["hidden_size"], told["intermediate_size"], told["num_hidden_layers"]
    encoder = load_encoder(Embedding())
    lengths = [min(len(encoder.token_offsets(text)) + 2, encoder.max_tokens) for text in texts]
    return sum(2 * layers * tokens * (4 * width**2 + 2 * width * inner + 2 * tokens * width) for tokens in lengths)


def sentence_transformers() -> Encode:
    """With its own settings."""
    with quiet_loading():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(model_folder(Embedding().model)), device="cpu")
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False), np.float32)


if __name__ == "__main__":
    main()
