"""How far the figures move though nothing has changed: the same set measured on several indexes, built anew.

What may differ between two runs of the same code: the order in which articles are indexed, and with it which texts are encoded
together; the number of threads, and with it the order in which numbers are summed. Builds take turns at both.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qa.config import Config
from qa.evaluation.datasets import Dataset
from qa.evaluation.files import Progress, silent, today
from qa.evaluation.outcomes import Mode
from qa.evaluation.runs import evaluate


def measure_noise(dataset: Dataset, config: Config, mode: Mode, builds: int, progress: Progress = silent) -> dict[str, Any]:
    """`spread`: metric -> highest less lowest of the builds; `builds`: how each was made; `date`."""
    made, figures = [], []
    for number in range(builds):
        threads = 1 if number % 2 else os.cpu_count() or 1
        with TemporaryDirectory() as folder, thread_limit(threads):  # a folder of its own: no vector may be borrowed
            alone = config.replace("index.path", Path(folder) / "index")
            run = evaluate(in_order(dataset, number), alone, mode, progress=progress)
        made.append({"order": "given" if number == 0 else f"shuffled with seed {number}", "threads": threads})
        figures.append(run.result["metrics"])
    values = {name: [found[name] for found in figures] for name, value in figures[0].items() if value is not None}
    return {"spread": {name: max(row) - min(row) for name, row in values.items()}, "builds": made, "date": today()}


def in_order(dataset: Dataset, seed: int) -> Dataset:
    """The set with its articles in another order; as it is with 0."""
    if seed == 0:
        return dataset
    articles = list(dataset.articles)
    random.Random(seed).shuffle(articles)
    return replace(dataset, articles=tuple(articles))


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """So many threads in the library that encodes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
