"""Python reads this at the start of every program that the tests run, and tests/conftest.py for their own process.

Whoever connects to another machine, or asks for the address of one, gets an error, and is written down in the file that OFFLINE_LOG
names: an error may be caught.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LOG = "OFFLINE_LOG"
CONNECTIONS = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in CONNECTIONS and isinstance(arguments[1], tuple) and not _is_here(arguments[1][0]):
        _fail(f"{event} {arguments[1][0]}")
    if event in LOOK_UPS and not _is_number(arguments[0]) and not _is_here(arguments[0]):
        _fail(f"{event} {arguments[0]!r}")


def _fail(what: str) -> None:
    import traceback

    frames = [f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_stack()]
    what = f"the network was used: {what}, by {' '.join(sys.argv)[:100]!r}: {' '.join(frames[-24:-2])}"
    if LOG in os.environ:
        with open(os.environ[LOG], "a", encoding="utf-8") as log:  # noqa: PTH123  (the less is imported, the better)
            log.write(f"{what}\n")
    raise AssertionError(what)


def _is_here(host: object) -> bool:
    import ipaddress

    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    return _is_number(host) and (ipaddress.ip_address(_text(host)).is_loopback or ipaddress.ip_address(_text(host)).is_unspecified)


def _is_number(host: object) -> bool:
    """Whether it is an address and no name, so that nobody has to be asked for it."""
    import ipaddress

    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _text(host: object) -> str:
    return (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)).partition("%")[0]


sys.addaudithook(watch)
