"""Haystack 2 for peers.py, which runs it in an environment of its own: `haystack_answers.py TASK`."""

import itertools

from haystack import Document, Pipeline
from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
from haystack.components.joiners import DocumentJoiner
from haystack.components.readers import ExtractiveReader
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from peer import run


class Haystack:
    """The best answer of the `ExtractiveReader`, in what is found by embeddings of title and text joined with BM25 by reciprocal rank, or,
    where the task is not hybrid, by embeddings of the text alone, as the components come.
    """

    def __init__(self, task: dict) -> None:
        self._store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        named = ["title"] if task["hybrid"] else []
        self._embedder = SentenceTransformersDocumentEmbedder(model=task["encoder"], progress_bar=False, meta_fields_to_embed=named)
        self._embedder.warm_up()
        self._pipeline = (hybrid if task["hybrid"] else dense)(self._store, task)
        self._hybrid = task["hybrid"]
        self._places = itertools.count()  # equal texts would have equal ids

    def index(self, passages: list) -> None:
        documents = [Document(content=one["text"], meta={"title": one["title"], "place": next(self._places)}) for one in passages]
        self._store.write_documents(self._embedder.run(documents=documents)["documents"])

    def ask(self, question: str) -> str:
        asked = {"embed": {"text": question}, "read": {"query": question}}
        found = self._pipeline.run(asked | ({"bm25": {"query": question}} if self._hybrid else {}))
        best = found["read"]["answers"][:1]
        return best[0].data or "" if best else ""


def dense(store: InMemoryDocumentStore, task: dict) -> Pipeline:
    pipeline = parts(store, task)
    pipeline.connect("dense", "read.documents")
    pipeline.warm_up()
    return pipeline


def hybrid(store: InMemoryDocumentStore, task: dict) -> Pipeline:
    pipeline = parts(store, task)
    pipeline.add_component("bm25", InMemoryBM25Retriever(store, top_k=task["passages"]))
    pipeline.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=task["passages"]))
    pipeline.connect("dense", "join")
    pipeline.connect("bm25", "join")
    pipeline.connect("join.documents", "read.documents")
    pipeline.warm_up()
    return pipeline


def parts(store: InMemoryDocumentStore, task: dict) -> Pipeline:
    """What both have; how passages reach the reader is left open."""
    pipeline = Pipeline()
    pipeline.add_component("embed", SentenceTransformersTextEmbedder(model=task["encoder"], progress_bar=False))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=task["passages"]))
    pipeline.add_component("read", ExtractiveReader(model=task["reader"], top_k=1, no_answer=False))
    pipeline.connect("embed.embedding", "dense.query_embedding")
    return pipeline


if __name__ == "__main__":
    run(Haystack, "haystack-ai")
