"""Who reads files and encodes passages while an index is written: this process, or the nodes of a cluster (qa/ray/).

They only compute. What is done, in which order and in which batches, and what is written, is decided by qa/indexer.py and
qa/batches.py alone, so that the index is the same whoever worked on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa.articles import printable
from qa.config import Index
from qa.datatypes import Refusal
from qa.encoder import Encoder
from qa.file_bytes import Unreadable
from qa.files import File, Files, Found

Encoded = NDArray[np.floating[Any]]  # (n, dim), rows of length 1; of 32 bits, or of the 16 that are kept


class Encoding(Protocol):
    """Encodes passages for qa/batches.py."""

    @property
    def at_once(self) -> int:
        """Batches that are encoded at the same time."""

    def encode(self, texts: Sequence[str]) -> Callable[[], Encoded]:
        """Begins to encode. What comes back waits for the vectors."""


class Workers(Encoding, Protocol):
    """Also reads files for qa/indexer.py. `close` it."""

    def read(self, files: Iterable[File]) -> Iterator[tuple[File, Found | Refusal]]:
        """What is in each file, in their order, and not far ahead of who asks."""

    def close(self) -> None: ...


class OneThread:
    """Encodes in this process, beside whoever asks for it."""

    at_once = 1

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, "encoding")

    def encode(self, texts: Sequence[str]) -> Callable[[], Encoded]:
        return self._thread.submit(self._encoder.encode_passages, texts).result


class Here(OneThread):
    """Reads a file when it is asked for. What is known of it need not be cut, so nothing is."""

    def __init__(self, settings: Index, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._files = Files(settings)

    def read(self, files: Iterable[File]) -> Iterator[tuple[File, Found | Refusal]]:
        for file in files:
            try:
                with self._files.opened(file) as found:
                    yield file, found
            except Unreadable as fault:
                yield file, Refusal(printable(file.path), str(fault))

    def close(self) -> None:
        self._files.close()
