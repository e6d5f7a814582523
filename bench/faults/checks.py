"""What must hold after a fault: first as the index was left, then after the same command has run again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faults.worlds import QUESTIONS, Scenario, World
from qa.check import check_index
from qa.encoder import Encoder
from qa.errors import MissingVectors, StoreError
from qa.feedback import Feedback
from qa.pipeline import Pipeline
from qa.store import Store

IGNORED = r"\.damaged-|-wal$|-shm$|-journal$|^writer\.json$|\.sha256$|^vectors-\w+-\w+\.safetensors$"  # files that may or may not be there

Answers = list[list[tuple[str, int, int, float]]]


class Fault(AssertionError):
    """What is wrong, in one line."""


@dataclass(frozen=True)
class State:
    """Everything that a user could tell two indexes apart by. `articles` is id -> (title, text), `files` the index folder's names."""

    articles: Mapping[str, tuple[str, str]]
    answers: Answers
    judgements: tuple[str, ...]
    files: frozenset[str]


@dataclass(frozen=True)
class Known:
    """What the index held before, and what it must hold in the end."""

    before: Mapping[str, tuple[str, str]]
    after: State


def check(world: World, scenario: Scenario, known: Known, committed: str | None) -> None:
    """Fault when something is lost, torn, left over, or different from a clean build. `committed` is what was acknowledged last."""
    if not scenario.damaged:
        check_as_it_is(world, scenario, known, committed)
    scenario.act(world)
    faults = check_index(world.index, encoder_of(world, scenario))
    if faults:
        raise Fault(f"after the next run: {faults[0].what}")
    after = state(world, scenario)
    for name in ("articles", "answers", "judgements", "files"):
        if getattr(after, name) != getattr(known.after, name):
            raise Fault(f"after the next run, {name} differ: {getattr(after, name)} and not {getattr(known.after, name)}")


def check_as_it_is(world: World, scenario: Scenario, known: Known, committed: str | None) -> None:
    found = articles(world.index)
    after = known.after.articles
    for name in known.before.keys() | found.keys() | after.keys():
        if found.get(name) not in (known.before.get(name), after.get(name)):
            raise Fault(f"article {name} is {'lost' if name not in found else 'torn'}")
    if committed is not None:
        check_committed(world.index, committed)
    Feedback(world.index).judgements()
    if not found:
        return
    faults = [fault for fault in check_index(world.index) if fault.part != "faiss"]  # that is made anew by itself
    if faults:
        raise Fault(f"as it was left: {faults[0].what}")
    pipeline = Pipeline(world.config, encoder=world.first)
    try:
        hits = [hit for question in QUESTIONS for hit in pipeline.search(question)]
    except MissingVectors as error:
        if scenario.may_lack:
            return
        raise Fault(f"a committed passage has no vector: {error}") from error
    if not hits or any(found[hit.passage.article_id][1][hit.passage.start : hit.passage.end] != hit.passage.text for hit in hits):
        raise Fault("a hit is not what its article says")


def check_committed(index: Path, committed: str) -> None:
    """`committed` is "STORE GENERATION"."""
    name, generation = committed.split()
    try:
        with Store.open(index) as store:
            found = store.identity
    except StoreError as error:
        raise Fault(f"what was committed is gone: {error}") from error
    if found[0] == name and found[1] < int(generation):
        raise Fault(f"committed work is lost: generation {generation} was acknowledged, {found[1]} is there")


def articles(index: Path) -> dict[str, tuple[str, str]]:
    """id -> (title, text); {} where there is no index yet."""
    try:
        with Store.open(index) as store, store.snapshot():
            found = [store.article(summary.id) for summary in store.summaries()]
    except StoreError as error:
        if "no index in" in str(error):
            return {}
        raise
    return {article.id: (article.title, article.text) for article in found if article}


def state(world: World, scenario: Scenario) -> State:
    judgements = tuple(judgement.verdict for judgement in Feedback(world.index).judgements())
    files = frozenset(path.name for path in world.index.iterdir() if not re.search(IGNORED, path.name))
    return State(articles(world.index), answers(world, encoder_of(world, scenario)), judgements, files)


def answers(world: World, encoder: Encoder) -> Answers:
    """Where each question's hits stand and their scores, and what is answered with which words."""
    pipeline = Pipeline(world.config, encoder=encoder)
    found = []
    for question in QUESTIONS:
        response = pipeline.ask(question)
        cited = [(f"{c.article_id}: {c.quote}", c.start, c.end, 0.0) for c in response.citations]
        hits = [(hit.passage.article_id, hit.passage.start, hit.passage.end, round(hit.score, 4)) for hit in response.hits]
        found.append(sorted(hits) + sorted(cited))
    return found


def encoder_of(world: World, scenario: Scenario) -> Encoder:
    return world.second if scenario.second else world.first
