"""One process writes an index at a time; a second one waits, then learns who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from qa.database import explain, writing_errors
from qa.errors import IndexBusy
from qa.salvage import SALVAGE, finish_salvage

LOCK, HOLDER = "writer.lock", "writer.json"


@contextlib.contextmanager
def writer_lock(folder: Path, seconds: float) -> Iterator[None]:
    """Held while inside. The operating system drops the lock of a process that died; what that one left is tidied up."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise IndexBusy(f"{_holder(folder)} is writing the index in {folder} (wait for it, or stop it, and try again)") from None
    except OSError as error:
        raise explain(error.strerror or str(error), folder) from None
    try:
        with contextlib.suppress(OSError):
            (folder / HOLDER).write_text(json.dumps({"pid": os.getpid(), "since": time.strftime("%H:%M:%S")}))
        _tidy(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _tidy(folder: Path) -> None:
    """What a writer left that died: files half written go, a repair that only had to put its work in place is brought to its end."""
    with writing_errors(folder):
        finish_salvage(folder)
    with contextlib.suppress(OSError):
        for leftover in folder.glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        for leftover in folder.glob(f"{SALVAGE}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER).read_text())
        return f"process {holder['pid']} (since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
