"""Passages encoded a second: ours on OpenVINO and torch, and sentence-transformers as it comes, on the same passages in one run.

    python bench/encoding.py [--passages 384] [--rounds 2]

The passages are those of eval/articles, repeated. Each is encoded by every one in turn, round by round, so that a machine that is busy
with other things is so for all; the best round counts, and ratios say more than seconds. The cosine is to sentence-transformers.
Figures go to bench/results/encoding.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import described

from qa.articles import read_file
from qa.config import Embedding, Passages
from qa.datatypes import Article
from qa.encoder import Vectors, load_encoder
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
    texts = passages(options.passages)
    runtimes = {
        "openvino bfloat16": ours("openvino", "bfloat16"),
        "openvino float32": ours("openvino", "float32"),
        "torch float32": ours("torch", "float32"),
        REFERENCE: sentence_transformers(),
    }
    for encode in runtimes.values():
        encode(texts[:4])  # loads the model
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    vectors: dict[str, Vectors] = {}
    for _ in range(options.rounds):
        for name, encode in runtimes.items():
            started = time.perf_counter()
            vectors[name] = encode(texts)
            seconds[name].append(time.perf_counter() - started)
    rows = {
        name: {
            "passages_per_second": round(len(texts) / min(spent), 1),
            "times_reference": round(min(seconds[REFERENCE]) / min(spent), 2),
            "least_cosine": round(float((vectors[name] * vectors[REFERENCE]).sum(axis=1).min()), 6),
        }
        for name, spent in seconds.items()
    }
    report = {"passages": len(texts), "rounds": options.rounds, "machine": described(), "rows": rows}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, row in rows.items():
        print(f"{name:22} {row['passages_per_second']:8.1f}/s {row['times_reference']:6.2f} x   cosine {row['least_cosine']:.6f}")


def passages(count: int) -> list[str]:
    """As many passages of the sample articles as asked for, over and over, as they are encoded."""
    encoder, settings = load_encoder(Embedding()), Passages()
    splitter = Splitter(encoder.token_offsets, settings.size, settings.overlap, encoder.max_tokens)
    files = sorted(path for path in (HERE.parent / "eval" / "articles").iterdir() if path.suffix in (".txt", ".md"))
    articles = [article for file in files for article in read_file(file, file.read_bytes()) if isinstance(article, Article)]
    texts = [embedding_text(passage.title, passage.text) for article in articles for passage in splitter.split(article)]
    return list(itertools.islice(itertools.cycle(texts), count))


def ours(backend: str, precision: str) -> Encode:
    return load_encoder(Embedding.model_validate({"backend": backend, "precision": precision})).encode_passages


def sentence_transformers() -> Encode:
    """With its own settings."""
    with quiet_loading():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(model_folder(Embedding().model)), device="cpu")
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False), np.float32)


if __name__ == "__main__":
    main()
