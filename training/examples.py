"""Training examples from question sets in SQuAD's JSON form: positives, and negatives whose answer is the null span.

Every draw comes from the `random.Random` that is handed in, so a seed fixes the whole stream of batches.
Four kinds of negative are made, each for a mistake that a reader makes otherwise:
  mined     a paragraph of the same article that shares words with the question but lacks the answer
  removed   the paragraph without the sentence that holds the answer
  changed   the question with a name, a number or a common word swapped, or negated (SQuAD 2.0's unanswerable questions)
  reworded  the question with one of its words swapped for another of the same ending that the paragraph uses elsewhere

More questions, with and without an answer, were written on the same paragraphs for this project: `read_written`.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

WORD = re.compile(r"\w+")
NAME = re.compile(r"\b[A-Z][\w’'-]*(?:\s+(?:of\s+)?[A-Z][\w’'-]*)*")
NUMBER = re.compile(r"\b\d[\d,.]*\b")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
AUXILIARY = re.compile(r"\b(did|does|do|is|are|was|were|can|could|has|have|had|will|would|should)\b", re.IGNORECASE)
OPPOSITES = (
    "first last|before after|north south|northern southern|east west|eastern western|most least|"
    "largest smallest|biggest smallest|higher lower|highest lowest|more less|more fewer|born died|"
    "won lost|win lose|begin end|began ended|started stopped|oldest youngest|older younger|"
    "early late|earlier later|best worst|always never|include exclude|included excluded|"
    "allowed forbidden|inside outside|top bottom|above below|male female|men women|man woman|"
    "increase decrease|increased decreased|gained lost|accepted rejected|supported opposed|"
    "support oppose|strong weak|import export|maximum minimum|public private|old new|"
    "ancient modern|common rare|major minor|left right|large small|long short|rich poor|war peace|"
    "success failure|good bad|positive negative|upper lower|longest shortest|popular unpopular|"
    "known unknown|agreed disagreed|built destroyed|founded dissolved|joined left|arrived departed|"
    "king queen|husband wife|father mother|son daughter|internal external|direct indirect|"
    "legal illegal|majority minority|similar different|high low|hot cold|easy difficult|full empty|"
    "close distant|fast slow|faster slower|rise fall"
)
ENDINGS = ("tion", "sion", "ment", "ness", "ity", "ing", "est", "ous", "ive", "ed", "ly", "er", "al", "s")
COMMON = frozenset(
    "what which when where whom whose that this these those there then than with from into about after before their they "
    "them have been were does will would could should more most many much some such also only other over under between "
    "during through because while each both same very being under name called known used part type kind thing person "
    "people year years time the his her its was and for are but not one two three first new".split()
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a paragraph. `spans` are the distinct gold spans, characters, half-open; none: not answerable.

    `title` is the article's, "" where the file has none that means anything.
    """

    id: str
    question: str
    context: str
    article: str
    spans: tuple[tuple[int, int], ...]
    answers: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A question on the paragraph of question `first`, and its answer's characters there, half-open; None: not answered."""

    first: str
    question: str
    span: tuple[int, int] | None


def read_squad(path: Path, one_pool: bool = False, titled: bool = True) -> list[Question]:
    """Every question of a SQuAD file. `one_pool`: its paragraphs are unrelated and count as one article; `titled`: its titles
    say what an article is about."""
    questions = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = path.stem if one_pool else f"{path.stem}/{article['title']}"
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                # The span that most annotators chose comes first.
                votes = Counter((a["answer_start"], a["answer_start"] + len(a["text"])) for a in qa["answers"])
                spans = tuple(span for span, _ in votes.most_common())
                context = paragraph["context"]
                answers = tuple(dict.fromkeys(context[s:e] for s, e in spans))
                heading = article["title"].replace("_", " ") if titled else _topic(context)
                questions.append(Question(str(qa["id"]), qa["question"].strip(), context, title, spans, answers, heading))
    return questions


def read_written(path: Path) -> list[Written]:
    """A line: the id of the first question on a paragraph, the question, and where it is answered there: start and end, by tabs."""
    written = []
    for line in path.read_text(encoding="utf-8").splitlines():
        first, question, *span = line.split("\t")
        written.append(Written(first, question, (int(span[0]), int(span[1])) if span else None))
    return written


def placed(questions: Sequence[Question], written: Sequence[Written]) -> list[Question]:
    """Those that are on paragraphs of `questions`, in the order of the paragraphs."""
    by_paragraph = defaultdict(list)
    for asked in written:
        by_paragraph[asked.first].append(asked)
    found = []
    for first in questions:
        for asked in by_paragraph.get(first.id, ()):
            spans = (asked.span,) if asked.span else ()
            answers = tuple(first.context[start:end] for start, end in spans)
            found.append(replace(first, question=asked.question, spans=spans, answers=answers))
    return found


class Negatives:
    """Makes questions without an answer out of the questions of one file."""

    def __init__(self, questions: Sequence[Question], pool: int = 60) -> None:
        self._paragraphs: dict[str, list[str]] = defaultdict(list)
        for question in questions:
            self._paragraphs[question.article].append(question.context)
        self._paragraphs = {article: list(dict.fromkeys(texts)) for article, texts in self._paragraphs.items()}
        self._words = {text: _words(text) for texts in self._paragraphs.values() for text in texts}
        frequency = Counter(word for words in self._words.values() for word in words)
        self._idf = {word: math.log(1 + len(self._words) / n) for word, n in frequency.items()}
        self._pool = pool
        self._opposites: dict[str, list[str]] = defaultdict(list)
        for pair in OPPOSITES.split("|"):
            one, other = pair.split()
            self._opposites[one].append(other)
            self._opposites[other].append(one)

    def make(self, question: Question, kind: str, rng: random.Random) -> Question | None:
        """A negative of this kind, or None where the question offers no way to make one."""
        ways = {"mined": self._mined, "removed": _removed, "changed": self._changed, "reworded": self._reworded}
        return ways[kind](question, rng)

    def headline(self, question: Question, rng: random.Random) -> str:
        """The title, now and then with words of another paragraph behind it, as news headlines are longer than a name."""
        if not question.title or rng.random() < 0.7:
            return question.title
        words = rng.choice(self._paragraphs[question.article]).split()
        return f"{question.title}: {' '.join(words[: rng.randint(4, 9)])}"

    def _reworded(self, question: Question, rng: random.Random) -> Question | None:
        """What SQuAD 2.0's annotators did most: asking something near by that the paragraph does not say."""
        said = {m.group().lower() for m in WORD.finditer(question.context)}
        asked = [m for m in WORD.finditer(question.question) if _is_content(m.group())]
        asked = [m for m in asked if m.group() in said] or asked
        if not asked:
            return None
        word = rng.choice(asked)
        near = " ".join(question.context[max(0, s - 60) : e + 60] for s, e in question.spans).lower()
        source = question.context if rng.random() < 0.7 else rng.choice(self._paragraphs[question.article])
        others = [other for other in WORD.findall(source) if _is_content(other) and _ending(other) == _ending(word.group())]
        others = [other for other in others if other[:5] not in question.question.lower() and other[:5] not in near]
        return _unanswerable(question, _replaced(question.question, word, rng.choice(others)), question.context) if others else None

    def _mined(self, question: Question, rng: random.Random) -> Question | None:
        others = [text for text in self._paragraphs[question.article] if text != question.context]
        if len(others) > self._pool:
            others = rng.sample(others, self._pool)
        others = [text for text in others if not any(answer.lower() in text.lower() for answer in question.answers)]
        if not others:
            return None
        asked = _words(question.question)
        score = {text: sum(self._idf[word] for word in asked & self._words[text]) for text in others}
        best = sorted(others, key=lambda text: -score[text])[:3]
        return _unanswerable(question, question.question, rng.choice(best))

    def _changed(self, question: Question, rng: random.Random) -> Question | None:
        ways = [self._other_name, self._other_number, self._opposite_word]
        rng.shuffle(ways)
        # Nearly every question can be negated: mostly the last resort, or it would crowd out the others.
        ways.insert(0 if rng.random() < 0.15 else len(ways), _negated)
        for way in ways:
            changed = way(question, rng)
            if changed is not None and changed != question.question:
                return _unanswerable(question, changed, question.context)
        return None

    def _other_name(self, question: Question, rng: random.Random) -> str | None:
        start_of_rest = question.question.find(" ") + 1
        names = [m for m in NAME.finditer(question.question, start_of_rest) if len(m.group()) > 2]
        if not names:
            return None
        name = rng.choice(names)
        source = question.context
        if rng.random() < 0.5:
            source = rng.choice(self._paragraphs[question.article])
        taken = set(WORD.findall(" ".join((question.question, *question.answers)).lower()))
        candidates = [m.group() for m in NAME.finditer(source) if m.start() > 0 and source[m.start() - 2] not in ".!?"]
        candidates = [c for c in candidates if len(c) > 2 and not taken & set(WORD.findall(c.lower()))]
        return _replaced(question.question, name, rng.choice(candidates)) if candidates else None

    def _other_number(self, question: Question, rng: random.Random) -> str | None:
        numbers = list(NUMBER.finditer(question.question))
        if not numbers:
            return None
        number = rng.choice(numbers)
        digits = number.group().strip(".,")
        same_length = [n.strip(".,") for n in NUMBER.findall(question.context)]
        same_length = [n for n in same_length if len(n) == len(digits) and n != digits]
        if same_length and rng.random() < 0.5:
            return _replaced(question.question, number, rng.choice(same_length))
        if not digits.isdigit():
            return None
        step = rng.choice([-30, -20, -10, -3, -2, -1, 1, 2, 3, 10, 20, 30])
        return _replaced(question.question, number, str(abs(int(digits) + step)))

    def _opposite_word(self, question: Question, rng: random.Random) -> str | None:
        words = [m for m in WORD.finditer(question.question) if m.group() in self._opposites]
        if not words:
            return None
        word = rng.choice(words)
        return _replaced(question.question, word, rng.choice(self._opposites[word.group()]))


def _negated(question: Question, rng: random.Random) -> str | None:
    verb = AUXILIARY.search(question.question)
    if verb is None:
        return None
    if rng.random() < 0.5 and verb.group().lower() not in ("will", "can"):
        return _replaced(question.question, verb, verb.group() + "n't")
    if re.match(r"(who|what|which)\b", question.question, re.IGNORECASE) and verb.start() < 8:
        return _replaced(question.question, verb, verb.group() + " not")
    return _replaced(question.question, verb, "never" if rng.random() < 0.3 else verb.group() + "n't")


def _removed(question: Question, rng: random.Random) -> Question | None:
    """Drops the sentences that hold the answer, unless it is also said elsewhere in the paragraph."""
    bounds = [0, *(m.end() for m in SENTENCE_END.finditer(question.context)), len(question.context)]
    kept = [question.context[start:end] for start, end in pairwise(bounds) if not any(start < e and s < end for s, e in question.spans)]
    context = "".join(kept).strip()
    if len(context) < 100 or any(answer.lower() in context.lower() for answer in question.answers):
        return None
    return _unanswerable(question, question.question, context)


def _unanswerable(question: Question, asked: str, context: str) -> Question:
    return Question(question.id, asked, context, question.article, (), (), question.title)


def _replaced(text: str, found: re.Match[str], new: str) -> str:
    return text[: found.start()] + new + text[found.end() :]


def _is_content(word: str) -> bool:
    return len(word) >= 4 and word.islower() and word.isalpha() and word not in COMMON


def _ending(word: str) -> str:
    """A class of words that can mostly stand for each other in a sentence."""
    return next((ending for ending in ENDINGS if word.endswith(ending)), "")


def _topic(text: str) -> str:
    """The name that a paragraph without a title mentions most, if it does so thrice: what its title would say."""
    names = Counter(m.group() for m in NAME.finditer(text) if len(m.group()) > 3 and m.group().lower() not in COMMON)
    name, count = max(names.items(), key=lambda item: item[1], default=("", 0))
    return name if count >= 3 else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in WORD.findall(text.lower()) if len(word) > 2)


def endless(questions: Sequence[Question], rng: random.Random) -> Iterator[Question]:
    """The questions in random order, epoch after epoch."""
    while True:
        yield from rng.sample(questions, len(questions))
