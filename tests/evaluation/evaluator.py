"""A program that evaluates a set, for tests to run beside another: python evaluator.py SET INDEX [wait]

With `wait`, it says "encoding" before the first text and goes on when it reads a line.
"""

from __future__ import annotations

import json
import sys

from fakes import FakeEncoder

from qa.config import Config
from qa.evaluation.load import load_dataset
from qa.evaluation.runs import evaluate


class WaitingEncoder(FakeEncoder):
    def encode_passages(self, texts):
        if not self.encoded:
            print("encoding", flush=True)
            sys.stdin.readline()
        return super().encode_passages(texts)


def main(path, index, wait=""):
    encoder = WaitingEncoder() if wait else FakeEncoder()
    config = Config().replace("index.path", index).replace("reader.model", "sentence")
    run = evaluate(load_dataset(path), config, encoder=encoder)
    print(json.dumps({"encoded": encoder.encoded, "result": run.result, "folder": str(run.folder)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
