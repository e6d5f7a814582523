"""bench/crowd.py and bench/soak.py, small: many at once, and for long."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

import pytest
from fakes import FakeEncoder, article

from qa.datatypes import Citation, Hit, Passage, Response
from qa.indexer import index_articles, remove_articles
from qa.pipeline import Pipeline

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _benches(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))


def test_two_indexers_six_askers_and_a_swap_of_encoders_at_once(config):
    import crowd

    found = crowd.run(config, rounds=4, askers=6)
    assert (found["wrong"], found["failures"], found["lost"]) == ({}, [], [])
    assert found["responses"] >= 6


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_questions_while_articles_come_and_go_leave_no_handles_and_no_memory(config):
    import os

    import soak

    pipeline = Pipeline(config, encoder=FakeEncoder())
    index_articles(
        config, [article(f"a{n}", f"The ship number {n} sailed. It came back in spring.") for n in range(8)], encoder=FakeEncoder()
    )

    def round_of(number: int) -> None:
        index_articles(config, [article("new", f"The train number {number} left. Nobody saw it.")], encoder=FakeEncoder())
        asking = [threading.Thread(target=pipeline.ask, args=("Which train left?",)) for _ in range(4)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        remove_articles(config, ["new"])

    samples = []
    for number in range(24):
        round_of(number)
        gc.collect()
        samples.append(soak.sample(os.getpid(), number))
    assert samples[-1].handles <= samples[8].handles
    assert samples[-1].memory_mib < samples[8].memory_mib + 30


def test_the_soak_s_rule_tells_growth_from_noise():
    import soak

    flat = [soak.Sample(n, 500 + n % 3, 40 + n % 2, 20, 0.3) for n in range(50)]
    assert all(verdict["flat"] for verdict in soak.judged(flat).values())
    growing = [soak.Sample(n, 500 + 4.0 * n, 40 + n, 20, 0.3 + n / 20) for n in range(50)]
    assert [name for name, verdict in soak.judged(growing).items() if not verdict["flat"]] == ["memory_mib", "handles", "p50_seconds"]


def test_an_asker_notices_two_editions_in_one_response_and_a_quote_that_is_no_slice():
    import crowd

    def hit(edition: int) -> Hit:
        passage = Passage(f"a{edition}", 0, 40, f"Edition {edition} of Ann tells of the whale.", "")
        return Hit(passage, 1.0, 1.0, 0.0, 1, None)

    citation = Citation(1, "a1", "", "", 0, 7, "Whales.", "Sharks swim.", 0, 1.0)
    response = Response("q", "q", None, citations=(citation,), hits=(hit(1), hit(2)))
    told = crowd.faults_of(response, ["Ann", "Bob"])
    assert told[0] == "a quote is no slice of its article" and told[1].startswith("two editions in one response")
    assert crowd.faults_of(Response("q", "q", None, hits=(hit(1), hit(1))), ["Ann"]) == []
