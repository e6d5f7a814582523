"""The side of peers.py that runs in another system's environment: a process that indexes and answers what it reads, a line at a time."""

import json
import os
import sys
import time
from importlib import metadata
from pathlib import Path


def run(system, distribution: str) -> None:
    """`system(task)` loads the models and has `index(documents)` and `ask(question)`; peers.py has the form of all three."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    peer = system(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    print(json.dumps(metadata.version(distribution)), file=replies, flush=True)
    for line in sys.stdin:
        name, given = json.loads(line)
        began = time.perf_counter()
        answer = getattr(peer, name)(given)
        print(json.dumps((answer, time.perf_counter() - began)), file=replies, flush=True)
