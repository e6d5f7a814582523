"""The training files, their shares, and the endless stream of examples that is drawn from them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from training.examples import Negatives, Question, Written, endless, placed
from training.features import Feature, Featurizer


@dataclass(frozen=True, slots=True)
class Source:
    """A file and how it is used: shares of the examples in the first phase and later, longest input in tokens, negatives by kind.

    `titled`: its titles say what an article is about.
    """

    file: str
    mixed: float
    wiki: float
    max_length: int
    negatives: dict[str, float]
    one_pool: bool = False
    titled: bool = False


@dataclass(frozen=True, slots=True)
class Mix:
    """How examples are drawn: from Wikipedia mostly or from all files, with titles or without.

    `written`: files of written questions. `unanswered` and `answered` are the shares that these make of the examples of a source on whose
    paragraphs they are.
    """

    wiki: bool = True
    titled: bool = False
    negatives: Mapping[str, float] = field(default_factory=dict)  # shares of the examples, over each source's own
    written: tuple[str, ...] = ()
    unanswered: float = 0.0
    answered: float = 0.0


WIKI_NEGATIVES = {"mined": 0.13, "removed": 0.05, "changed": 0.17}
OTHER_NEGATIVES = {"mined": 0.15, "removed": 0.04, "changed": 0.06}
SOURCES = (
    Source("squad1_part", 0.28, 0.60, 272, WIKI_NEGATIVES, titled=True),
    Source("squad_sample", 0.09, 0.20, 272, WIKI_NEGATIVES, one_pool=True),
    Source("qed_natural_questions", 0.03, 0.05, 224, OTHER_NEGATIVES, one_pool=True, titled=True),
    Source("qamr_wiki", 0.34, 0.09, 160, OTHER_NEGATIVES),
    Source("amazon_reviews", 0.13, 0.03, 208, OTHER_NEGATIVES, one_pool=True),
    Source("reddit", 0.13, 0.03, 208, OTHER_NEGATIVES, one_pool=True),
)
UNTITLED = 0.25  # share of the examples that go without, where there are titles


def stream(
    mix: Mix, data: Mapping[str, list[Question]], written: Mapping[str, list[Written]], featurizer: Featurizer, rng: random.Random
) -> Iterator[Feature]:
    """Endless examples: the source drawn by share, then positive, negative of a kind or written question by share."""
    positives = {source.file: endless(data[source.file], rng) for source in SOURCES}
    negatives = {source.file: Negatives(data[source.file]) for source in SOURCES}
    asked = {source.file: _by_kind(placed(data[source.file], [w for file in mix.written for w in written[file]])) for source in SOURCES}
    shares = [source.wiki if mix.wiki else source.mixed for source in SOURCES]
    while True:
        (source,) = rng.choices(SOURCES, shares)
        question: Question | None = next(positives[source.file])
        kinds = {**source.negatives, **mix.negatives, "unanswered": mix.unanswered, "answered": mix.answered}
        (kind,) = rng.choices(["positive", *kinds], [1 - sum(kinds.values()), *kinds.values()])
        if kind in asked[source.file]:
            among = asked[source.file][kind]
            question = rng.choice(among) if among else None
        elif kind != "positive" and question is not None:
            question = negatives[source.file].make(question, kind, rng)
        if question is None:
            continue
        title = negatives[source.file].headline(question, rng) if mix.titled and rng.random() > UNTITLED else ""
        feature = featurizer(question, source.max_length, rng, title)
        if feature is not None:
            yield feature


def _by_kind(written: Sequence[Question]) -> dict[str, list[Question]]:
    return {"unanswered": [q for q in written if not q.spans], "answered": [q for q in written if q.spans]}
