"""`qa ask` in a fresh process, exports at hand: seconds to the answer, processor seconds, and most memory; and when `qa serve` is there.

    python bench/starting.py [--rounds 5]

The sample articles are indexed into a folder of its own first, and one question is asked that makes what is cached. Processor
seconds hold on a busy machine as well. Of the page: seconds until it is served, and until the models behind it are loaded. Figures go
to bench/results/starting.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from machine import described

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "starting.json"
QA = str(Path(sys.executable).with_name("qa"))
QUESTION = "Who was the first to run a mile in under four minutes?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index = ["--index", str(Path(folder) / "index")]
        subprocess.run([QA, "index", str(HERE.parent / "eval" / "articles"), *index], check=True, capture_output=True)
        asking = [QA, "ask", QUESTION, *index]
        measured(asking)
        rounds = [measured(asking) for _ in range(options.rounds)]
        helps = [measured([QA, "--help"]) for _ in range(options.rounds)]
        pages = [served([QA, "serve", *index]) for _ in range(options.rounds)]
    page, ready = (round(statistics.median(seconds), 2) for seconds in zip(*pages, strict=True))
    rows = {"qa ask": row(rounds), "qa --help": row(helps), "qa serve": {"page_seconds": page, "ready_seconds": ready}}
    report = {"rounds": options.rounds, "machine": described(), "rows": rows}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds, processor seconds, and most memory in MB, of one process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def served(command: list[str]) -> tuple[float, float]:
    """Seconds until the page is there, and until its models are."""
    started = time.perf_counter()
    environment = {**os.environ, "QA_UI__PORT": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        page, ready = (until_there(address + path) - started for path in ("/", "/readyz"))
        process.terminate()
    return page, ready


def until_there(address: str) -> float:
    """The time when it was."""
    while True:
        try:
            with urllib.request.urlopen(address):
                return time.perf_counter()
        except urllib.error.URLError:
            time.sleep(0.02)


def row(rounds: list[tuple[float, float, float]]) -> dict[str, float]:
    seconds, processor, memory = zip(*rounds, strict=True)
    return {
        "seconds": round(statistics.median(seconds), 2),
        "processor_seconds": round(statistics.median(processor), 2),
        "memory_mb": round(max(memory)),
    }


if __name__ == "__main__":
    main()
