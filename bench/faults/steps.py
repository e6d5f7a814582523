"""The interposing library (steps.c), compiled when it is first needed, and how a process asks for a fault.

A process has it only when it was started with LD_PRELOAD: `started_with_it` starts this program again so.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("steps.c")
VARIABLE = "LD_PRELOAD"
OFF, COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON = range(6)


@dataclass(frozen=True)
class Plan:
    """What happens at which step, counted from 1. `error` is an errno, `log` a file descriptor or -1."""

    mode: int
    step: int = 0
    error: int = 0
    log: int = -1


def can_be_had() -> bool:
    return sys.platform == "linux" and shutil.which("cc") is not None


def started_with_it() -> None:
    """Returns when the library is in this process, else starts the program again."""
    library = Path(tempfile.gettempdir(), f"qa-faults-{os.getuid()}-{SOURCE.stat().st_mtime_ns}.so")
    if os.environ.get(VARIABLE) == str(library):
        return
    if not library.exists():
        made = library.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True)
        made.replace(library)
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process with threads of libraries cannot be forked safely
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **threads, VARIABLE: str(library)})


def arm(folder: Path, plan: Plan) -> None:
    """From now on the steps below `folder` are counted."""
    _library().faults_arm(os.fsencode(folder), plan.mode, plan.step, plan.error, plan.log)


def disarm() -> str:
    """Ends the counting: a letter for each step that there was."""
    count, kinds = _library().faults_steps(), _library().faults_kinds()
    found = ctypes.string_at(kinds, count).decode()
    _library().faults_arm(b"", OFF, 0, 0, -1)
    return found


def mark(what: str) -> None:
    """Into the log: here this was acknowledged."""
    _library().faults_mark(what.encode())


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ[VARIABLE])
    library.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
    library.faults_steps.restype = ctypes.c_long
    library.faults_kinds.restype = ctypes.c_void_p
    library.faults_mark.argtypes = [ctypes.c_char_p]
    return library
