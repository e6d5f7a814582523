"""Fuzzes what takes bytes from outside: the targets of tests/fuzz_targets.py, from the seeds in tests/fuzz_corpus/.

By atheris, guided by coverage, where it is installed (pip install atheris), else by mutations at random. An input that breaks a target
is kept beside the seeds, once for each place where it breaks, and tests/test_fuzz.py replays it from then on.

    python bench/fuzz.py [--minutes 10] [--target reading …]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS, CORPUS = ROOT / "tests", ROOT / "tests" / "fuzz_corpus"
RESULTS = ROOT / "bench" / "results" / "faults.json"
NAMES = ("reading", "passages", "question", "configuration", "question_set", "feedback")
LONGEST = 4000  # bytes of an input
SLOW = 60  # seconds after which an input counts as one that hangs
sys.path[:0] = [str(TESTS), str(ROOT)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--target", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--alone", nargs=3, metavar=("TARGET", "SECONDS", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        name, seconds, folder = options.alone
        fuzz(name, float(seconds), Path(folder))
        return
    seconds = options.minutes * 60 / len(options.target)
    found = {name: watched(name, seconds) for name in options.target}
    print(json.dumps(found, indent=1))
    if set(options.target) == set(NAMES):
        keep(found)
    sys.exit(any(one["broken"] for one in found.values()))


def watched(name: str, seconds: float) -> dict[str, object]:
    """Fuzzes a target in a process of its own, which may crash; then the input that it was at is kept too."""
    before = set(CORPUS.rglob("*"))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--alone", name, str(seconds), folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
        last, count = Path(folder, "last"), Path(folder, "count")
        if not Path(folder, "done").exists():
            print(done.stderr[-2000:], file=sys.stderr)
            if not last.exists():
                sys.exit(f"{name} could not be fuzzed: status {done.returncode}")
            save(name, last.read_bytes(), f"status {done.returncode}")
        runs = int(count.read_text()) if count.exists() else 0
    broken = sorted(file.name for file in set(CORPUS.rglob("*")) - before)
    return {"engine": engine(), "seconds": round(seconds), "runs": runs, "broken": broken}


def engine() -> str:
    return "atheris" if importlib.util.find_spec("atheris") else "mutations"


def fuzz(name: str, seconds: float, folder: Path) -> None:
    target = _instrumented(name)
    known: set[str] = set()
    runs, end = 0, time.monotonic() + seconds

    def one(data: bytes) -> None:
        nonlocal runs
        runs += 1
        (folder / "last").write_bytes(data)
        began = time.monotonic()
        try:
            target(data)
        except Exception as error:  # whatever breaks, the rest is tried all the same
            place = "".join(traceback.format_tb(error.__traceback__)[-1:])
            if place not in known:
                known.add(place)
                save(name, data, f"{type(error).__name__}: {error}\n{place}")
        if time.monotonic() - began > SLOW:
            save(name, data, "slow")
        if runs % 50 == 0 or time.monotonic() > end:
            (folder / "count").write_text(str(runs))
        if time.monotonic() > end:
            (folder / "done").touch()
            os._exit(0)

    seeds = [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]
    if engine() == "atheris":
        import atheris

        atheris.Setup([sys.argv[0], f"-max_len={LONGEST}", "-timeout=600", "-rss_limit_mb=4096", str(_copied(seeds, folder))], one)
        atheris.Fuzz()
    chance = random.Random(time.time_ns())
    while True:
        one(mutated(chance, seeds))


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, with pieces cut out, repeated, moved, taken from another one, or made up."""
    data = chance.choice(seeds)
    for _ in range(chance.randint(1, 6)):
        start, end = sorted(chance.choices(range(len(data) + 1), k=2))
        other = chance.choice(seeds)
        first, last = sorted(chance.choices(range(len(other) + 1), k=2))
        new = chance.choice([b"", data[start:end] * chance.randint(2, 30), other[first:last], chance.randbytes(chance.randint(1, 8))])
        data = (data[:start] + new + data[end if chance.random() < 0.5 else start :])[:LONGEST]
    return data


def save(name: str, data: bytes, why: str) -> None:
    print(f"{name}: {why}", file=sys.stderr)
    (CORPUS / name / f"broke-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


def keep(found: dict[str, dict[str, object]]) -> None:
    """Writes the figures beside those that others have in the file."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    kept.setdefault("inputs", {})["fuzzing"] = found
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _instrumented(name: str) -> Callable[[bytes], None]:
    if engine() == "atheris":
        import atheris

        with atheris.instrument_imports(include=["qa", "fuzz_targets"]):
            from fuzz_targets import TARGETS
    else:
        from fuzz_targets import TARGETS
    return TARGETS[name]


def _copied(seeds: Sequence[bytes], folder: Path) -> Path:
    """The seeds in a folder that the engine adds to."""
    beside = folder / "corpus"
    beside.mkdir()
    for number, seed in enumerate(seeds):
        (beside / str(number)).write_bytes(seed)
    return beside


if __name__ == "__main__":
    main()
