"""How far the figures move though nothing has changed: a run against others whose indexes are built anew.

What may differ between two runs of the same code: the order in which articles are indexed, and with it which texts are encoded
together; the runtime, its number format and the number of threads, and with them the last digits of vectors. A build has its
articles in an order of its own; every second one is encoded by the reference, in float32 and by one thread.
"""

from __future__ import annotations

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
from qa.evaluation.runs import Run, evaluate


def measure_noise(run: Run, config: Config, builds: int, progress: Progress = silent) -> dict[str, Any]:
    """`spread`: metric -> highest less lowest of the run and of so many builds; `builds`: how each was made; `date`."""
    made, figures = [], [run.result["metrics"]]
    for number in range(1, builds + 1):
        reference = number % 2 == 1
        with TemporaryDirectory() as folder, one_thread(reference):  # a folder of its own: no vector may be borrowed
            alone = config.replace("index.path", Path(folder) / "index").replace("index.store", "sqlite")
            if reference:
                alone = alone.replace("embedding.backend", "torch").replace("embedding.precision", "float32")
            built = evaluate(shuffled(run.dataset, number), alone, run.mode, progress=progress)
        made.append({"shuffled with seed": number, "encoded": "torch, float32, one thread" if reference else "as configured"})
        figures.append(built.result["metrics"])
    values = {name: row for name in figures[0] if None not in (row := [found[name] for found in figures])}
    return {"spread": {name: max(row) - min(row) for name, row in values.items()}, "builds": made, "date": today()}


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The set with its articles in another order."""
    articles = list(dataset.articles)
    random.Random(seed).shuffle(articles)
    return replace(dataset, articles=tuple(articles))


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """One thread in torch, if wanted."""
    if not wanted:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
