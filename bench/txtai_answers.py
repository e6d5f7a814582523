"""txtai 9 for peers.py, which runs it in an environment of its own: `txtai_answers.py TASK`."""

from peer import run
from txtai import Embeddings
from txtai.pipeline import Questions


class Reader(Questions):
    """txtai's, but for a fault: it stops where the best span of a text is no words of it, as when a reader says "not in here"."""

    def answer(self, context, tokens, start, end):
        outside = any(tokens.token_to_sequence(int(place)) != 1 for place in (start, end))
        return None if outside else super().answer(context, tokens, start, end)


class Txtai:
    """Hybrid search, and `Questions`, which gives no scores: the first answer counts, in the order of retrieval."""

    def __init__(self, task: dict) -> None:
        self._embeddings = Embeddings(path=task["encoder"], hybrid=True, content=True, gpu=False)
        self._embeddings.batchtransform(["warm up"])
        self._reader = Reader(task["reader"], gpu=False)
        self._passages = task["passages"]
        self._indexed = 0

    def index(self, passages: list) -> None:
        rows = [(self._indexed + place, f"{one['title']}\n{one['text']}") for place, one in enumerate(passages)]
        (self._embeddings.upsert if self._indexed else self._embeddings.index)(rows)
        self._indexed += len(rows)

    def ask(self, question: str) -> str:
        texts = [row["text"] for row in self._embeddings.search(question, self._passages)]
        return next(filter(None, self._reader([question] * len(texts), texts)), "")


if __name__ == "__main__":
    run(Txtai, "txtai")
