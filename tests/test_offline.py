"""The tests themselves: one that uses the network fails, even when the error is caught, and in a program that it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ATTEMPTS = {
    "socket.socket().connect(('192.0.2.1', 80))": "socket.connect 192.0.2.1",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))": "socket.connect 192.0.2.1",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))": "socket.sendto 192.0.2.1",
    "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))": "socket.connect 2001:db8::1",
    "socket.getaddrinfo('example.org', 80)": "socket.getaddrinfo 'example.org'",
    "socket.gethostbyname('example.org')": "socket.gethostbyname 'example.org'",
    "urllib.request.urlopen('http://example.org/')": "socket.getaddrinfo 'example.org'",
    "asyncio.run(asyncio.open_connection('example.org', 80))": "socket.getaddrinfo 'example.org'",
}
HARMLESS = [
    "with socket.create_server(('127.0.0.1', 0)) as s: socket.create_connection(s.getsockname()).close()",
    "socket.getaddrinfo('localhost', 80)",
    "socket.socketpair()",
]
IMPORTS = "import asyncio, socket, urllib.request"


def outcome(folder: Path, code: str) -> str:
    """What pytest says of a test with that code, which catches every error."""
    file = folder / "test_one.py"
    file.write_text(f"{IMPORTS}\nimport subprocess, sys\n\ndef test_one():\n  try:\n    {code}\n  except BaseException:\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-c", str(TESTS.parent / "pyproject.toml")]
    return subprocess.run([*command, "-rE", str(file)], capture_output=True, text=True, cwd=TESTS).stdout


def test_each_attempt_is_refused_and_told(tmp_path: Path) -> None:
    codes = [*ATTEMPTS, *(f"subprocess.run([sys.executable, '-c', {f'{IMPORTS}; {code}'!r}])" for code in ATTEMPTS)]
    tried = "\n    except BaseException: pass\n    try: ".join(["pass", *codes])
    said = outcome(tmp_path, f"try: {tried}\n    except BaseException: pass")
    assert "1 error" in said, said
    for told in ATTEMPTS.values():
        assert said.count(f"the network was used: {told}") >= 2, f"{told} was missed here, or in a program that was started"


@pytest.mark.parametrize("code", HARMLESS)
def test_this_machine_may_be_turned_to(code: str) -> None:
    subprocess.run([sys.executable, "-c", f"{IMPORTS}\n{code}"], check=True)
