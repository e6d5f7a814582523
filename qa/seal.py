"""A checksum of the SQLite file while nobody writes it, so that a bit that a disk changed is noticed before anything is answered.

The writer takes the seal away before it writes and puts a new one when all is folded back into the file. So where there is a
seal, the file must be the one that was sealed; a writer that was killed leaves none, and the next one sets it again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from io import FileIO
from pathlib import Path

from qa.database import FILE, damaged
from qa.disk import replace_file, sync_folder

SEAL = f"{FILE}.sha256"
LARGEST = 1 << 29  # bytes; some 150,000 passages
BLOCK = 1 << 20  # bytes
SAMPLES, OF_SAMPLES = 64, "samples "  # how many blocks, and what a seal of them begins with

_kept_open: dict[tuple[int, int], FileIO] = {}
_reading = threading.Lock()


def seal(folder: Path) -> None:
    """Twice the same line: a seal that was itself damaged is none."""
    large = (folder / FILE).stat().st_size > LARGEST
    replace_file(folder / SEAL, f"{_sampled(folder) if large else _whole(folder)}\n".encode() * 2)


def unseal(folder: Path) -> None:
    """So that it is gone for good before the file changes."""
    if (folder / SEAL).exists():
        (folder / SEAL).unlink()
        sync_folder(folder)


def is_sealed(folder: Path) -> bool:
    return _sealed(folder) is not None


def is_broken(folder: Path) -> bool:
    """Whether the file is not the one that was sealed. A writer that comes meanwhile takes the seal away, which is no fault."""
    sealed = _sealed(folder)
    if sealed is None or not (folder / FILE).is_file():
        return False
    now = _sampled(folder) if sealed.startswith(OF_SAMPLES) else _whole(folder)
    return now != sealed and _sealed(folder) == sealed


def verify(folder: Path) -> None:
    """StoreError, with the command that mends it, when the file was changed by another than a writer."""
    if is_broken(folder):
        raise damaged(folder, "its bytes are not those that were written")


def _sealed(folder: Path) -> str | None:
    try:
        lines = (folder / SEAL).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return lines[0] if len(lines) == 2 and lines[0] == lines[1] else None


def _whole(folder: Path) -> str:
    digest = hashlib.sha256()
    with _reading, _opened(folder / FILE) as file:
        file.seek(0)
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sampled(folder: Path) -> str:
    """Of the size and of blocks at even distances: to read all of a large file at each opening takes seconds."""
    with _reading, _opened(folder / FILE) as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(str(size).encode())
        for at in range(0, size, max(1, size // SAMPLES)):
            file.seek(at)
            digest.update(file.read(BLOCK))
    return OF_SAMPLES + digest.hexdigest()


def _opened(path: Path) -> AbstractContextManager[FileIO]:
    """Left open for good, one handle a file: to close any takes away all locks that SQLite has on it in this process (POSIX)."""
    if os.name != "posix":
        return path.open("rb", buffering=0)
    found = path.stat()
    name = found.st_dev, found.st_ino
    if name not in _kept_open:
        _kept_open[name] = path.open("rb", buffering=0)
    return nullcontext(_kept_open[name])
