"""A program that indexes slowly, for tests and bench/kills.py to run beside others and to kill.

python writer.py INDEX FOLDER [SECONDS_A_TEXT] [LOCK_SECONDS]
python writer.py serve      forks a writer for each line of arguments, so that Python and the libraries start once
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from json import dumps
from pathlib import Path

from fakes import FakeEncoder

import qa.batches
import qa.vectors
from qa.config import Config
from qa.encoder import Vectors
from qa.errors import QAError
from qa.indexer import index_paths
from qa.store import Store
from qa.store_writer import StoreWriter


class SlowEncoder(FakeEncoder):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(self.seconds * len(texts))
        return super().encode_passages(texts)


def main(index: str, folder: str, seconds: str = "0", lock_seconds: str = "10", batch: str = "8") -> int:
    qa.batches.BATCH = int(batch)  # small, so that a run has many transactions
    config = Config().replace("index.path", index).replace("index.lock_seconds", lock_seconds)

    def progress(stage: str, done: int, total: int) -> None:
        print(stage, done, total, flush=True)

    def saving(store: Store, fingerprint: str, refresh: Callable[[Store, str], None] = qa.vectors.refresh) -> None:
        print("saving", flush=True)
        refresh(store, fingerprint)

    transaction = StoreWriter.transaction

    @contextmanager
    def writing(store: StoreWriter, *, articles: bool = True) -> Iterator[None]:
        print("writing", flush=True)
        with transaction(store, articles=articles):
            yield

    qa.vectors.refresh = saving
    StoreWriter.transaction = writing  # type: ignore[method-assign]
    try:
        report = index_paths(config, [Path(folder)], prune=True, progress=progress, encoder=SlowEncoder(float(seconds)))
    except QAError as error:
        print(error, file=sys.stderr)
        return 1
    print(dumps(asdict(report)), flush=True)
    return 0


def serve() -> None:
    """Says "pid N", what the writer says, and "exit STATUS"; N stays its own until one more line comes, so that it can be killed."""
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            print("pid", os.getpid(), flush=True)
            os._exit(main(*line.rstrip("\n").split("\t")))
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        print("exit", flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["serve"] else main(*sys.argv[1:]))
