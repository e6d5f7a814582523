"""`python bench/faults`: see the package."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "tests"), str(HERE.parent.parent)]

from faults import steps  # noqa: E402

if __name__ == "__main__":
    if not steps.can_be_had():
        sys.exit("faults at every step need Linux and a C compiler named cc")
    steps.started_with_it()

from faults import campaign, damage, results  # noqa: E402
from faults.sabotage import SABOTAGES  # noqa: E402
from faults.worlds import SCENARIOS, scenario_named  # noqa: E402

Counts = dict[str, int]  # tried, survived
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def main() -> int:
    parser = argparse.ArgumentParser(description="Put faults at every step of indexing.")
    parser.add_argument("--most", type=int, default=80, help="points of each kind in each scenario")
    parser.add_argument("--only", default=",".join(scenario.name for scenario in SCENARIOS), help="scenarios")
    parser.add_argument("--kinds", default=",".join(campaign.KINDS))
    parser.add_argument("--sabotage", choices=SABOTAGES, help="break the saving first: faults must be found")
    parser.add_argument("--keep", action="store_true", help="write bench/results/faults.json")
    parser.add_argument("--damage", action="store_true", help="instead, change the bytes of files at rest; --most flips of each file")
    options = parser.parse_args()
    if options.damage:
        with tempfile.TemporaryDirectory(dir=MEMORY) as place:
            found = damage.run(Path(place).resolve(), options.most)
        return report("damage", found, options.keep)
    started = time.monotonic()
    tried: dict[str, dict[str, campaign.Tried]] = {}
    with SABOTAGES[options.sabotage]() if options.sabotage else contextlib.nullcontext():
        for name in options.only.split(","):
            with tempfile.TemporaryDirectory(dir=MEMORY) as place:
                kinds = tuple(options.kinds.split(","))
                scenario = scenario_named(name)
                tried[scenario.name] = campaign.run(scenario, kinds, options.most, Path(place).resolve())
    counts = {name: {kind: counted(one) for kind, one in kinds.items()} for name, kinds in tried.items()}
    faults = [f"{name}, {kind}: {fault}" for name, kinds in tried.items() for kind, one in kinds.items() for fault in one.faults]
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    if options.keep:  # beside the scenarios that were tried before
        counts = {**results.kept("steps").get("by_scenario", {}), **counts}
    return report("steps", {**totals(counts), "by_scenario": counts, "faults": faults[:20]}, options.keep)


def report(name: str, found: dict[str, object], keep: bool) -> int:
    print(json.dumps(found, indent=2))
    if keep:
        results.keep(name, found)
    return 1 if found["tried"] != found["survived"] else 0


def counted(tried: campaign.Tried) -> Counts:
    return {"tried": tried.points, "survived": tried.points - min(tried.points, len(tried.faults))}


def totals(scenarios: dict[str, dict[str, Counts]]) -> dict[str, object]:
    """In all, and by kind."""
    by_kind = {kind: added(kinds[kind] for kinds in scenarios.values() if kind in kinds) for kind in campaign.KINDS}
    return {**added(by_kind.values()), "by_kind": {kind: counts for kind, counts in by_kind.items() if counts["tried"]}}


def added(counts: Iterable[Counts]) -> Counts:
    every = list(counts)
    return {name: sum(one[name] for one in every) for name in ("tried", "survived")}


if __name__ == "__main__":
    sys.exit(main())
