"""A served page for a long time: questions while articles are added and removed, and whether anything grows.

    python bench/soak.py [--minutes 30] [--users 2]

Serves the page on an index of eval/articles in a process of its own. Users ask one question after the other over HTTP; meanwhile this
process takes articles away and puts them back, one every few seconds, as `qa index --prune` does. Every `SAMPLE_SECONDS` it looks at the
server: resident memory, open handles, threads, and how long questions took.

The rule: of the samples after a first fifth for warming up, the median of the last quarter is compared with that of the first quarter.
Flat means at most `MORE` of it and `SLACK` on top. Writes bench/results/faults.json, under "soak".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT)]

import httpx  # noqa: E402
import users  # noqa: E402
from faults import results  # noqa: E402

from qa.config import Config  # noqa: E402
from qa.encoder import Encoder, load_encoder  # noqa: E402
from qa.indexer import index_paths  # noqa: E402

SAMPLE_SECONDS = 10.0
CHANGE_SECONDS = 5.0
WARM_UP = 0.2  # of all samples
MORE = {"memory_mib": 1.05, "handles": 1.0, "threads": 1.0, "p50_seconds": 1.5}
SLACK = {"memory_mib": 20.0, "handles": 4.0, "threads": 4.0, "p50_seconds": 0.2}


@dataclass(frozen=True)
class Sample:
    """`p50_seconds` of the questions that were answered since the last one; None when there were none."""

    at_seconds: float
    memory_mib: float
    handles: int
    threads: int
    p50_seconds: float | None


@dataclass
class Asked:
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    at: int = 0

    def since(self) -> list[float]:
        found, self.at = self.seconds[self.at :], len(self.seconds)
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        articles, index = Path(place, "articles"), Path(place, "index")
        shutil.copytree(ROOT / "eval" / "articles", articles)
        config = Config.model_construct().replace("index.path", index)
        encoder = load_encoder(config.embedding)
        index_paths(config, [articles], encoder=encoder)
        served = users.serve(index)
        try:
            address = users.wait_for_address(served)
            found = asyncio.run(soak(config, encoder, articles, address, served.pid, options.minutes * 60, options.users))
        finally:
            served.terminate()
            served.wait()
    print(json.dumps(found, indent=2))
    results.keep("soak", found)
    return 0 if found["flat"] and not found["failures"] else 1


async def soak(
    config: Config, encoder: Encoder, articles: Path, address: str, process: int, seconds: float, people: int
) -> dict[str, object]:
    rows = map(json.loads, (ROOT / "eval" / "questions.jsonl").read_text("utf-8").splitlines())
    questions = [row["question"] for row in rows if not row.get("turns")]
    asked, samples = Asked(), []
    async with httpx.AsyncClient(base_url=address, timeout=users.PATIENCE, trust_env=False) as client:
        await users.ask(client, questions[0], "warm-up")
        until = time.monotonic() + seconds
        changing = asyncio.create_task(change(config, encoder, articles, until))
        asking = [asyncio.create_task(ask(client, number, questions, asked, until)) for number in range(people)]
        while time.monotonic() < until:
            await asyncio.sleep(min(SAMPLE_SECONDS, max(0.0, until - time.monotonic())))
            samples.append(sample(process, seconds - (until - time.monotonic()), asked.since()))
        changes = await changing
        await asyncio.gather(*asking)
    verdicts = judged(samples)
    return {
        "minutes": round(seconds / 60, 1),
        "users": people,
        "questions": len(asked.seconds),
        "failures": asked.failures[:10],
        "articles_removed_and_added": changes,
        "flat": all(verdict["flat"] for verdict in verdicts.values()),
        **verdicts,
    }


async def change(config: Config, encoder: Encoder, articles: Path, until: float) -> int:
    """Takes one article after the other away and puts it back; returns how many changes there were."""
    aside, changes = articles.with_name("aside"), 0
    aside.mkdir()
    files = sorted(articles.iterdir())
    while time.monotonic() < until:
        file = files[changes // 2 % len(files)]
        place, other = (articles, aside) if changes % 2 == 0 else (aside, articles)
        (place / file.name).rename(other / file.name)
        await asyncio.to_thread(index_paths, config, [articles], prune=True, encoder=encoder)
        changes += 1
        await asyncio.sleep(CHANGE_SECONDS)
    return changes


async def ask(client: httpx.AsyncClient, number: int, questions: Sequence[str], asked: Asked, until: float) -> None:
    chance = random.Random(number)
    while time.monotonic() < until:
        started = time.monotonic()
        failure = await users.ask(client, chance.choice(questions), f"soak{number}")
        if failure:
            asked.failures.append(failure[:200])
        else:
            asked.seconds.append(time.monotonic() - started)


def sample(process: int, at: float, seconds: Sequence[float] = ()) -> Sample:
    """What the system says about a process (Linux)."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    memory = int(status["VmRSS"].split()[0]) / 1024
    handles, threads = len(list(Path(f"/proc/{process}/fd").iterdir())), int(status["Threads"])
    return Sample(round(at, 1), round(memory, 1), handles, threads, round(statistics.median(seconds), 3) if seconds else None)


def judged(samples: Sequence[Sample]) -> dict[str, dict[str, object]]:
    """By the rule above: what is measured -> first and last quarter, and whether it is flat."""
    warm = samples[round(len(samples) * WARM_UP) :]
    quarter = max(1, len(warm) // 4)
    found: dict[str, dict[str, object]] = {}
    for name, more in MORE.items():
        values = [value for one in warm if (value := getattr(one, name)) is not None]
        if not values:
            continue
        first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
        found[name] = {
            "first_quarter": round(first, 3),
            "last_quarter": round(last, 3),
            "most": max(values),
            "flat": last <= first * more + SLACK[name],
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
