"""A Ray cluster of three nodes on this machine loses one while it indexes: is the index the one that a single machine makes?

    python bench/cluster.py [--articles 2000] [--results FILE]

Made-up articles (bench/corpus.py) are indexed by this process alone, by the cluster, by the cluster while a node is killed in the
middle, and by the cluster while its head is killed, which ends the run; the next one, without a cluster, goes on. Every row of the
stores is compared. All nodes share the cores of this machine, so the times tell what a cluster costs, not what it gains. Everything
listens on loopback. Figures go to bench/results/cluster.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "cluster.json"
NODES = 3  # the first is the head
SENTENCES = 3  # of an article
TRIES = 6  # to start a node
KINDS = ("alone", "cluster", "node killed", "head killed")
TABLES = {"articles": "SELECT * FROM articles", "passages": "SELECT * FROM passages", "files": "SELECT * FROM files"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--run", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options.run[0], Path(options.run[1]))))
        return
    from machine import described

    from qa.encoder import load_encoder

    load_encoder(config_of(Path(), "alone").embedding).encode_passages(["exports the model, once"])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder / "articles", options.articles)
        rows = {kind: in_a_process(kind, folder) for kind in KINDS}
        for kind in KINDS[1:]:
            rows[kind] |= compared(folder, kind)
    report = {"machine": described(), "nodes": NODES, "articles": options.articles, "runs": rows}
    options.results.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def write(folder: Path, count: int) -> None:
    from corpus import Corpus

    corpus = Corpus()
    folder.mkdir()
    for number in range(count):
        title, _ = corpus.paragraphs(number)
        _, paragraphs = corpus.paragraphs(number if number % 50 else number // 2)  # copies, too
        said = ". ".join(paragraphs[0].split(". ")[:SENTENCES])
        (folder / f"{number:06}.txt").write_text(f"{title}\n\n{said}.\n", encoding="utf-8")


def in_a_process(kind: str, folder: Path) -> dict[str, Any]:
    """One process a run: Ray does not forget a cluster that it was in."""
    command = [sys.executable, __file__, "--run", kind, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(kind, found, file=sys.stderr)
    return found


def run(kind: str, folder: Path) -> dict[str, Any]:
    from qa.errors import ClusterError
    from qa.indexer import index_paths

    config = config_of(folder, kind)
    if kind == "alone":
        return told(index_paths(config, [folder / "articles"]))
    with cluster(NODES) as nodes:
        victim = {"cluster": None, "node killed": nodes.list_all_nodes()[-1], "head killed": nodes.head_node}[kind]

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal victim
            if victim and stage == "reading" and done > total / 2:
                victim, dying = None, victim
                dying.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)

        began = time.monotonic()
        try:
            report = index_paths(config.replace("index.ray_address", nodes.address), [folder / "articles"], progress=progress, engine="ray")
            return told(report)
        except ClusterError as error:
            stopped = {"said": str(error), "seconds until it was said": round(time.monotonic() - began, 1)}
        return {**stopped, "the next run": told(index_paths(config, [folder / "articles"]))}


def told(report: Any) -> dict[str, Any]:
    return {
        "seconds": round(report.seconds, 1),
        "added": len(report.added),
        "added twice": len(report.added) - len({*report.added}),
        "unchanged": report.unchanged,
        "refused": len(report.refused),
        "passages": report.passages,
        "encoded": report.encoded,
    }


def compared(folder: Path, kind: str) -> dict[str, Any]:
    """Rows of a store that the one made alone lacks, and the other way round; vectors by how far they are apart."""
    one, other = ({name: rows_of(folder, each, select) for name, select in TABLES.items()} for each in ("alone", kind))
    missing = {name: len(one[name] - other[name]) for name in TABLES}
    more = {name: len(other[name] - one[name]) for name in TABLES}
    (keys, rows), (other_keys, other_rows) = vectors(folder, "alone"), vectors(folder, kind)
    apart = float(1 - (rows * other_rows).sum(axis=1).min()) if keys == other_keys else None
    return {"rows missing": missing, "rows too many": more, "vectors": len(other_keys), "vectors apart by at most": apart}


def rows_of(folder: Path, kind: str, select: str) -> set[tuple[Any, ...]]:
    return set(_database(folder, kind).execute(select))


def vectors(folder: Path, kind: str) -> tuple[list[Any], Any]:
    """(article, key) in order, and their vectors, of length 1."""
    found = list(_database(folder, kind).execute("SELECT article, key, vector FROM vectors ORDER BY article, key"))
    rows = np.stack([np.frombuffer(row, "<f2") for _, _, row in found]).astype(np.float32)
    return [row[:2] for row in found], rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _database(folder: Path, kind: str) -> sqlite3.Connection:
    from qa.database import FILE

    return sqlite3.connect(config_of(folder, kind).index.path / FILE)


def config_of(folder: Path, kind: str) -> Any:
    from qa.config import Config

    return Config().replace("index.path", folder / kind.replace(" ", "-"))


@contextmanager
def cluster(count: int) -> Iterator[Any]:
    """Nodes of one processor each."""
    from qa.ray.cluster import OWN_SETTINGS, SETTINGS

    os.environ.update({**SETTINGS, **OWN_SETTINGS, "RAY_AUTH_TOKEN": "6" * 64})
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    from ray.cluster_utils import Cluster

    taken = socket.create_server(("127.0.0.1", 0))  # as in qa/ray/cluster.py
    nodes = Cluster()
    try:
        add(nodes, include_dashboard=False, dashboard_host="127.0.0.1", dashboard_port=taken.getsockname()[1])
        for _ in range(count - 1):
            add(nodes)
        yield nodes
    finally:
        for node in nodes.list_all_nodes():
            node.kill_all_processes(check_alive=False, allow_graceful=False)


def add(nodes: Any, **arguments: Any) -> None:
    """Ray gives a node 15 seconds to start, which on a busy machine is not enough."""
    for tries_left in reversed(range(TRIES)):
        try:
            nodes.add_node(num_cpus=1, node_ip_address="127.0.0.1", object_store_memory=100 << 20, **arguments)
            return
        except Exception:  # it has none of its own
            if not tries_left:
                raise


if __name__ == "__main__":
    main()
