"""The gate: floors under the metrics of a set, kept in its `baseline.json`, that no change may break unseen.

A floor is what was measured less a margin of noise, measured as well: how far the figure moved over several builds of the index
(see `noise`), and no less than what one question is worth, since a few builds cannot show what is rarer. Raising is a matter of
measuring again; lowering needs a reason, which is kept. A baseline belongs to one state of the data, told by digests, and knows
which questions went well, to name those lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qa.errors import DataError
from qa.evaluation.files import read_json, write_json
from qa.evaluation.outcomes import score
from qa.evaluation.runs import Run

FILE = "baseline.json"
GUARDED = ("R@1", "R@5", "RR@10", "nDCG@10", "EM", "F1", "no_answer_F1")
SAME = ("corpus_sha256", "questions_sha256", "mode")
NAMED = 20  # lost questions in a message


def baseline_file(path: Path) -> Path:
    """In the set's folder; beside a set that is a file: `squad.baseline.json`."""
    return path / FILE if path.is_dir() else path.with_suffix(f".{FILE}")


def read_baseline(file: Path) -> dict[str, Any]:
    """DataError when there is none."""
    baseline = read_json(file)
    if not {*SAME, "floors", "well"} <= set(baseline):
        raise DataError(f"{file} is missing or damaged, so that there are no floors (measure them: qa baseline SET)")
    return baseline


def baseline_about(file: Path, subject: Mapping[str, Any]) -> dict[str, Any]:
    """DataError unless it is about what `subject` tells by the keys SAME, such as a run's result."""
    baseline = read_baseline(file)
    for key in SAME:
        if baseline.get(key) != subject[key]:
            found = f"{str(baseline.get(key))[:12]}, the run has {str(subject[key])[:12]}"
            raise DataError(f"{file} is about other data: its {key} is {found} (run as it was measured, or measure again: qa baseline SET)")
    return baseline


def broken_floors(run: Run, file: Path) -> list[str]:
    """A line for each metric below its floor, with the questions that went well when the floor was set and don't now."""
    baseline = baseline_about(file, run.result)
    lines = []
    well = _well(run)
    for name, floor in baseline["floors"].items():
        value = run.result["metrics"][name]
        if value is None or value < floor:
            lost = [key for key in baseline["well"][name] if key not in well[name]]
            more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
            lines.append(f"{name} is {value:.4f}, below its floor {floor:.4f}; lost: {', '.join(lost[:NAMED])}{more}")
    return lines


def set_floors(run: Run, file: Path, reason: str | None = None, noise: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Writes the floors that this run allows. One that would be lower than before needs a reason.

    `noise` is what `measure_noise` found; without it, that of the earlier baseline holds.
    """
    old = read_json(file)
    noise = noise or old.get("noise", {"spread": {}})
    floors = _floors(run, noise)
    lowered = {name: (floor, floors.get(name)) for name, floor in old.get("floors", {}).items() if floors.get(name, -1.0) < floor}
    if lowered and not reason:
        falls = "; ".join(
            f"{name} from {before:.4f} to {'none' if after is None else f'{after:.4f}'}" for name, (before, after) in lowered.items()
        )
        raise DataError(f"{file}: floors would fall: {falls} (to lower them: --lower 'the reason')")
    history = old.get("lowered", [])
    if lowered:
        history = [*history, {"date": run.result["date"], "reason": reason, "floors": lowered}]
    kept = ("dataset", "questions", *SAME, "fingerprint", "reader", "date")
    baseline = {
        **{key: run.result[key] for key in kept},
        "floors": floors,
        "noise": noise,
        "measured": {name: run.result["metrics"][name] for name in floors},
        "well": {name: sorted(keys) for name, keys in _well(run).items() if name in floors},
        "lowered": history,
    }
    write_json(file, baseline)
    return baseline


def _floors(run: Run, noise: Mapping[str, Any]) -> dict[str, float]:
    """What was measured, less the noise, or less what one question is worth when that is more."""
    scores = score(run.outcomes, run.mode)
    metrics: Mapping[str, float | None] = run.result["metrics"]
    floors = {}
    for name in GUARDED:
        value = metrics[name]
        if value is None:
            continue
        if name not in noise["spread"]:
            raise DataError(f"the noise of {name} has not been measured (measure it: qa baseline SET --builds 2)")
        one = 1 / int(np.count_nonzero(~np.isnan(scores[name])))
        floors[name] = round(value - max(noise["spread"][name], one), 6)
    return floors


def _well(run: Run) -> dict[str, set[str]]:
    """metric -> ids of the questions that it counts at least half."""
    scores = score(run.outcomes, run.mode)
    ids = np.array([outcome.question.id for outcome in run.outcomes])
    return {name: set(ids[np.nan_to_num(scores[name]) >= 0.5].tolist()) for name in GUARDED if name in scores}
