"""Checksums of what a row holds, so that what a disk has changed is told when it is read, also where the file has no seal."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def of_bytes(data: bytes) -> int:
    return zlib.crc32(data)


def of_values(values: Sequence[object]) -> int:
    """Of a row as SQLite holds it. What is missing, and what has another type, differs from every text."""
    return of_bytes("\0".join(value if isinstance(value, str) else f"\0{value!r}" for value in values).encode("utf-8", "replace"))


def fits(checksum: int | None, found: int) -> bool:
    """Whether it is the one that was written; an earlier version wrote none."""
    return checksum is None or checksum == found
