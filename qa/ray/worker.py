"""What runs on a node of the cluster: reads and cuts files, encodes passages. It knows nothing of the store."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qa.articles import READER_VERSION, printable
from qa.config import Index, Passages
from qa.cutting import Cutter
from qa.datatypes import Article, Refusal
from qa.encoder import Encoder
from qa.file_bytes import Unreadable
from qa.files import File, Files, Found


@dataclass(frozen=True, slots=True)
class Orders:
    """How the work is done: the same everywhere. An encoder is sent as its settings (qa/encoder.py)."""

    index: Index
    passages: Passages
    encoder: Encoder

    def facts(self) -> dict[str, object]:
        """What has to be the same on every node, by the name under which it is told when it is not."""
        return {
            "the embedding model": self.encoder.fingerprint,
            "the way of cutting passages": Cutter(self.passages, self.encoder).splitting,
            "the version of qa": READER_VERSION,
        }


class Worker:
    """Does one thing after the other."""

    def __init__(self) -> None:
        self._orders: Orders | None = None

    def begin(self, orders: Orders) -> tuple[str, dict[str, object]]:
        """Takes the orders; says which node this is and what is on it, to be compared."""
        self._orders, self._files, self._cutter = orders, Files(orders.index), Cutter(orders.passages, orders.encoder)
        return platform.node(), orders.facts()

    def read(self, file: File) -> Found | Refusal | OSError:
        """What is in a file, the articles cut; the error when it cannot be opened here."""
        try:
            with self._files.opened(file) as found:
                if found.items is None:
                    return found
                return replace(found, items=[self._cutter.cut(item) if isinstance(item, Article) else item for item in found.items])
        except Unreadable as fault:
            return fault.__cause__ if isinstance(fault.__cause__, OSError) else Refusal(printable(file.path), str(fault))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """float16 (n, dim), rows of length 1."""
        assert self._orders
        return self._orders.encoder.encode_passages(texts).astype(np.float16)
