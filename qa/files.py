"""Files that are to be read, and what is in them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qa.config import Index
from qa.cutting import Cut
from qa.datatypes import Article, Refusal
from qa.file_bytes import FileBytes
from qa.reading_process import FileReader


@dataclass(frozen=True, slots=True)
class File:
    """`name` stands for it in the index; `known` is the digest that it had when it was last indexed."""

    name: str
    path: Path
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. `look` is from before its bytes were read; `items` is None where their digest is the known one.

    Items may be read as they are asked for, and raise Unreadable then. Articles may have been cut already.
    """

    look: os.stat_result
    digest: str
    items: Iterable[Article | Cut | Refusal] | None


class Files:
    """Reads files, one after the other, within the limits of the settings. For one thread; `close` it."""

    def __init__(self, settings: Index) -> None:
        self._largest = settings.max_file_mb << 20
        self._reader = FileReader(settings)

    def close(self) -> None:
        self._reader.close()

    @contextlib.contextmanager
    def opened(self, file: File) -> Iterator[Found]:
        """Its items can be read while it is open. Raises Unreadable."""
        with FileBytes(file.path, self._largest) as opened:
            digest = opened.digest()
            yield Found(opened.found, digest, None if digest == file.known else self._items(file.path, opened))

    def _items(self, path: Path, opened: FileBytes) -> Iterator[Article | Refusal]:
        for first_row, data in opened.pieces():
            yield from self._reader.read(path, data, first_row)
