"""bench/results/faults.json: each harness keeps its figures there under a name of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "results" / "faults.json"


def kept(name: str, file: Path = FILE) -> dict[str, Any]:
    """What is there under that name."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return dict(found.get(name, {}))


def keep(name: str, figures: Mapping[str, object], file: Path = FILE) -> None:
    """Replaces what is kept under that name, with the day and the machine; leaves the rest."""
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from machine import described

    every = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    every[name] = {"date": date, "machine": described(), **figures}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(every, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
