"""What runs need of the outside: files written whole, the date, and somebody to tell how far a long run is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO, cast

from qa.errors import DataError, StoreError

Progress = Callable[[str, int, int], None]  # stage, done, total


def silent(stage: str, done: int, total: int) -> None:
    """Tells nobody."""


def read_json(file: Path) -> dict[str, Any]:
    """What `write_json` wrote; empty when it isn't there."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def writable(file: Path, option: str, mode: str = "a") -> TextIO:
    """The file, open for writing. DataError, with the option that names it, when it cannot be."""
    try:
        return cast(TextIO, file.open(mode, encoding="utf-8"))
    except OSError as error:
        raise unwritable(file, option, error) from None


def check_writable(file: Path, option: str) -> None:
    """DataError when the file cannot be written: that must not cost a run. Leaves no file that was not there."""
    there = file.exists()
    writable(file, option).close()
    if not there:
        file.unlink()


def unwritable(file: Path, option: str, error: OSError) -> DataError:
    return DataError(f"{file} cannot be written: {error.strerror} (give {option} another file)")


def write_json(file: Path, value: object) -> None:
    """Written beside and renamed, so that a reader finds the old or the new, never half of one."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from None


def today() -> str:
    """Date and time in UTC: 2026-11-22T10:00:00+00:00."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
