"""A file that was made anew beside a damaged one, put in its place.

The write-ahead log of the damaged file must go before the new one has its name, or SQLite would apply the one to the other. A power
failure in between must not lose what stood in that log alone: so from the moment at which the new file has the name `SAVED` it is
whole, and whoever writes next brings the exchange to its end.
"""

from __future__ import annotations

from pathlib import Path

from qa.database import FILE
from qa.disk import sync_folder
from qa.seal import SEAL

SAVED = f"{FILE}.saved"
SALVAGE = "salvage-"  # of the folder in which it is made


def is_unfinished(folder: Path) -> bool:
    return (folder / SAVED).exists()


def finish_salvage(folder: Path) -> None:
    """Puts the new file in place, if there is one. By the holder of the lock."""
    if not is_unfinished(folder):
        return
    derived = list(folder.glob("vectors-*"))  # from what the damaged file held
    for leftover in [*(folder / name for name in (f"{FILE}-wal", f"{FILE}-shm", SEAL)), *derived]:
        leftover.unlink(missing_ok=True)
    sync_folder(folder)
    (folder / SAVED).replace(folder / FILE)
    sync_folder(folder)
