"""What the command line reads from and prints to the terminal, or to the programs at both ends of a pipe."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.batches import Progress


UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def forgive_encodings() -> None:
    """What cannot be read becomes a replacement character, what cannot be shown an escape: neither is a reason to stop."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


def lines(prompt: str = "") -> Iterator[str]:
    """Lines of standard input, prompted for on a terminal."""
    while True:
        try:
            yield input(prompt if sys.stdin.isatty() else "")
        except EOFError:
            return


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error when that is a terminal, else silence."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield progress


def print_json(value: object, indent: int | None = 2) -> None:
    """In UTF-8, or in ASCII with escapes where standard output is something else."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(value, ensure_ascii=ascii_only, indent=indent, default=_json_value), flush=True)


def say(line: str) -> None:
    """On standard error, in one line whatever is in it: names of files may have line ends, and commands to the terminal."""
    print(UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], line), file=sys.stderr)


def toml(value: object) -> str:
    if value is None:
        return "(unset)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(part)}" for name, part in value.items() if part is not None) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else json.dumps(str(value))


def _json_value(value: object) -> object:
    if isinstance(value, date | Path):
        return str(value)
    raise TypeError(type(value))
