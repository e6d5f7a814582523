"""What stands between the page and the pipeline: loading in the background, the state of the index, questions that report their stage."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from qa.config import Config
from qa.datatypes import Response
from qa.errors import QAError
from qa.render import count
from qa.ui.asked import Asked
from qa.ui.line import Line, Place
from qa.ui.suggestions import suggest
from qa.ui.visitor import told

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

log = logging.getLogger(__name__)

LOOK_SECONDS = 3
WAIT_SECONDS = 1  # how often a question that waits says so; it can be stopped as often
BUG = "Something went wrong; the server's log says what."


@dataclass(frozen=True)
class State:
    """What the header shows. `info` is empty until the index is open; `problem` is one line that names the repair."""

    info: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None

    @property
    def loading(self) -> bool:
        return not self.info and not self.problem

    @property
    def content(self) -> tuple[object, ...]:
        """Changes with the articles, and not with vectors that are added for another encoder."""
        return tuple(self.info.get(name) for name in ("articles", "passages", "indexed_at"))


class Backend:
    """One per server. Thread-safe: the pipeline is, and everything else is replaced whole."""

    def __init__(self, config: Config, pipeline: Pipeline) -> None:
        self.config = config
        self.pipeline = pipeline
        self.state = State()
        self.suggestions: tuple[str, ...] = ()
        self.line = Line()
        self._asking = 0
        self._idle = threading.Condition()

    def start(self) -> None:
        """Load models and index without holding up the page, then notice when the index changes, goes or comes back."""
        threading.Thread(target=self._look_after, name="warm-up", daemon=True).start()

    def waits_for(self) -> str:
        """What is missing before questions can be answered, "" when nothing is."""
        return "" if self.state.info else "the index" if self.state.problem else "the models"

    def _look_after(self) -> None:
        while True:
            before = self.state
            self.look()
            if self.state.info and self.state.content != before.content:
                self.suggestions = self._suggest()
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Sees at once what would be seen at the next look."""
        self.state = self._look()

    def _look(self) -> State:
        try:
            if not self.pipeline.ready:
                self.pipeline.warm_up()
            return State(info=self.pipeline.info())
        except QAError as error:
            return State(problem=told(error, self.config))
        except Exception:  # a bug must not stop this thread: the next look may go well
            if self.state.problem != BUG:  # once, not at every look
                log.exception("the index or the models could not be loaded")
            return State(problem=BUG)

    def _suggest(self) -> tuple[str, ...]:
        try:
            return suggest(self.pipeline, self._wait_until_idle)
        except QAError:  # the index changed meanwhile; the next look sees how
            return ()
        except Exception:  # as in _look: without this thread the page would not notice what changes
            log.exception("no example questions could be made")
            return ()

    def _wait_until_idle(self) -> None:
        """Example questions wait while people's are answered."""
        with self._idle:
            self._idle.wait_for(lambda: not self._asking)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self._idle:
            self._asking += 1
        try:
            yield
        finally:
            with self._idle:
                self._asking -= 1
                self._idle.notify_all()

    def ask(self, asked: Asked, user: str = "") -> Iterator[str | Response]:
        """What becomes of a question: how many wait before it, if any; its stages as they begin ("loading", "searching", "reading");
        then the response. Closing the iterator stops the question."""
        place = self.line.join(user)
        try:
            yield from self._wait(place)
            yield from self._answer(asked)
        finally:
            self.line.leave(place)

    def _wait(self, place: Place) -> Iterator[str]:
        while not place.wait(WAIT_SECONDS):
            yield f"Waiting, {count(self.line.ahead(place), 'question')} before yours"

    def _answer(self, asked: Asked) -> Iterator[str | Response]:
        events: SimpleQueue[str | Response | Exception] = SimpleQueue()
        stopped = threading.Event()

        def on_stage(stage: str) -> None:
            if stopped.is_set():
                raise InterruptedError
            events.put(stage)

        def work() -> None:
            try:
                with self._busy():
                    events.put(self.pipeline.ask(asked.question, asked.turns, asked.filters, on_stage, asked.threshold))
            except Exception as error:  # handed to the thread that asked
                events.put(error)

        if not self.pipeline.ready:
            yield "loading"
        threading.Thread(target=work, name="question", daemon=True).start()
        try:
            while True:
                event = events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Response):
                    return
        finally:
            stopped.set()
