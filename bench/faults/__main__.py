"""`python bench/faults`: see the package."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
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
                tried[name] = campaign.run(scenario_named(name), kinds, options.most, Path(place).resolve())
    found = figures(tried)
    found["seconds"] = round(time.monotonic() - started)
    return report("steps", found, options.keep)


def report(name: str, found: dict[str, object], keep: bool) -> int:
    print(json.dumps(found, indent=2))
    if keep:
        results.keep(name, found)
    return 1 if found["tried"] != found["survived"] else 0


def figures(tried: dict[str, dict[str, campaign.Tried]]) -> dict[str, object]:
    """How many points were tried and survived, in all, by kind and by scenario, and the first faults in words."""
    every = [(scenario, kind, one) for scenario, kinds in tried.items() for kind, one in kinds.items()]

    def counted(chosen: list[campaign.Tried]) -> dict[str, int]:
        return {
            "tried": sum(one.points for one in chosen),
            "survived": sum(one.points - min(one.points, len(one.faults)) for one in chosen),
        }

    return {
        **counted([one for _, _, one in every]),
        "by_kind": {
            kind: counted([one for _, other, one in every if other == kind]) for kind in dict.fromkeys(kind for _, kind, _ in every)
        },
        "by_scenario": {name: counted(list(kinds.values())) for name, kinds in tried.items()},
        "faults": [f"{scenario}, {kind}: {fault}" for scenario, kind, one in every for fault in one.faults][:20],
    }


if __name__ == "__main__":
    sys.exit(main())
