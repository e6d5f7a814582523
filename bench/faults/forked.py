"""Work in a fork of this process, which has imported everything: it may be killed, and costs milliseconds."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from qa.errors import QAError

DONE, REFUSED, FAILED = range(3)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Ended:
    """`status` is DONE, REFUSED (an error of ours, whose line was told last), FAILED (another, with its traceback), or minus a signal."""

    status: int
    told: tuple[str, ...]


def in_fork(work: Callable[[Tell], None]) -> Ended:
    """Runs `work` to its end or its death. What it tells is heard even if it dies next."""
    hearing, telling = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(_run(work, lambda line: _write(telling, line)))
    os.close(telling)
    with os.fdopen(hearing, "rb") as file:
        told = tuple(line.decode() for line in file.read().split(b"\0")[:-1])
    return Ended(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told)


def _run(work: Callable[[Tell], None], tell: Tell) -> int:
    try:
        work(tell)
    except QAError as error:
        tell(str(error))
        return REFUSED
    except BaseException:
        tell(traceback.format_exc())
        return FAILED
    return DONE


def _write(file: int, line: str) -> None:
    os.write(file, line.encode("utf-8", "backslashreplace") + b"\0")
