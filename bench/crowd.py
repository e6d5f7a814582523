"""Many processes and one index: two indexers at once, and twenty people who ask while the articles change under them.

    python bench/crowd.py [--rounds 20] [--askers 20]

The articles have editions: the text of an article, and of all that are indexed with it in one transaction, names its edition. Each
asker checks every response: that all quotes are slices of their articles at one moment, and that none is of an edition that a
commit never had. In the end nothing that either indexer added may be lost. Nobody may hear of a locked database. Writes
bench/results/faults.json, under "crowd".
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests"), str(ROOT)]

from fakes import FakeEncoder, article  # noqa: E402
from faults import results  # noqa: E402

from qa.config import Config  # noqa: E402
from qa.datatypes import Response  # noqa: E402
from qa.errors import MissingVectors, QAError  # noqa: E402
from qa.indexer import add_vectors, index_articles, remove_articles  # noqa: E402
from qa.pipeline import Pipeline  # noqa: E402
from qa.store import Store  # noqa: E402

NAMES = ("harbour", "island", "whale", "storm")
QUESTION = "Which edition tells of the harbour, the island, the whale and the storm?"


class Crowd:
    """What the askers saw: `wrong` in words, and how many responses there were. Safe to use from several threads."""

    def __init__(self, config: Config) -> None:
        self.config = config.replace("index.lock_seconds", 600).replace("retrieval.passages", 10)
        self.responses = 0
        self.wrong: Counter[str] = Counter()
        self._counting = threading.Lock()

    def editions(self, writer: str, rounds: int) -> None:
        """Indexes its articles again and again, all of one edition in one transaction; adds one that stays, and removes another."""
        for edition in range(rounds):
            told = [article(f"{writer}-{name}", f"Edition {edition} of {writer} tells of the {name}.") for name in NAMES]
            kept = article(f"{writer}-kept-{edition}", f"Note {edition} was kept by {writer}.")
            index_articles(self.config, [*told, kept, article(f"{writer}-gone", f"Note {edition} goes.")], encoder=FakeEncoder())
            remove_articles(self.config, [f"{writer}-gone"])

    def ask(self, pipeline: Pipeline, writers: Sequence[str], done: Callable[[], bool]) -> None:
        """Asks until `done`, once at least, and looks at every response."""
        while True:
            last = done()
            try:
                response = pipeline.ask(QUESTION, threshold=0.0)
            except QAError as error:
                found = [f"{type(error).__name__}: {error}"]
            else:
                found = list(faults_of(response, writers))
            with self._counting:
                self.responses += 1
                self.wrong.update(found)
            if last:
                return

    def lost(self, writers: Sequence[str], rounds: int) -> list[str]:
        """What was added and is not there, or was removed and is."""
        with Store.open(self.config.index.path) as store:
            there = {summary.id for summary in store.summaries()}
        expected = {f"{writer}-kept-{edition}" for writer in writers for edition in range(rounds)}
        return sorted(expected - there) + sorted(name for name in there if name.endswith("-gone"))


def faults_of(response: Response, writers: Sequence[str]) -> list[str]:
    """Quotes that are no slices, and articles of one writer in two editions at once."""
    found = []
    for citation in response.citations:
        at = citation.start - citation.excerpt_start
        if citation.excerpt[at : at + len(citation.quote)] != citation.quote:
            found.append("a quote is no slice of its article")
    for writer in writers:
        texts = [
            hit.passage.text for hit in response.hits if hit.passage.text.startswith("Edition") and f"of {writer} " in hit.passage.text
        ]
        if len({text.split()[1] for text in texts}) > 1:
            found.append(f"two editions in one response: {texts}")
    return found


def swap(crowd: Crowd, pipeline: Pipeline, done: Callable[[], bool]) -> int:
    """Another encoder's vectors are added and it answers, then the first again; returns how often."""
    encoders, times = (FakeEncoder("5ec0", boxes=32), pipeline.encoder), 0
    while not done():
        encoder = encoders[times % 2]
        add_vectors(crowd.config, encoder)
        try:
            pipeline.use(encoder)
        except MissingVectors:  # articles came in between
            continue
        times += 1
    return times


def run(config: Config, rounds: int, askers: int) -> dict[str, object]:
    writers = ("Ann", "Bob")
    crowd = Crowd(config)
    index_articles(crowd.config, [article("first", "The first article of all tells of a lighthouse.")], encoder=FakeEncoder())
    failures: list[str] = []
    swaps = [0]

    def guarded(work: Callable[[], object]) -> threading.Thread:
        def body() -> None:
            try:
                work()
            except Exception as error:  # told in the result
                failures.append(f"{type(error).__name__}: {error}")

        return threading.Thread(target=body)

    writing = [guarded(lambda name=name: crowd.editions(name, rounds)) for name in writers]  # type: ignore[misc]

    def done() -> bool:
        return not any(thread.is_alive() for thread in writing)

    page = Pipeline(crowd.config, encoder=FakeEncoder())
    asking = [guarded(lambda: crowd.ask(page, writers, done)) for _ in range(askers)]
    asking.append(guarded(lambda: swaps.__setitem__(0, swap(crowd, page, done))))
    for thread in [*writing, *asking]:
        thread.start()
    for thread in [*writing, *asking]:
        thread.join()
    return {
        "indexers": len(writers),
        "runs_of_each": rounds,
        "askers": askers,
        "responses": crowd.responses,
        "encoders_swapped": swaps[0],
        "wrong": dict(crowd.wrong.most_common(5)),
        "failures": failures[:5],
        "lost": crowd.lost(writers, rounds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--askers", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        config = Config.model_construct().replace("index.path", Path(place, "index")).replace("reader.model", "sentence")
        found = run(config, options.rounds, options.askers)
    print(json.dumps(found, indent=2))
    results.keep("crowd", found)
    return 1 if found["wrong"] or found["failures"] or found["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
