"""What files looked like when they were last read, so that those that look the same need not be read again.

A look is size, time of change, time of change of its properties, and the number of the file itself. Nobody can set the third back, so that
a file which was changed and then given its old size and time again looks different (not on Windows, where that is the time of making).
Of a file that was changed within the last seconds none is kept: it could change again without a later time. A look counts only while
the store has the file by the same hash, so that this list, which is beside the store, can be lost or be older than it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from qa.articles import READER_VERSION
from qa.database import ERRORS

FILE = "looks.sqlite"
SETTLED = 3.0  # seconds after a change; file systems keep times in steps of up to 2


class Looks:
    """Of the files of one index. For its one writer; without a file that can be written, every file is read each time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._db = self._opened()

    def close(self) -> None:
        with contextlib.suppress(*ERRORS):
            self._db.commit()
        self._db.close()

    def __enter__(self) -> Looks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_unchanged(self, file: str, found: os.stat_result, digest: str) -> bool:
        """Whether it looks as it did when its bytes had this digest."""
        try:
            row = self._db.execute("SELECT look FROM looks WHERE file = ? AND digest = ?", (file, digest)).fetchone()
        except ERRORS:
            return False
        return row is not None and row[0] == _look(found)

    def keep(self, file: str, found: os.stat_result, digest: str) -> None:
        """`found` is from before its bytes were read."""
        if max(found.st_mtime, found.st_ctime) < time.time() - SETTLED:
            with contextlib.suppress(*ERRORS):
                self._db.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?)", (file, _look(found), digest))

    def forget(self, file: str) -> None:
        with contextlib.suppress(*ERRORS):
            self._db.execute("DELETE FROM looks WHERE file = ?", (file,))

    def _opened(self) -> sqlite3.Connection:
        for place in (self._path, self._path, Path(":memory:")):
            try:
                db = sqlite3.connect(place)
                db.execute("PRAGMA synchronous = OFF")  # what is lost is read again
                db.execute("CREATE TABLE IF NOT EXISTS looks (file TEXT PRIMARY KEY, look TEXT, digest TEXT) WITHOUT ROWID")
                db.execute("SELECT file, look, digest FROM looks LIMIT 1").fetchone()
                return db
            except ERRORS:  # damaged, or it cannot be written
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
        raise AssertionError("SQLite works in memory")


def _look(found: os.stat_result) -> str:
    return f"reader {READER_VERSION}: {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
