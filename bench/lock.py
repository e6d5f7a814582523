"""Pins what is installed: constraints.txt (with what the tests need), requirements.lock (what qa needs, each file by its hashes).

torch is in the first alone: the builds for a CPU and for a GPU are other files of one version, and the libraries of the latter are
left to it. Nothing is written unless everything was resolved.

    python bench/lock.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS, LOCK = ROOT / "constraints.txt", ROOT / "requirements.lock"
TORCH = "torch==2.13.0"
GPU = ("cuda-", "nvidia-", "triton")
COMPILE = [
    "pip",
    "compile",
    "--universal",
    "--python-version",
    "3.10",
    "--no-annotate",
    "--no-header",
    "--constraint",
    "-",
    "pyproject.toml",
]
ABOUT_CONSTRAINTS = (
    "Versions that are tested together, for Python 3.10 to 3.13. Made by: make constraints (GPU libraries are left to torch)."
)
ABOUT_LOCK = "What qa needs but for torch, each file by its hashes. Made by: make constraints."


class Pin(NamedTuple):
    """A line of a lock: `marker` says for which Pythons and systems it is, "" for all; `hashes` are "sha256:…"."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def main() -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        sys.exit("uv resolves the versions and is not there (pip install uv); nothing was changed")
    tested = "".join(entry for entry in entries(_compile(uv, TORCH, "--extra", "test")) if not entry.startswith(GPU))
    needed = _compile(uv, tested, "--generate-hashes")
    locked = "".join(entry for entry in entries(needed) if not entry.startswith((*GPU, "torch==")))
    _replace(CONSTRAINTS, f"# {ABOUT_CONSTRAINTS}\n{tested}")
    _replace(LOCK, f"# {ABOUT_LOCK}\n{locked}")


def read(lock: str) -> list[Pin]:
    """The pins in the text of constraints.txt or requirements.lock."""
    found = []
    for entry in entries(lock):
        line = re.sub(r"\s*\\\n\s*", " ", entry).strip()
        pin = re.match(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.*?))?(?:\s+--hash=|$)", line)
        if pin is None:
            raise ValueError(f"no pinned version: {line[:100]}")
        found.append(Pin(pin["name"].lower(), pin["version"], pin["marker"] or "", tuple(re.findall(r"--hash=(\S+)", line))))
    return found


def entries(lock: str) -> Iterator[str]:
    """Each requirement with the lines that belong to it."""
    yield from re.findall(r"^[^\s#].*\n(?:[ \t].*\n)*", lock, re.MULTILINE)


def _compile(uv: str, constraints: str, *options: str) -> str:
    done = subprocess.run([uv, *COMPILE, *options], input=constraints, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode or not done.stdout.strip():
        sys.exit("the versions were not resolved; nothing was changed")
    return done.stdout


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    main()
