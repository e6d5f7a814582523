"""Who did what: a JSON line each in the log, and the figures that /metrics tells. Questions are in neither, unless one asks for them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import datetime, timezone
from logging.handlers import WatchedFileHandler
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from qa.config import Config
from qa.datatypes import Response
from qa.errors import ConfigError
from qa.server.addresses import shared
from qa.server.visitors import Visitor

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Record:
    """One per server. Thread-safe."""

    def __init__(self, config: Config) -> None:
        self._questions_too = config.server.log_questions
        self._log = logging.Logger("qa.record")
        handler = _handler(config)
        if handler:
            self._log.addHandler(handler)
        self.registry = CollectorRegistry()
        self._asked = Counter("qa_questions", "Questions, by what became of them.", ["outcome"], registry=self.registry)
        self._stages = Histogram("qa_stage_seconds", "How long a stage took.", ["stage"], buckets=SECONDS, registry=self.registry)
        self._done = Counter("qa_events", "What else was done: indexed, removed, switched, signed in …", ["did"], registry=self.registry)
        self._refused = Counter("qa_refusals", "Requests that were refused, by status.", ["status"], registry=self.registry)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """A figure that is asked for whenever somebody reads the metrics."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def metrics(self) -> bytes:
        return generate_latest(self.registry)

    def asked(self, visitor: Visitor, question: str, outcome: str, response: Response | None = None) -> None:
        self._asked.labels(outcome).inc()
        timings = response.timings_ms if response else {}
        for stage, milliseconds in timings.items():
            self._stages.labels(stage).observe(milliseconds / 1000)
        took = {"ms": round(timings["total"])} if "total" in timings else {}
        asked = {"question": question} if self._questions_too else {}
        self._write(visitor, "asked", outcome=outcome, **took, **asked)

    def did(self, visitor: Visitor, did: str, **facts: object) -> None:
        """`did` is in the past: "indexed", "removed", "switched", "marked", "signed in", "signed out"."""
        self._done.labels(did).inc()
        self._write(visitor, did, **facts)

    def refused(self, visitor: Visitor, status: int, what: str, reason: str) -> None:
        self._refused.labels(str(status)).inc()
        self._write(visitor, "refused", status=status, what=what, reason=reason)

    def _write(self, visitor: Visitor, did: str, **facts: object) -> None:
        if self._log.handlers:
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            told = {"at": now, "user": visitor.name or None, "address": visitor.address, "did": did, **facts}
            self._log.info(json.dumps(told, ensure_ascii=False))


def _handler(config: Config) -> logging.Handler | None:
    if config.server.log:
        return _to_file(config.server.log)
    return logging.StreamHandler() if config.server.sign_in or shared(config) else None


def _to_file(file: Path) -> logging.Handler:
    """Appends to a file that only its owner may read; one that was moved away, as logs are, is begun anew."""

    def private(path: str, flags: int) -> int:
        return os.open(path, flags, 0o600)

    class Private(WatchedFileHandler):
        def _open(self):  # type: ignore[no-untyped-def]
            return open(self.baseFilename, self.mode, encoding="utf-8", errors="backslashreplace", opener=private)  # noqa: PTH123, SIM115

    try:
        return Private(file)
    except OSError as error:
        raise ConfigError(f"server.log: {file} cannot be written: {error.strerror}") from None
