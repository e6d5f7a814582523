"""Answers questions with txtai 9; run by peers.py in txtai's own environment: `txtai_answers.py TASK FOUND`."""

import json
import sys
import time
from importlib import metadata
from pathlib import Path

from txtai import Embeddings
from txtai.pipeline import Questions


class Reader(Questions):
    """txtai's, but for a fault: it stops where the best span of a text is no words of it, as when a reader says "not in here"."""

    def answer(self, context, tokens, start, end):
        outside = any(tokens.token_to_sequence(int(place)) != 1 for place in (start, end))
        return None if outside else super().answer(context, tokens, start, end)


def main(task_file: Path, found_file: Path) -> None:
    task = json.loads(task_file.read_text(encoding="utf-8"))
    embeddings = Embeddings(path=task["encoder"], hybrid=True, content=True, gpu=False)
    embeddings.batchtransform(["warm up"])
    began = time.perf_counter()
    embeddings.index(f"{document['title']}\n{document['text']}" for document in task["documents"])
    rate = len(task["documents"]) / (time.perf_counter() - began)
    reader = Reader(task["reader"], gpu=False)
    answers, seconds = [], []
    for question in ["warm up", *task["questions"]]:
        began = time.perf_counter()
        texts = [row["text"] for row in embeddings.search(question, task["passages"])]
        found = filter(None, reader([question] * len(texts), texts))  # without scores: the first, in the order of retrieval, counts
        answers.append(next(found, ""))
        seconds.append(time.perf_counter() - began)
    report = {"version": metadata.version("txtai"), "answers": answers[1:], "seconds": seconds[1:], "passages_per_second": rate}
    found_file.write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
