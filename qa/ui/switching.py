"""The encoders that the configuration lists, as one server uses them: which have their vectors, which answers, one build at a time.

A build adds the missing vectors in a thread while the encoder in use answers on; at its end the server answers with the new one.
Nothing of this outlives the server: the next start answers with `embedding.model` again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qa.config import Config, Embedding
from qa.encoder import Encoder, load_encoder
from qa.errors import MissingVectors, QAError
from qa.indexer import add_vectors
from qa.ui.backend import BUG, Backend
from qa.ui.visitor import told

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A row of the list. `covered` passages have vectors, of `passages`; None while that is not known.

    `done`, of `to_do`, is set while it is being built. `reads` is its longest input in tokens, if passages may be longer: they are cut for
    the first of the list.
    """

    number: int
    name: str
    prompts: tuple[str | None, str | None]
    covered: int | None = None
    passages: int | None = None
    answers: bool = False
    done: int | None = None
    to_do: int = 0
    reads: int | None = None
    problem: str | None = None

    @property
    def complete(self) -> bool:
        return self.covered is not None and self.covered == self.passages


class Encoders:
    """One per server. Thread-safe: rows are read from values that are replaced whole."""

    def __init__(self, config: Config, backend: Backend) -> None:
        self.config = config
        self.settings = config.embedding.each()
        self.building: int | None = None
        self._backend = backend
        self._pipeline = backend.pipeline
        self._loaded: dict[int, Encoder] = {}
        self._problems: dict[int, str] = {}
        self._done = 0, 0
        self._starting = threading.Lock()

    def start(self) -> None:
        """Looks at the models' files without holding up the page."""
        threading.Thread(target=self._look, name="encoders", daemon=True).start()

    def rows(self) -> list[Listed]:
        info = self._backend.state.info
        told = info.get("encoders")
        counts = {one["fingerprint"]: one["passages"] for one in told} if isinstance(told, list) else {}
        return [self._row(number, settings, info, counts) for number, settings in enumerate(self.settings)]

    def encoder(self, number: int) -> Encoder:
        """QAError with the reason when it cannot be had."""
        if number not in self._loaded:
            encoder = self._pipeline.encoder if number == 0 else load_encoder(self.settings[number])
            encoder.fingerprint  # noqa: B018  read now, by hashing the model's files, and not while a page is drawn
            self._loaded[number] = encoder
        return self._loaded[number]

    def use(self, number: int) -> None:
        """Answers with this encoder from now on, or begins to build what is missing and then does.

        QAError when another one is being built; whatever else goes wrong is told in the encoder's row.
        """
        if not 0 <= number < len(self.settings):
            raise QAError(f"no model number {number} is listed")
        try:
            self._use(number)
        except MissingVectors:
            self._begin(number)

    def _look(self) -> None:
        for number in range(len(self.settings)):
            try:
                self.encoder(number)
            except QAError as error:
                self._problems[number] = told(error, self.config)
            except Exception:  # a bug with one model must not hide the others
                log.exception("a listed model could not be looked at")
                self._problems[number] = BUG

    def _use(self, number: int) -> None:
        self._problems.pop(number, None)
        try:
            self._pipeline.use(self.encoder(number))
        except MissingVectors:
            raise
        except QAError as error:
            self._problems[number] = told(error, self.config)
        self._backend.look()

    def _begin(self, number: int) -> None:
        with self._starting:
            if self.building is not None:
                raise QAError(f"the vectors of {short_name(self.settings[self.building])} are being built: wait until that is done")
            self.building, self._done = number, (0, 0)
        threading.Thread(target=self._build, args=(number,), name="build", daemon=True).start()

    def _build(self, number: int) -> None:
        try:
            add_vectors(self.config, self.encoder(number), progress=self._progress)
            self._use(number)
        except QAError as error:
            self._problems[number] = told(error, self.config)
        except Exception:
            log.exception("vectors could not be built")
            self._problems[number] = BUG
        finally:
            self.building = None
            self._backend.look()

    def _progress(self, stage: str, done: int, total: int) -> None:
        self._done = done, total

    def _row(self, number: int, settings: Embedding, info: Mapping[str, object], counts: Mapping[str, int]) -> Listed:
        encoder = self._loaded.get(number)
        passages = info.get("passages")
        known = encoder is not None and isinstance(passages, int)
        covered = counts.get(encoder.fingerprint, 0) if encoder and known else None
        return Listed(
            number=number,
            name=short_name(settings),
            prompts=(settings.query_prompt, settings.passage_prompt),
            covered=covered,
            passages=passages if isinstance(passages, int) else None,
            answers=encoder is not None and encoder.fingerprint == info.get("fingerprint"),
            done=self._done[0] if self.building == number else None,
            to_do=self._done[1],
            reads=encoder.max_tokens if number and encoder and encoder.max_tokens < self.config.passages.size else None,
            problem=self._problems.get(number),
        )


def short_name(settings: Embedding) -> str:
    """A folder by its last part, any other model by the name that was configured."""
    name = settings.model
    return Path(name).name if name.startswith(("/", ".", "~")) or name.count("/") > 1 else name
