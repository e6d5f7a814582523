"""A made-up corpus of any size: articles, questions and vectors as they might be, made by rule, the same ones every time.

Words fall off as Zipf says: function words, then a vocabulary of 200,000 words of syllables, many of them inflected. An article
has a topic, whose words it repeats, and names of its own; each paragraph is a passage. A question takes most of its words from one
passage, common ones as often as they are common.

A text's vector is the mean of its words' vectors, rare ones counting more (Arora, Liang & Ma 2017). Words of a topic are alike, so that
passages cluster, and dimensions differ in variance as those of sentence embeddings do. So a question is near its passage, but not at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qa.datatypes import Article
from qa.words import STOP_WORDS

COMMON = """the of and in to a was is for as on with by he that at from it his an were are which be this had has or one their
also but not first its who they have been her new other she when two into all more after most time some years during there year
city state world war people known part made many used century government three such between under name later national became
system states number family group called early high several country general place work second university""".split()
TOPIC_WORDS = 300
NAMES = 12  # of an article
PASSAGES = 20  # of an article
SHARES = (0.42, 0.38, 0.15, 0.05)  # of function words, all others, the topic's, the article's names
DIMENSION = 384
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Shape:
    """What sets one corpus apart from another. `fall` is Zipf's exponent, `words` are those of a passage, on average."""

    seed: int = 7
    vocabulary: int = 200_000
    fall: float = 1.0
    topics: int = 2_000
    words: int = 110


SHAPES = {"usual": Shape(), "other": Shape(seed=23, vocabulary=60_000, fall=1.1, topics=300, words=150)}


@dataclass(frozen=True)
class Question:
    text: str
    article: int
    passage: int


class Corpus:
    """Article by number: each is made by itself, so that a corpus of any size begins with those of a smaller one."""

    def __init__(self, shape: Shape = SHAPES["usual"]) -> None:
        self._shape = shape
        self._seed = shape.seed
        chance = np.random.default_rng(shape.seed)
        functional = [word for word in COMMON if word in STOP_WORDS]
        self.functional = functional + sorted(STOP_WORDS - set(functional))
        self.words = _words(chance, shape.vocabulary)
        self._functional_steps = _steps(len(self.functional), 2)
        self._steps = _steps(shape.vocabulary, 30, shape.fall)
        self._topic_steps = _steps(TOPIC_WORDS, 5)
        self._topics = np.stack([chance.choice(shape.vocabulary - 500, TOPIC_WORDS, replace=False) + 500 for _ in range(shape.topics)])

    def article(self, number: int) -> Article:
        title, paragraphs = self.paragraphs(number)
        text = "\n\n".join(paragraphs)
        day = date.fromordinal(date(2000, 1, 1).toordinal() + number % 9000)
        source = f"paper{number % 40}.example"
        return Article(f"article-{number}", title, text, source, f"{self._seed}-{number}", author=f"Author {number % 500}", published=day)

    def paragraphs(self, number: int) -> tuple[str, list[str]]:
        """The title, and the text of each passage."""
        chance = self._chance(number)
        topic = self._topics[int(chance.integers(len(self._topics)))]
        names = chance.integers(len(self.words) // 10, len(self.words), NAMES)
        title = " ".join(self.words[word].capitalize() for word in [names[0], topic[int(chance.integers(30))]])
        return title, [self._paragraph(chance, topic, names) for _ in range(PASSAGES)]

    def question(self, number: int, articles: int) -> Question:
        """About one of the first `articles`."""
        chance = np.random.default_rng([self._seed, 1, number])
        article, passage = int(chance.integers(articles)), int(chance.integers(PASSAGES))
        said = [word for word in WORD.findall(self.paragraphs(article)[1][passage].lower()) if word not in STOP_WORDS]
        asked = list(chance.choice(said, int(chance.integers(3, 8))))
        others = self.words[_drawn(chance, self._steps, 1)[0]], self.words[_drawn(chance, self._steps, 1)[0]]
        asked += others[: int(chance.integers(0, 3))]
        filler = [self.functional[word] for word in _drawn(chance, self._functional_steps, 4)]
        words = [str(word) for word in chance.permutation(asked + filler)]
        return Question(f"What {' '.join(words)}?", article, passage)

    def _paragraph(self, chance: np.random.Generator, topic: NDArray[np.int64], names: NDArray[np.int64]) -> str:
        count = int(chance.integers(self._shape.words - 30, self._shape.words + 31))
        kinds = chance.choice(4, count, p=SHARES)
        general, topical = _drawn(chance, self._steps, count), topic[_drawn(chance, self._topic_steps, count)]
        functional, own = _drawn(chance, self._functional_steps, count), names[chance.integers(0, NAMES, count)]
        chosen = np.choose(kinds, [functional, general, topical, own])
        words = [self.functional[word] if kind == 0 else self.words[word] for kind, word in zip(kinds, chosen, strict=True)]
        edges = [0, *range(18, count - 8, 20), count]
        return " ".join(f"{' '.join(words[first:last]).capitalize()}." for first, last in zip(edges, edges[1:]))

    def _chance(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, 0, number])

    @cached_property
    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """word -> its vector, (dim,), weighted by how rare it is."""
        chance = np.random.default_rng([self._seed, 2])
        spread = (1 + np.arange(DIMENSION)) ** -0.35
        of_topics = chance.standard_normal((len(self._topics), DIMENSION), np.float32)
        rows = chance.standard_normal((len(self.words), DIMENSION), np.float32)
        for topic, words in enumerate(self._topics):
            rows[words] = 0.7 * rows[words] + 0.7 * of_topics[topic]
        likely = np.diff(self._steps, prepend=0)
        rows *= (spread * 1e-4 / (1e-4 + likely[:, None])).astype(np.float32)
        return dict(zip(self.words, rows.astype(np.float32), strict=True))


class MadeUpEncoder:
    """Vectors by the rule above; tokens are words and marks."""

    name = "made-up"
    fingerprint = "madeup"
    max_tokens = 512

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_questions(texts)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        known, nothing = self._corpus.vectors, np.full((1, DIMENSION), 1e-3, np.float32)
        rows = [np.sum([known[word] for word in WORD.findall(text.lower()) if word in known] or nothing, axis=0) for text in texts]
        found = np.stack(rows)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def _words(chance: np.random.Generator, count: int) -> list[str]:
    """Real ones first, then made of syllables; every third is an inflection of an earlier one."""
    starts = "b b br c c ch cr d d f fl g gr h j k l l m m n n p p pr r r s s sh st t t th tr v w".split()
    vowels = "a a a a e e e e i i i o o o u u ai ea ou".split()
    ends = ["", "", "", "", "", *"n n r r l s t t nd st m ck x".split()]
    inflections = "s s ed ing er al ly ation".split()
    found = dict.fromkeys(word for word in COMMON if word not in STOP_WORDS)
    stems: list[str] = list(found)
    while len(found) < count:
        if stems and chance.random() < 0.35:
            word = stems[int(chance.integers(len(stems)))] + inflections[int(chance.integers(len(inflections)))]
        else:
            syllables = [(starts, vowels, ends)] * int(chance.integers(1, 4))
            word = "".join(pieces[int(chance.integers(len(pieces)))] for syllable in syllables for pieces in syllable)
            stems.append(word)
        if word not in STOP_WORDS:
            found[word] = None
    return list(found)


def _steps(size: int, offset: float, fall: float = 1.0) -> NDArray[np.float64]:
    """Cumulative shares of ranks 1 to `size`, falling as Zipf-Mandelbrot says."""
    steps = np.cumsum((np.arange(size) + offset) ** -fall)
    return steps / steps[-1]


def _drawn(chance: np.random.Generator, steps: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    return np.searchsorted(steps, chance.random(count)).clip(max=len(steps) - 1)
