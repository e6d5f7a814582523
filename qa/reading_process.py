"""Files are read in a process of their own, which may fail: what breaks a limit or the process costs one file, and no more.

Memory (where the system can limit it), processor time and waiting are limited by `index.max_memory_mb` and `index.max_seconds`; the
process can neither connect to anything nor start a program. It reads one file after the other, and is started anew once it ended.
Both sides exchange lines of JSON, a file's bytes behind its request; nothing is pickled. What a file says is `qa.articles`' business.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from qa.articles import Rows, iterate_file, one_reason, printable
from qa.config import Index
from qa.datatypes import Article, Refusal

CODE = "import sys; sys.path[:] = {path!r}; from qa.reading_process import serve; serve({seconds}, {memory})"
FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork")
START_SECONDS = 60.0  # that the process may take to start, on a busy machine
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each would take address space


class FileReader:
    """Reads files by a process that is started for the first of them. For one thread; `close` it, or use it in a `with`."""

    def __init__(self, settings: Index) -> None:
        self._settings = settings
        self._process: _Process | None = None

    def __enter__(self) -> FileReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._process:
            self._process.stop()
        self._process = None

    def read(self, path: Path, data: bytes, first_row: int = 1) -> list[Article | Refusal]:
        """As `qa.articles.read_file`, but for a Refusal at the end where a limit was broken. JSONL may come in pieces, each with the number
        of its first row."""
        fresh = self._process is None
        found, fault = self._try(path, data, first_row)
        if fault and not fresh and not fault.in_time:  # it may have been out of memory for earlier files' sake
            found, fault = self._try(path, data, first_row)
        return [*found, Refusal(printable(os.path.realpath(path)), str(fault))] if fault else found

    def _try(self, path: Path, data: bytes, first_row: int) -> tuple[list[Article | Refusal], _Fault | None]:
        found: list[Article | Refusal] = []
        self._process = self._process or _Process(self._settings)
        try:
            found.extend(self._process.read(path, data, first_row))
        except _Fault as fault:
            self.close()
            return found, fault
        return found, None


class _Fault(Exception):
    """Why a file could not be read to its end."""

    def __init__(self, reason: str, *, in_time: bool = False) -> None:
        super().__init__(reason)
        self.in_time = in_time


class _Process:
    """The process, as seen by the one that started it. A thread of ours kills it when it is silent for too long."""

    def __init__(self, settings: Index) -> None:
        self._settings = settings
        self._deadline = math.inf  # on the monotonic clock, while something is asked for
        self._late = False
        self._stopped = threading.Event()
        code = CODE.format(path=[folder for folder in sys.path if folder], seconds=settings.max_seconds, memory=settings.max_memory_mb)
        self._child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
        )
        self._started = False
        threading.Thread(target=self._watch, daemon=True).start()

    def read(self, path: Path, data: bytes, first_row: int) -> Iterator[Article | Refusal]:
        """What the file has, as it comes. Raises _Fault when the process ends, or has ended, instead of answering."""
        assert self._child.stdin and self._child.stdout
        settings = self._settings
        request = {
            "path": str(path.absolute()),
            "size": len(data),
            "max_bytes": settings.max_file_mb << 20,
            "max_characters": settings.max_characters,
            "first_row": first_row,
        }
        try:
            if not self._started:
                self._wait(START_SECONDS)
                self._started = bool(self._child.stdout.readline())
            self._wait(settings.max_seconds)
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.write(data)
            self._child.stdin.flush()
            while line := self._child.stdout.readline():
                self._wait(settings.max_seconds)
                reply = json.loads(line)
                if reply is None:
                    return
                yield _from_json(reply)
        except (OSError, ValueError):  # it ended before it took all of the request, or in the middle of a line
            pass
        finally:
            self._deadline = math.inf
        raise self._fault()

    def stop(self) -> None:
        self._stopped.set()
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):  # what was not sent any more
                pipe.close()  # type: ignore[union-attr]

    def _wait(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def _watch(self) -> None:
        while not self._stopped.wait(max(0.0, min(self._deadline - time.monotonic(), self._settings.max_seconds))):
            if time.monotonic() >= self._deadline:
                self._late = True
                self._child.kill()
                return

    def _fault(self) -> _Fault:
        status = self._child.wait()
        if self._late or status == -getattr(signal, "SIGXCPU", 0):
            return _Fault(f"takes longer than index.max_seconds = {self._settings.max_seconds:g} allows", in_time=True)
        return _Fault(f"damaged, or takes more memory than index.max_memory_mb = {self._settings.max_memory_mb} allows")


def serve(max_seconds: float, max_memory_mb: int) -> None:
    """The process itself: answers requests until there are no more."""
    requests, replies = _pipes()
    _limit_memory(max_memory_mb << 20)
    sys.addaudithook(_refuse)
    _send(replies, None)  # ready
    ids: set[str] = set()
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        if len(data) < request["size"]:  # whoever asked is gone
            return
        _limit_time(max_seconds)
        ids = ids if request["first_row"] > 1 else set()
        for item in _items(request, data, ids):
            _send(replies, _to_json(item))
            _limit_time(max_seconds)
        del data
        _send(replies, None)


def _items(request: dict[str, Any], data: bytes, ids: set[str]) -> Iterator[Article | Refusal]:
    """`ids` are those of earlier pieces of the file."""
    path = Path(request["path"])
    try:
        yield from iterate_file(path, data, request["max_bytes"], request["max_characters"], Rows(request["first_row"], ids))
    except MemoryError:
        os._exit(1)  # who asked knows the limit; and nothing here is to be relied on any more
    except Exception as error:  # a fault of ours: the other files can be read all the same
        yield Refusal(printable(path), f"it cannot be read ({type(error).__name__}: {one_reason(error)})")


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Where requests come from and replies go to; what a library prints goes elsewhere."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, replies


def _send(replies: BinaryIO, value: dict[str, Any] | None) -> None:
    replies.write(json.dumps(value).encode() + b"\n")
    replies.flush()


def _limit_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(OSError, ValueError):  # a system that cannot limit it, or limits it more already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_time(seconds: float) -> None:
    """Processor time from now on. Whoever asked waits no longer than that either, but may be gone by then."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        end = math.ceil(time.process_time() + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _refuse(event: str, _: object) -> None:
    if event.startswith(FORBIDDEN):
        raise PermissionError(f"reading a file needs no {event}")


def _to_json(item: Article | Refusal) -> dict[str, Any]:
    fields = asdict(item)
    if isinstance(item, Article):
        fields["published"] = item.published.isoformat() if item.published else None
    return fields


def _from_json(fields: dict[str, Any]) -> Article | Refusal:
    if "reason" in fields:
        return Refusal(**fields)
    published = fields.pop("published")
    return Article(**fields, published=date.fromisoformat(published) if published else None)
