"""Answers questions with Haystack 2; run by peers.py in Haystack's own environment: `haystack_answers.py TASK FOUND`."""

import json
import sys
import time
from importlib import metadata
from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
from haystack.components.joiners import DocumentJoiner
from haystack.components.readers import ExtractiveReader
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore


def main(task_file: Path, found_file: Path) -> None:
    task = json.loads(task_file.read_text(encoding="utf-8"))
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    embedder = SentenceTransformersDocumentEmbedder(model=task["encoder"], progress_bar=False, meta_fields_to_embed=["title"])
    embedder.warm_up()
    embedder.run(documents=[Document(content="warm up")])
    began = time.perf_counter()
    documents = [Document(content=one["text"], meta={"title": one["title"], "place": place}) for place, one in enumerate(task["documents"])]
    store.write_documents(embedder.run(documents=documents)["documents"])
    rate = len(task["documents"]) / (time.perf_counter() - began)
    pipeline = hybrid(store, task)
    answers, seconds = [], []
    for question in ["warm up", *task["questions"]]:
        began = time.perf_counter()
        found = pipeline.run({"embed": {"text": question}, "bm25": {"query": question}, "read": {"query": question}})
        seconds.append(time.perf_counter() - began)
        best = found["read"]["answers"][:1]
        answers.append(best[0].data or "" if best else "")
    report = {"version": metadata.version("haystack-ai"), "answers": answers[1:], "seconds": seconds[1:], "passages_per_second": rate}
    found_file.write_text(json.dumps(report), encoding="utf-8")


def hybrid(store: InMemoryDocumentStore, task: dict) -> Pipeline:
    k = task["passages"]
    pipeline = Pipeline()
    pipeline.add_component("embed", SentenceTransformersTextEmbedder(model=task["encoder"], progress_bar=False))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=k))
    pipeline.add_component("bm25", InMemoryBM25Retriever(store, top_k=k))
    pipeline.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=k))
    pipeline.add_component("read", ExtractiveReader(model=task["reader"], top_k=1, no_answer=False))
    pipeline.connect("embed.embedding", "dense.query_embedding")
    pipeline.connect("dense", "join")
    pipeline.connect("bm25", "join")
    pipeline.connect("join.documents", "read.documents")
    pipeline.warm_up()
    return pipeline


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
