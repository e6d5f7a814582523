"""Indexes files that were made to break whoever reads them, among good articles, and checks that nothing is lost by it.

Each file is read or refused in one line, within the limits of the configuration; the good articles of the run are all there, word
for word; what was indexed before is still there; nothing outside the folder was read or written. Then files are changed, cut off,
renamed and deleted while they are indexed. tests/hostile_files.py makes the files, in a temporary folder.

    python bench/hostile.py [--size 1] [--seconds 20] [--rounds 20]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT), str(ROOT / "bench")]

from fakes import FakeEncoder  # noqa: E402
from hostile_files import write_all  # noqa: E402

from qa import indexer  # noqa: E402
from qa.articles import read_file  # noqa: E402
from qa.check import check_index  # noqa: E402
from qa.config import Config  # noqa: E402
from qa.datatypes import Article, IndexReport  # noqa: E402
from qa.encoder import load_encoder  # noqa: E402
from qa.files import File, Files, Found  # noqa: E402
from qa.store import Store  # noqa: E402

SAMPLES = ROOT / "eval" / "articles"
RESULTS = ROOT / "bench" / "results" / "faults.json"
MARKS = ("root:x:0:0", "The secret is 4711", "lol lol lol lol lol lol")
WRITTEN = Path("/tmp/qa-was-here")
NOTE = "The bridge was opened in the rain on the third of May 1932. "


class Encoder(FakeEncoder):
    """Cuts as the real one does, and encodes at no cost."""

    def __init__(self) -> None:
        super().__init__()
        self._real = load_encoder(Config().embedding)
        self.max_tokens = self._real.max_tokens

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._real.token_offsets(text)


class Fault(AssertionError):
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="index.max_seconds")
    parser.add_argument("--rounds", type=int, default=20, help="runs while files are changed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qa-hostile-") as name:
        folder = Path(name)
        config = Config().replace("index.path", folder / "index").replace("index.max_seconds", options.seconds)
        found = _hostile(folder, config, options.size)
        found |= {"changing": _changing(folder, config, options.rounds)}
        _repair_rights(folder)
    print(json.dumps(found, indent=1))
    _keep(found)


def _hostile(folder: Path, config: Config, size: float) -> dict[str, Any]:
    before, beside, hostile = folder / "before", folder / "articles" / "good", folder / "articles" / "hostile"
    samples = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    _copy(samples[::2], before)
    indexer.index_paths(config, [before], encoder=Encoder())
    old = _stored(config)
    _copy(samples[1::2], beside)
    write_all(hostile, size)
    own = _memory(resource.RUSAGE_SELF)
    seconds: dict[str, float] = {}
    began = time.monotonic()
    report = _timed(config, [beside, hostile], seconds)
    took = time.monotonic() - began
    stored = _stored(config)
    _compare(stored, old, "indexed before")
    _compare(stored, _as_read(beside), "good")
    refused = _check_refusals(report, hostile)
    _check_leaks(config, stored)
    files = [name for name in seconds if Path(name).is_relative_to(hostile)]
    whole = {name for name in refused if re.sub(r":\d+$", "", name) not in seconds or name in seconds}  # the others are rows of JSONL
    slowest = max(files, key=lambda name: seconds[name])
    limits = config.index
    return {
        "size": size,
        "files": len(files) + sum(name not in seconds for name in whole),
        "refused": len(whole),
        "rows_refused": len(refused) - len(whole),
        "good_articles_lost": 0,
        "limits": {"max_seconds": limits.max_seconds, "max_memory_mb": limits.max_memory_mb, "max_characters": limits.max_characters},
        "seconds": round(took, 1),
        "worst_seconds": round(seconds[slowest], 1),
        "worst_file": str(Path(slowest).relative_to(hostile)),
        "peak_memory_mb": {"reading": _memory(resource.RUSAGE_CHILDREN), "indexing": _memory(resource.RUSAGE_SELF), "before": own},
        "reasons": dict(Counter(_kind(reason) for reason in refused.values()).most_common()),
    }


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"{number}-{file.name}")


def _timed(config: Config, folders: Sequence[Path], seconds: dict[str, float]) -> IndexReport:
    """Indexes folders, and tells what each file took."""
    opened = Files.opened

    @contextlib.contextmanager
    def timed(files: Files, file: File) -> Iterator[Found]:
        began = time.monotonic()
        try:
            with opened(files, file) as found:
                yield found
        finally:
            seconds[file.name] = time.monotonic() - began

    Files.opened = timed  # type: ignore[method-assign]
    try:
        return indexer.index_paths(config, folders, encoder=Encoder())
    finally:
        Files.opened = opened  # type: ignore[method-assign]


def _changing(folder: Path, config: Config, rounds: int) -> dict[str, int]:
    """Indexes a folder again and again while a thread changes it; in the end the index holds what the folder holds."""
    config = config.replace("index.path", folder / "changing-index")
    changing = folder / "changing"
    changing.mkdir()
    done = threading.Event()
    changes = 0

    def change() -> None:
        nonlocal changes
        chance = random.Random(5)
        while not done.is_set():
            file = changing / f"{chance.randrange(40)}.txt"
            try:
                match chance.randrange(6):
                    case 0 | 1 | 2:
                        file.write_text(NOTE * chance.randrange(1, 3000) + str(changes))
                    case 3:
                        os.truncate(file, chance.randrange(1000))
                    case 4:
                        file.rename(changing / f"{chance.randrange(40)}.txt")
                    case 5:
                        file.unlink()
            except FileNotFoundError:
                continue
            changes += 1
            time.sleep(0.001)

    encoder = Encoder()
    thread = threading.Thread(target=change)
    thread.start()
    try:
        refused = sum(len(indexer.index_paths(config, [changing], prune=True, encoder=encoder).refused) for _ in range(rounds))
    finally:
        done.set()
        thread.join()
    indexer.index_paths(config, [changing], prune=True, encoder=encoder)
    if _stored(config) != _as_read(changing):
        raise Fault("the index does not hold what the folder holds")
    if faults := check_index(config.index.path):
        raise Fault(f"the index is damaged: {faults}")
    return {"runs": rounds, "changes": changes, "refused": refused, "articles": len(_stored(config))}


def _stored(config: Config) -> dict[str, str]:
    with Store.open(config.index.path) as store, store.snapshot():
        articles = [store.article(summary.id) for summary in store.summaries()]
        return {article.id: article.text for article in articles if article}


def _as_read(folder: Path) -> dict[str, str]:
    items = [item for path in folder.rglob("*") if path.is_file() for item in read_file(path, path.read_bytes())]
    return {item.id: item.text for item in items if isinstance(item, Article)}


def _compare(stored: dict[str, str], wanted: dict[str, str], which: str) -> None:
    if lost := [path for path, text in wanted.items() if stored.get(path) != text]:
        raise Fault(f"{len(lost)} of {len(wanted)} {which} articles are lost or changed: {lost[:3]}")


def _check_refusals(report: IndexReport, hostile: Path) -> dict[str, str]:
    """path -> reason of what was refused: one line each, and nothing that is good."""
    for refusal in report.refused:
        if len(refusal.reason.splitlines()) != 1 or len(refusal.reason) > 500:
            raise Fault(f"refused in more than a line: {refusal}")
        if "Error" in refusal.reason and "it cannot be read (" in refusal.reason:
            raise Fault(f"a fault of ours: {refusal}")
        if not Path(refusal.path).is_relative_to(hostile):
            raise Fault(f"a good file was refused: {refusal}")
    return {refusal.path: refusal.reason for refusal in report.refused}


def _check_leaks(config: Config, stored: dict[str, str]) -> None:
    for mark in MARKS:
        if any(mark in text for text in stored.values()):
            raise Fault(f"{mark!r} was indexed")
    if WRITTEN.exists():
        raise Fault(f"{WRITTEN} was written")
    if faults := check_index(config.index.path):
        raise Fault(f"the index is damaged: {faults}")


def _memory(who: int) -> int:
    return resource.getrusage(who).ru_maxrss >> 10


def _kind(reason: str) -> str:
    return reason.partition(" (")[0].partition(";")[0][:60]


def _repair_rights(folder: Path) -> None:
    """So that the folder can be removed."""
    for path in folder.rglob("closed"):
        path.chmod(0o700)


def _keep(found: dict[str, Any]) -> None:
    """Writes the figures beside those that others have in the file."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    kept["inputs"] = kept.get("inputs", {}) | found
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
