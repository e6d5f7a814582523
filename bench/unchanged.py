"""A folder of many small files, none of which has changed: how long `qa index` takes to find that out.

    python bench/unchanged.py [--files 100000]

The files are made, and indexed once with made-up vectors (some 10 minutes for 100,000). Then the same sync runs again, in this process
and by the command `qa index` as a whole. Results go to bench/results/unchanged.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import PASSAGES, Corpus, MadeUpEncoder
from machine import described

from qa.config import Config
from qa.indexer import index_paths
from qa.looks import SETTLED

RESULTS = Path(__file__).resolve().parent / "results" / "unchanged.json"
IN_A_FOLDER = 1_000
WORDS = 40  # of a file
# The command, with an encoder that needs no model: with the real one, all would be encoded first.
COMMAND = """
import sys; sys.path[:0] = {path!r}
from qa import indexer
from corpus import MadeUpEncoder
indexer.load_encoder = lambda settings: MadeUpEncoder(None)
from qa.cli import main
main()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    corpus = Corpus()
    encoder = MadeUpEncoder(corpus)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(corpus, options.files, folder / "articles")
        time.sleep(SETTLED)  # a look at a file that has just been changed is not kept
        config = Config().replace("index.path", folder / "index")
        rows = {}
        for name in ("first", "again"):
            started, used = time.perf_counter(), time.process_time()
            report = index_paths(config, [folder / "articles"], encoder=encoder)  # type: ignore[arg-type]
            rows[name] = {"seconds": round(time.perf_counter() - started, 1), "processor_seconds": round(time.process_time() - used, 1)}
            assert (len(report.added), report.unchanged) == ((options.files, 0) if name == "first" else (0, options.files)), report
            print(name, rows[name], flush=True)
        command = [sys.executable, "-c", COMMAND.format(path=sys.path), "index", folder / "articles", "--index", folder / "index"]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows["by the command"] = {"seconds": round(time.perf_counter() - started, 1)}
    result = {"files": options.files, "load": round(os.getloadavg()[0], 1), "rows": rows, "machine": described()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def make(corpus: Corpus, files: int, folder: Path) -> None:
    for number in range(files):
        if number % PASSAGES == 0:
            _, paragraphs = corpus.paragraphs(number // PASSAGES)
        below = folder / f"{number // IN_A_FOLDER:03}"
        below.mkdir(parents=True, exist_ok=True)
        text = " ".join(paragraphs[number % PASSAGES].split()[:WORDS])
        (below / f"{number:06}.txt").write_text(f"Note {number}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
