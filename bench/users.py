"""Many people at once: simulated users ask a served page one question after the other, over the same HTTP that a browser's programs use.

    python bench/users.py [--users 50] [--seconds 120] [--pause 0] [--sign-in] [--index DIR | --address URL]

Serves the page on the index in a process of its own (or takes a served one), lets each user ask questions of eval/questions.jsonl
for the given time, and writes bench/results/users.json: how long a question took (p50, p95, the slowest), questions a second, what
failed, how even it was among users, and the machine. A user begins the next question when the last is answered, after `--pause`
seconds; with no pause this is the most that so many people can ask, so the wait is that of a full house.

An answer to another's question counts as a failure. `--sign-in` gives each user a name and a password, which go with every request.

`--one-greedy N` lets one more user ask N questions at a time, all the time: what the others then wait is what the line of
questions (qa/ui/line.py) is for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from qa.server.users import Users  # noqa: E402

Auth = tuple[str, str] | None
RESULT = ROOT / "bench" / "results" / "users.json"
PATIENCE = 600.0  # seconds for one question


@dataclass
class Asked:
    """What the users saw: seconds of each question that was answered, by user, and what failed."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    refusals: int = 0

    @property
    def all_seconds(self) -> list[float]:
        return [second for seconds in self.seconds.values() for second in seconds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pause", type=float, default=0, help="seconds that a user thinks between two questions")
    parser.add_argument("--sign-in", action="store_true", help="each user has a name and a password")
    parser.add_argument("--one-greedy", type=int, default=0, metavar="N", help="one more user with N questions at a time")
    parser.add_argument("--index", type=Path, default=ROOT / "index" / "default", help="serve this index")
    parser.add_argument("--address", help="ask a page that is served already")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = map(json.loads, (ROOT / "eval" / "questions.jsonl").read_text("utf-8").splitlines())
    questions = [row["question"] for row in rows if not row.get("turns")]
    with tempfile.TemporaryDirectory() as place:
        served = (
            None if options.address else serve(options.index, signing_in(Path(place, "users.json"), options) if options.sign_in else {})
        )
        result = measured(served, questions, options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def measured(served: subprocess.Popen[str] | None, questions: list[str], options: argparse.Namespace) -> dict[str, object]:
    try:
        address = options.address or wait_for_address(served)
        return asyncio.run(measure(address.rstrip("/"), questions, options))
    finally:
        if served:
            served.terminate()
            served.wait()


def signing_in(file: Path, options: argparse.Namespace) -> dict[str, str]:
    """Makes the users; the settings of a server that knows them."""
    known = Users(file)
    for number in range(-1, options.users):
        known.add(*account(number), "reader")
    return {"QA_SERVER__SIGN_IN": "true", "QA_SERVER__USERS": str(file)}


def account(number: int) -> tuple[str, str]:
    """Name and password of a user."""
    return f"user{number}", f"the password of user {number}"


def serve(index: Path, settings: Mapping[str, str] = {}) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from qa.cli import main; main()", "serve", "--port", "0", "--index", str(index)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings})


def wait_for_address(served: subprocess.Popen[str] | None) -> str:
    """From the line that `qa serve` prints."""
    assert served is not None and served.stdout is not None
    line = served.stdout.readline()
    if "http://" not in line:
        raise SystemExit(f"the page was not served: {line}")
    return "http://" + line.split("http://")[1].split()[0]


async def measure(address: str, questions: list[str], options: argparse.Namespace) -> dict[str, object]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits, trust_env=False) as client:
        auths = {number: account(number) if options.sign_in else None for number in range(-1, options.users)}
        await ask(client, questions[0], "warm-up", auths[-1])  # the models are loaded
        for auth in filter(None, auths.values()):  # one after the other: tries from one address are limited
            (await client.get("/gradio_api/app_id", auth=auth)).raise_for_status()
        asked, greedy = Asked(), Asked()
        started = time.monotonic()
        until = started + options.seconds
        users = [use(client, n, questions, until, options.pause, asked, auths[n]) for n in range(options.users)]
        users += [use(client, -1, questions, until, 0, greedy, auths[-1]) for _ in range(options.one_greedy)]
        await asyncio.gather(*users)
        took = time.monotonic() - started
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "users": options.users,
        "signed_in": options.sign_in,
        "pause_seconds": options.pause,
        "seconds": round(took, 1),
        **figures(asked, took),
        **({"one_greedy": {"at_a_time": options.one_greedy, **figures(greedy, took)}} if options.one_greedy else {}),
    }


async def use(
    client: httpx.AsyncClient, number: int, questions: list[str], until: float, pause: float, asked: Asked, auth: Auth = None
) -> None:
    """One person: a question, its answer, the next question."""
    chance = random.Random(number)
    session = f"user{number}"
    while time.monotonic() < until:
        started = time.monotonic()
        failure = await ask(client, chance.choice(questions), session, auth)
        if failure is None:
            asked.seconds.setdefault(number, []).append(time.monotonic() - started)
        elif "queue is full" in failure:
            asked.refusals += 1
            await asyncio.sleep(1)
        else:
            asked.failures[failure[:200]] += 1
            await asyncio.sleep(1)
        await asyncio.sleep(pause)


async def ask(client: httpx.AsyncClient, question: str, session: str, auth: Auth = None) -> str | None:
    """Asks as the page's own programs do, under a session's name; returns what failed."""
    try:
        body = {"data": [question, None, "", "", "", "", None], "session_hash": session}
        joined = await client.post("/gradio_api/call/ask", json=body, auth=auth)
        if joined.status_code != 200:
            return f"{joined.status_code}: {joined.text}"
        told = (await client.get(f"/gradio_api/call/ask/{joined.json()['event_id']}", auth=auth)).text
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    event, _, data = told.rstrip().split("\n\n")[-1].partition("\ndata: ")
    if event != "event: complete":
        return told
    answered = json.loads(data)[0]["question"]
    return None if answered == question else f"an answer to {answered!r}, asked was {question!r}"


def figures(asked: Asked, took: float) -> dict[str, object]:
    seconds = asked.all_seconds
    counts = [len(own) for own in asked.seconds.values()]
    return {
        "questions": len(seconds),
        "questions_per_second": round(len(seconds) / took, 2),
        "p50_seconds": round(float(np.percentile(seconds, 50)), 3) if seconds else None,
        "p95_seconds": round(float(np.percentile(seconds, 95)), 3) if seconds else None,
        "slowest_seconds": round(max(seconds), 3) if seconds else None,
        "fewest_and_most_by_one_user": [min(counts), max(counts)] if counts else None,
        "told_that_the_queue_is_full": asked.refusals,
        "errors": dict(asked.failures),
    }


def machine() -> dict[str, object]:
    """`load` is that of the minute before: what else was running."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), None)
    return {"processor": model, "cores": os.cpu_count(), "memory_gib": memory, "system": platform.platform(), "load": os.getloadavg()[0]}


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).is_file() else []


if __name__ == "__main__":
    main()
