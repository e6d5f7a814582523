"""Pins what is installed: constraints.txt (all of it), requirements.lock (what qa needs, each file by its hashes), and
requirements-test.lock (what its tests need besides, likewise).

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
CONSTRAINTS, LOCK, TEST_LOCK = ROOT / "constraints.txt", ROOT / "requirements.lock", ROOT / "requirements-test.lock"
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
ABOUT_TEST_LOCK = "What the tests need besides requirements.lock, each file by its hashes. Made by: make constraints."


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
    locked, besides = locks(_compile(uv, tested, "--generate-hashes"), _compile(uv, tested, "--extra", "test", "--generate-hashes"))
    _replace(CONSTRAINTS, f"# {ABOUT_CONSTRAINTS}\n{tested}")
    _replace(LOCK, f"# {ABOUT_LOCK}\n{locked}")
    _replace(TEST_LOCK, f"# {ABOUT_TEST_LOCK}\n{besides}")


def locks(needed: str, tested: str) -> tuple[str, str]:
    """What qa needs, and what its tests need besides, without torch and what comes with a build of it."""
    ours, all_of_them = ([one for one in entries(text) if not one.startswith((*GPU, "torch=="))] for text in (needed, tested))
    return "".join(ours), "".join(one for one in all_of_them if one not in ours)


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
