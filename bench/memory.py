"""The most memory that indexing takes, for a corpus and for one ten times as large: what grows with it is what must be kept.

    python bench/memory.py [--articles 3600 36000]

Each is indexed in a process of its own, with vectors made of nothing, so that no model is in the figures. Results go to
bench/results/memory.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from corpus import DIMENSION, Corpus, MadeUpEncoder
from machine import described
from numpy.typing import NDArray

from qa.config import Config
from qa.datatypes import Article
from qa.indexer import index_articles

RESULTS = Path(__file__).resolve().parent / "results" / "memory.json"
PARAGRAPHS = 3  # of an article, each of which is a passage


class NoEncoder(MadeUpEncoder):
    """Any vector does."""

    def __init__(self) -> None:
        pass

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.stack([np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSION, np.float32) for text in texts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, nargs="+", default=[3_600, 36_000])
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)  # the process that is measured
    options = parser.parse_args()
    if options.index:
        print(json.dumps(indexed(options.index)))
        return
    rows = [in_a_process(count) for count in options.articles]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": rows, "machine": described()}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def in_a_process(count: int) -> dict[str, int]:
    command = [sys.executable, __file__, "--index", str(count)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


def indexed(count: int) -> dict[str, int]:
    corpus = Corpus()
    with tempfile.TemporaryDirectory() as folder:
        config = Config().replace("index.path", folder)
        index_articles(config, articles(corpus, 10), encoder=NoEncoder())  # type: ignore[arg-type]
        before = memory("VmRSS")
        report = index_articles(config, articles(corpus, count), encoder=NoEncoder())  # type: ignore[arg-type]
    return {"articles": count, "passages": report.passages, "before_mb": before, "most_mb": memory("VmHWM")}


def articles(corpus: Corpus, count: int) -> Iterator[Article]:
    for number in range(count):
        article = corpus.article(number)
        yield replace(article, text="\n\n".join(article.text.split("\n\n")[:PARAGRAPHS]))


def memory(name: str) -> int:
    """In MB: "VmRSS" now, "VmHWM" at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return round(int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024)


if __name__ == "__main__":
    main()
