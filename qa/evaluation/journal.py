"""Outcomes on disk while a run goes on, and runs that are finished.

`runs/<key>.part.jsonl` is a run under way or interrupted; `runs/<date>-<set>/` is a finished one, with `result.json` and
`details.jsonl`. The lines are those of `qa eval --details`. A process of its own key each: a second run of the same key works
beside the first without sharing what either has done.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from qa.errors import StoreError
from qa.evaluation.datasets import Question
from qa.evaluation.files import read_json, write_json
from qa.evaluation.outcomes import Outcome, from_line, to_line

RESULT, DETAILS = "result.json", "details.jsonl"
KEPT = 100  # finished runs; older ones go
ABANDONED = 30 * 86_400  # seconds after which a run that was interrupted goes


class Journal:
    """The outcomes of one run. Each is on disk when `add` returns; `finish` puts the run among the finished ones."""

    def __init__(self, folder: Path, key: str) -> None:
        self._runs = folder / "runs"
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._runs / f"{key}.lock", timeout=0)
            name = f"{key}.part.jsonl" if self._acquired() else f"{key}.{os.getpid()}.part.jsonl"
            self._path = self._runs / name
            self._lines = _whole_lines(self._path)
            _rewrite(self._path, self._lines.values())
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._cannot(error) from None

    def kept(self, question: Question) -> Outcome | None:
        """What an interrupted run found for this question. One that failed is asked again."""
        line = self._lines.get(question.id)
        return from_line(line, question) if line else None

    def add(self, outcome: Outcome) -> None:
        if outcome.question.id not in self._lines:
            self._write(to_line(outcome))

    def finish(self, result: dict[str, Any]) -> Path:
        """The folder of the finished run."""
        self._file.close()
        stamp = re.sub(r"\W", "", str(result["date"]))[:15]
        name = f"{stamp}-{re.sub(r'[^A-Za-z0-9_-]', '_', str(result['dataset']))}"
        folder = _new_folder(self._runs, name)
        write_json(folder / RESULT, result)
        self._path.replace(folder / DETAILS)
        _drop_oldest(self._runs)
        return folder

    def close(self) -> None:
        with suppress(OSError):  # of a line that could not be written, which has been told
            self._file.close()
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)  # while it is ours: nobody waits for it
        self._lock.release()

    def _acquired(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(_text(line))
            self._file.flush()
        except OSError as error:
            raise self._cannot(error) from None

    def _cannot(self, error: OSError) -> StoreError:
        return StoreError(f"{self._runs} cannot be written: {error.strerror} (make room, or give another place with --index)")


def finished_runs(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """(folder, result) of the runs under an evaluation folder, newest first."""
    found = [(path.parent, read_json(path)) for path in (folder / "runs").glob(f"*/{RESULT}")]
    return sorted(((path, result) for path, result in found if result), key=lambda run: str(run[1]["date"]), reverse=True)


def read_details(run: Path) -> Iterator[dict[str, Any]]:
    """The lines of a finished run."""
    with (run / DETAILS).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def _rewrite(file: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Written beside and renamed: a stop at any moment leaves the old lines or the new ones."""
    beside = file.with_suffix(f".{os.getpid()}")
    beside.write_text("".join(map(_text, lines)), encoding="utf-8")
    beside.replace(file)


def _whole_lines(file: Path) -> dict[str, dict[str, Any]]:
    """Question id -> line, without failures and without a last line that was cut short."""
    lines: dict[str, dict[str, Any]] = {}
    if file.is_file():
        for text in file.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                line = json.loads(text)
            except ValueError:
                break
            if "error" not in line:
                lines[line["id"]] = line
    return lines


def _new_folder(runs: Path, name: str) -> Path:
    """A folder that was not there: two runs may end in the same second."""
    number = 1
    while True:
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _drop_oldest(runs: Path) -> None:
    for folder in sorted(path.parent for path in runs.glob(f"*/{RESULT}"))[:-KEPT]:
        for file in (RESULT, DETAILS):
            (folder / file).unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # another run that has just ended dropped it
            folder.rmdir()
    for part in runs.glob("*.part.jsonl"):
        with suppress(FileNotFoundError):  # another run has just finished it, or dropped it
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
