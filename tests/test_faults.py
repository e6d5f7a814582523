"""bench/faults, some points of it: nothing is lost at any; and it notices when our saving is broken on purpose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"),
    pytest.mark.timeout(600),  # many processes, on a machine that may be busy
]


def faults(*options: str) -> dict[str, object]:
    command = [sys.executable, str(ROOT / "bench" / "faults"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.stdout, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == (found["tried"] != found["survived"])
    return found


def test_faults_at_some_steps_of_a_sync_and_of_a_repair_lose_nothing():
    found = faults("--only", "sync,salvage", "--most", "2")
    assert found["faults"] == []
    assert (found["tried"], found["survived"]) == (20, 20)


@pytest.mark.parametrize(("sabotage", "kind"), [("no-transaction", "kill"), ("in-place", "kill"), ("no-sync", "power")])
def test_saving_that_is_broken_on_purpose_is_noticed(sabotage, kind):
    found = faults("--only", "sync", "--kinds", kind, "--most", "8", "--sabotage", sabotage)
    assert found["faults"]


def test_flipped_bits_and_lost_files_are_noticed_or_harmless():
    found = faults("--damage", "--most", "1")
    assert found["faults"] == []
    assert found["tried"] == found["survived"] > 20
