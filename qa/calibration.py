"""From features of an answer to the chance that it is right: a logistic regression, then a monotone curve for its bias.

The fitted numbers are JSON, written by `qa calibrate`: `qa/calibrations/` has those that ship, one a reader, and the setting
`reader.calibration` names another. A reader without one gets the chance by its own score alone. Fitting is in qa/evaluation.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qa.errors import ModelError

FOLDER = Path(__file__).parent / "calibrations"
VERSION = 1


@dataclass(frozen=True)
class Calibration:
    """`confidence = curve(sigmoid(intercept + Σ weights[name] · features[name]))`.

    `means` stand in for features that are not known. `curve` has points (x, y), x rising and y never falling; empty: as it is.
    `threshold` is the least confidence at which an answer should be shown; `about` says what all this was fitted on.
    """

    intercept: float
    weights: Mapping[str, float]
    means: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    threshold: float = 0.5
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, reader: str, file: Path | None = None) -> Calibration:
        """What `file` has, else the shipped calibration of the reader, else the sigmoid of its score."""
        if file is None:
            file = FOLDER / f"{Path(reader).name}.json"
            if not file.is_file():
                return cls(0.0, {"reader": 1.0})
        return cls.read(file)

    @classmethod
    def read(cls, file: Path) -> Calibration:
        """What `to_json` gave. ModelError when the file is something else, or not there."""
        try:
            fitted = json.loads(file.read_text(encoding="utf-8"))
            if fitted.pop("version") != VERSION:
                raise ModelError(f"{file} is of another version of qa (fit it again: qa calibrate SET)")
            fitted["curve"] = tuple((float(x), float(y)) for x, y in fitted["curve"])
            return cls(**fitted)
        except OSError as error:
            raise ModelError(f"calibration {file} cannot be read: {error.strerror} (fit one: qa calibrate SET --out {file})") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{file} is not a calibration: {error} (fit it again: qa calibrate SET)") from None

    def to_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    def confidence(self, features: Mapping[str, float]) -> float:
        """0..1; 0 when there are no features, which means no answer."""
        if not features:
            return 0.0
        known = {**self.means, **features}
        logit = self.intercept + sum(weight * known.get(name, 0.0) for name, weight in self.weights.items())
        return along(self.curve, 1 / (1 + math.exp(-max(-40.0, min(40.0, logit)))))


def along(curve: tuple[tuple[float, float], ...], x: float) -> float:
    """Straight lines between the points, level beyond the ends."""
    if not curve:
        return x
    at = bisect_right([point[0] for point in curve], x)
    if at in (0, len(curve)):
        return curve[max(0, at - 1)][1]
    (x0, y0), (x1, y1) = curve[at - 1], curve[at]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
