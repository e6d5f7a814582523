"""What so many passages need: machines, memory, disk, money, time. From measured constants, each printed with where it comes from.

    python bench/capacity.py

Writes bench/capacity.md. Constants are from bench/results/: `million.json` (its two smallest sizes; the larger ones are predicted and
compared) and `users.json`. What could not be measured here is in `ASSUMED`, with its reason.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
TARGET = HERE / "capacity.md"

CORES = 2  # of the machine that all of it was measured on
DIMENSION = 384
ALONE_P95 = 0.363  # seconds of a question, nobody else asking, on those two cores (bench/peers.py, SQuAD passages)
ENCODED_BY_CORE = 71  # passages in a second of processor time, bfloat16 on a Zen 5 (docs/design.md#int8): a busy machine does not change it
EXACT_LIMIT = 16_384  # qa/vectors.py: up to here all vectors are compared
LISTS = 4  # qa/vector_lists.py: times the square root of the number of passages
RATE = 10  # questions a second, for all sizes
BUSY = 0.5  # share of their time that processors work at that rate
FULL = 0.7  # share of a search machine's memory that may be filled
MONTH = 730  # hours

ASSUMED = {
    "dollars an hour of a core with 4 GiB of memory": (0.05, "the order of public clouds' list prices; yours will differ"),
    "dollars a month of a GB of disk": (0.10, "network SSD, as above"),
    "share of the lists that are searched": (0.05, "measured for each index when its lists are made, never less (qa/vector_lists.py)"),
    "cores of a search machine": (16, "with 64 GiB"),
    "bytes of a passage's graph in Milvus": (144, "HNSW with M = 18: 36 links of 4 bytes at the lowest level"),
    "bytes of a passage's words in Milvus": (480, "60 different words, a number and a weight each"),
    "bytes of a passage's other columns in memory": (200, "numbers and filters; texts mapped from the disk"),
    "bytes of a passage on Milvus's disks": (8_000, "twice what SQLite and the vectors take: log, segments, index; one copy"),
    "passages in a segment": (650_000, "1 GiB of vectors, Milvus's default size"),
    "vectors compared in a segment": (6_400, "a beam of 200, with some 32 new neighbours each"),
    "times as slow as one after the other": (5, "vectors of a graph lie anywhere in memory"),
    "milliseconds between machines": (10, "two hops, the slowest of several machines, putting together"),
    "core milliseconds to put a vector into a graph": (0.5, "a beam of 240 for each"),
}


@dataclass(frozen=True)
class Measured:
    """What bench/results/ knows. `rows` are those of million.json, smallest first."""

    rows: Sequence[Mapping[str, Any]]
    users: Mapping[str, Any]

    @cached_property
    def store_bytes(self) -> float:
        """A passage in SQLite, with its text, full text and vector."""
        return self._slope(lambda row: row["bytes"]["store"])

    @cached_property
    def flat_bytes(self) -> float:
        return self._slope(lambda row: row["bytes"]["vectors"])

    @cached_property
    def flat_milliseconds(self) -> float:
        """To compare a question with one vector. Of the second size: in the first they all fit into the processor's cache."""
        return float(self.rows[1]["dense_part"]["processor_p50_ms"] / self.rows[1]["passages"])

    @cached_property
    def word_exponent(self) -> float:
        one, other = (row["words_part"]["processor_p50_ms"] for row in self.rows[:2])
        return math.log(other / one) / math.log(self.rows[1]["passages"] / self.rows[0]["passages"])

    @cached_property
    def rest_milliseconds(self) -> float:
        """Of a search: fusion, copies, reading what was found."""
        row = self.rows[1]
        parts = (row[part]["processor_p50_ms"] for part in ("dense_part", "words_part"))
        return float(row["retrieving"]["processor_p50_ms"] - sum(parts))

    @cached_property
    def megabytes(self) -> float:
        """Of a process that asks, apart from vectors."""
        row = self.rows[1]
        return float(row["memory_mb"] - row["bytes"]["vectors"] / 2**20)

    @cached_property
    def run_microseconds(self) -> float:
        """Of one process, once a run, for each passage that is there already: numbers are looked at, vectors counted."""
        one, other = self.rows[1], self.rows[-1]
        seconds = other["adding_processor_seconds"] - one["adding_processor_seconds"]
        return float(1e6 * seconds / (other["passages"] - one["passages"]))

    @cached_property
    def writer_milliseconds(self) -> float:
        """Of one process, for a passage that is added: cutting, looking for copies, storing; without encoding."""
        row = self.rows[1]
        return float(row["adding_processor_seconds"]) - self.run_microseconds * row["passages"] / 1e6  # for 1,000 passages

    @cached_property
    def question_seconds(self) -> float:
        """Of a core: reading, mostly."""
        return float(CORES / self.users["questions_per_second"])

    def _slope(self, value: Any) -> float:
        one, other = self.rows[:2]
        return float((value(other) - value(one)) / (other["passages"] - one["passages"]))


def main() -> None:
    rows = _read("million.json")["rows"]
    measured = Measured(rows, _read("users.json"))
    TARGET.write_text(PAGE.format(**page(measured)), encoding="utf-8")
    print(TARGET.read_text(encoding="utf-8"))


def page(known: Measured) -> dict[str, str]:
    plans = [one_machine(known, 10**6), many_machines(known, 10**8), many_machines(known, 10**9)]
    names = list(plans[0])
    return {
        "constants": table(("constant", "value", "from"), constants(known)),
        "assumed": table(("assumption", "value", "why"), [(name, f"{value:,}", why) for name, (value, why) in ASSUMED.items()]),
        "check": table(("passages", "", "model", "measured"), [line for row in known.rows for line in compared(known, row)]),
        "closed": f"{known.users['users'] / known.users['questions_per_second']:.1f}",
        "p50": f"{known.users['p50_seconds']:.1f}",
        "users": str(known.users["users"]),
        "plans": table(("", "10⁶", "10⁸", "10⁹"), [(name, *(plan[name] for plan in plans)) for name in names]),
        "rate": str(RATE),
        "busy": f"{BUSY:.0%}".replace("%", " %"),
        "measured_sizes": ", ".join(f"{row['passages']:,}" for row in known.rows),
    }


# --- the model ------------------------------------------------------------------------------------------------------------------------


def disk_gigabytes(known: Measured, passages: int) -> float:
    return (known.store_bytes * passages + vector_bytes(known, passages)) / 1e9


def vector_bytes(known: Measured, passages: int) -> float:
    """float16 and a number."""
    return known.flat_bytes * passages


def memory_megabytes(known: Measured, passages: int) -> float:
    return known.megabytes + vector_bytes(known, passages) / 2**20


def dense_milliseconds(known: Measured, passages: int) -> float:
    """Beyond the limit: the centres, the nearest lists, and the newest, of which there are half as many as may be."""
    if passages <= EXACT_LIMIT:
        return known.flat_milliseconds * passages
    centres = LISTS * passages**0.5
    listed = ASSUMED["share of the lists that are searched"][0] * (passages - EXACT_LIMIT / 2)
    return known.flat_milliseconds * (centres + listed + EXACT_LIMIT / 2)


def word_milliseconds(known: Measured, passages: int) -> float:
    base = known.rows[1]
    return float(base["words_part"]["processor_p50_ms"] * (passages / base["passages"]) ** known.word_exponent)


def search_milliseconds(known: Measured, passages: int) -> float:
    return known.rest_milliseconds + dense_milliseconds(known, passages) + word_milliseconds(known, passages)


def adding_seconds(known: Measured, passages: int) -> float:
    """A run that adds 1,000 passages to so many."""
    return known.writer_milliseconds + known.run_microseconds * passages / 1e6


def segment_milliseconds(known: Measured) -> float:
    return ASSUMED["vectors compared in a segment"][0] * ASSUMED["times as slow as one after the other"][0] * known.flat_milliseconds


def compared(known: Measured, row: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What the model says of a size, and what was measured."""
    passages = row["passages"]
    if passages <= known.rows[0]["passages"]:
        return []
    bytes_ = sum(row["bytes"].values())
    return [
        (f"{passages:,}", "disk, MB", f"{disk_gigabytes(known, passages) * 1e3:,.0f}", f"{bytes_ / 1e6:,.0f}"),
        ("", "memory of a process, MB", f"{memory_megabytes(known, passages):,.0f}", f"{row['memory_mb']:,}"),
        ("", "by vectors, ms", f"{dense_milliseconds(known, passages):.1f}", f"{row['dense_part']['processor_p50_ms']}"),
        ("", "by words, ms", f"{word_milliseconds(known, passages):.1f}", f"{row['words_part']['processor_p50_ms']}"),
        ("", "whole search, ms", f"{search_milliseconds(known, passages):.1f}", f"{row['retrieving']['processor_p50_ms']}"),
        ("", "adding 1,000, processor s", f"{adding_seconds(known, passages):.2f}", f"{row['adding_processor_seconds']}"),
    ]


# --- plans ----------------------------------------------------------------------------------------------------------------------------


def one_machine(known: Measured, passages: int) -> dict[str, str]:
    """SQLite and FAISS in each page's process, on one machine."""
    search = search_milliseconds(known, passages) / 1000
    cores = _even(RATE * (known.question_seconds + search) / BUSY)
    disk = disk_gigabytes(known, passages)
    memory = 2 * memory_megabytes(known, passages) / 1024
    encoding, writing = passages / ENCODED_BY_CORE / cores, passages * known.writer_milliseconds / 1000
    return {
        "store": "a file",
        "machines": f"1 of {cores} cores, 2 pages on it",
        "memory": f"{memory:.1f} GB in both pages; {max(16, 4 * cores)} GiB leave the file in the system's cache",
        "disk": f"{disk:.1f} GB, and as much again for a copy",
        "dollars an hour": f"{cores * ASSUMED['dollars an hour of a core with 4 GiB of memory'][0] + _disk_price(2 * disk):.2f}",
        "indexing: encoding": _hours(encoding, f"on its {cores} cores"),
        "indexing: the one writer": _hours(writing, "beside it"),
        "core seconds a question": f"{known.question_seconds:.2f} to read, {search:.2f} to search",
        "p95 of an answer": _p95(search),
        "breaks first": "the processor, by reading; then the memory bandwidth of searching, which all pages on a machine share",
    }


def many_machines(known: Measured, passages: int) -> dict[str, str]:
    """Milvus for the articles; pages that only read."""
    a_core, cores = ASSUMED["dollars an hour of a core with 4 GiB of memory"][0], int(ASSUMED["cores of a search machine"][0])
    in_memory = 4 * DIMENSION + sum(ASSUMED[f"bytes of a passage's {part}"][0] for part in ("graph in Milvus", "words in Milvus"))
    in_memory += ASSUMED["bytes of a passage's other columns in memory"][0]
    memory = in_memory * passages / 1e9
    segments = math.ceil(passages / ASSUMED["passages in a segment"][0])
    search = segments * segment_milliseconds(known) / 1000  # of a core, by vectors; by words about as much
    holding, searching = math.ceil(memory / FULL / 64), math.ceil(RATE * 2 * search / BUSY / cores)
    machines = max(2, holding, searching)
    pages = max(2, math.ceil(RATE * known.question_seconds / BUSY / 4))
    disk = ASSUMED["bytes of a passage on Milvus's disks"][0] * passages / 1e9
    other = 24  # cores of Milvus's coordinators, proxies, log and object store
    hour = (machines * cores + pages * 4 + other) * a_core
    encoding = passages / ENCODED_BY_CORE
    graph = passages * ASSUMED["core milliseconds to put a vector into a graph"][0] / 1000
    wall = (ASSUMED["milliseconds between machines"][0] + 2000 * search / machines / cores) / 1000
    fleet = machines * cores
    return {
        "store": "Milvus",
        "machines": f"{machines} to search, of {cores} cores and 64 GiB ({holding} for the memory, {searching} for the questions); "
        f"{pages} pages of 4 cores; {other} cores for the rest of Milvus",
        "memory": f"{memory:,.0f} GB: {in_memory:,} bytes a passage",
        "disk": f"{disk / 1000:.1f} TB",
        "dollars an hour": f"{hour + _disk_price(disk):.0f}",
        "indexing: encoding": _hours(encoding / fleet, f"on {fleet} cores, {encoding / 3600 * a_core:,.0f} dollars")
        + f"; graphs {_hours(graph / fleet, 'more')}",
        "indexing: the one writer": _hours(passages * known.writer_milliseconds / 1000, "by one process"),
        "core seconds a question": f"{known.question_seconds:.2f} to read, {2 * search:.1f} to search",
        "p95 of an answer": _p95(wall),
        "breaks first": BREAKS[passages],
    }


BREAKS = {
    10**8: "indexing by one process; with several of them, the memory of the search machines",
    10**9: "memory, by its price; then the search: each question goes to each segment, so its cost grows with the passages",
}


def constants(known: Measured) -> list[tuple[str, str, str]]:
    return [
        ("a passage in SQLite", f"{known.store_bytes:,.0f} bytes", "million.json"),
        ("a vector", f"{known.flat_bytes:,.0f} bytes", "million.json"),
        ("a process without vectors", f"{known.megabytes:,.0f} MB", "million.json"),
        ("comparing with 10,000 vectors", f"{known.flat_milliseconds * 10_000:.1f} ms", "million.json, processor"),
        ("finding by words grows with the passages to the power of", f"{known.word_exponent:.2f}", "million.json, processor"),
        ("fusion and reading what was found", f"{known.rest_milliseconds:.1f} ms", "million.json, processor"),
        ("cutting, comparing, storing 1,000 passages", f"{known.writer_milliseconds:.2f} s of a core", "million.json, processor"),
        ("once a run, for 1,000,000 passages that are there", f"{known.run_microseconds:.1f} s of a core", "million.json, processor"),
        ("encoding", f"{ENCODED_BY_CORE} passages a second a core", "docs/design.md, bfloat16, processor"),
        ("a question", f"{known.question_seconds:.2f} s of a core", "users.json, 50 people without a pause"),
        ("a question, nobody else asking, p95", f"{ALONE_P95:.2f} s", "bench/peers.py, two cores"),
    ]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _p95(search: float) -> str:
    """The slowest searches are taken to last twice as long as usual ones. The second figure: processors are shared evenly."""
    alone = ALONE_P95 + 2 * search
    return f"{alone:.1f} s alone, at most {alone / (1 - BUSY):.1f} s"


def _disk_price(gigabytes: float) -> float:
    return gigabytes * ASSUMED["dollars a month of a GB of disk"][0] / MONTH


def _hours(seconds: float, how: str) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.0f} min {how}"
    return f"{seconds / 3600:.0f} h {how}" if seconds < 2 * 86400 else f"{seconds / 86400:.0f} days {how}"


def _even(cores: float) -> int:
    return max(2, 2 * math.ceil(cores / 2))


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return found


PAGE = """# What so many passages need

Written by `python bench/capacity.py`; no line of it by hand. A passage has up to 200 tokens, so 10⁶ of them are some 150,000 newspaper
articles. The plans are for {rate} questions a second, with processors {busy} busy.

## Plans

{plans}

A plan is arithmetic, not a test: nothing larger than the sizes in the next table has been run. “At most” is what an answer takes when
questions share the processors evenly; if more is asked, people wait in the page's line. “The one writer” is `qa index`, which writes on
one machine, whoever reads and encodes for it: the nodes of a Ray cluster do ([docs/ray.md](../docs/ray.md)),
which also cut articles and compute what finds copies.

**What follows.** Reading costs the same at any size: pages are planned by questions, the store by passages. Up to some 10⁶ passages one
machine with a file is the better choice, by far. At 10⁸ encoding is cheap, and one process that writes is what takes long: `qa index
--engine ray` leaves it less to do, and several that write are needed before more encoders are. At 10⁹ most of the money goes to memory
that holds vectors in full precision, and a question costs far more to search than to read: quantized vectors on disk (DiskANN), larger
segments, or partitions by date or source come before more machines.

## Model against measurement

Constants are from the two smallest sizes measured; larger ones are predicted, but for what a run costs however little it adds, which
is from the largest, and was not measured apart. Times are medians of processor time, since the machine had
other work. Sizes measured so far: {measured_sizes}.

{check}

What the model misses: adding costs more where it passes 16,384 passages, since lists are made then, once, and again when the index
has grown fourfold. Filters are not in it.

{users} people who ask without a pause should wait {closed} s each, by Little's law and the questions answered a second; the median that
they did wait is {p50} s.

## Constants

Of a machine with two cores (AMD EPYC with bfloat16) that had other work too, so that they are on the cautious side.

{constants}

## Assumptions

{assumed}
"""


if __name__ == "__main__":
    main()
