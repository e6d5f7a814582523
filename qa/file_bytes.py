"""The bytes of a file that is to be read: all at once, but of JSONL, which may be large, some rows at a time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from qa.articles import JSONL_FACTOR, READER_VERSION

PIECE = 4 << 20  # bytes of JSONL, from which on no further row is added
CHUNK = 1 << 20
WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16: rows do not end with the byte that they end with elsewhere
CHANGES = "it changes while it is read (run qa index again when it is whole)"


class Unreadable(Exception):
    """Why, in a few words."""


class FileBytes:
    """An open file of at most `most` bytes, or JSONL of some times as many. What is wrong with it is said by `Unreadable`."""

    def __init__(self, path: Path, most: int) -> None:
        self._most = most
        is_jsonl = ".jsonl" in path.name.lower()
        with _told():
            self._file: BinaryIO = open(path, "rb", opener=_open_at_once)  # noqa: PTH123, SIM115  (Path.open knows no opener)
        try:
            self.found = os.fstat(self._file.fileno())
            if not stat.S_ISREG(self.found.st_mode):
                raise Unreadable("it is not a regular file")
            if self.found.st_size > most * (JSONL_FACTOR if is_jsonl else 1):
                raise Unreadable(f"it has {self.found.st_size >> 20} MiB, more than index.max_file_mb = {most >> 20} allows")
            by_rows = path.name.lower().endswith(".jsonl") and self.found.st_size > PIECE and self._read(2) not in WIDE
            self._file.seek(0)
            self._whole = None if by_rows else self._read(self.found.st_size + 1)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> FileBytes:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def digest(self) -> str:
        """Of what it holds, and of how it would be read."""
        digest, size = hashlib.sha256(), 0
        for data in self._chunks() if self._whole is None else [self._whole]:
            digest.update(data)
            size += len(data)
        if size != self.found.st_size:
            raise Unreadable(CHANGES)
        digest.update(f"reader {READER_VERSION}".encode())
        return digest.hexdigest()

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """All of it, as (number of the first row, bytes)."""
        if self._whole is not None:
            yield 1, self._whole
            return
        yield from self._rows()
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self.found.st_size, self.found.st_mtime_ns):
            raise Unreadable(CHANGES)

    def _chunks(self) -> Iterator[bytes]:
        self._file.seek(0)
        while data := self._read(CHUNK):
            yield data

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(0)
        first, rows, size = 1, list[bytes](), 0
        while row := self._row():
            if self._file.tell() > self.found.st_size:
                raise Unreadable(CHANGES)
            rows.append(row)
            size += len(row)
            if size >= PIECE:
                yield first, b"".join(rows)
                first, rows, size = first + len(rows), [], 0
        if rows:
            yield first, b"".join(rows)

    def _row(self) -> bytes:
        """The next one; of one that is longer than may be, so much that it is refused."""
        with _told():
            row = rest = self._file.readline(self._most + 1)
            while len(rest) > 0 and not rest.endswith(b"\n"):
                rest = self._file.readline(CHUNK)
        return row if row.endswith(b"\n") or not row else row + b"\n"

    def _read(self, size: int) -> bytes:
        with _told():
            return self._file.read(size)


def reason(error: OSError) -> str:
    return f"it cannot be read: {error.strerror or error}"


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Of this file: whatever else fails meanwhile, such as the store's, is not its fault."""
    try:
        yield
    except OSError as error:
        raise Unreadable(reason(error)) from error


def _open_at_once(path: str, flags: int) -> int:
    """Opens a pipe without waiting for its other end: it may have taken a file's place."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
