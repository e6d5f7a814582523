"""Example questions from the indexed articles, without a language model.

Sentences such as "The Eiffel Tower was built in 1889" are turned round by a few patterns; a question is kept only if the pipeline
answers it from the very sentence that it was made of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from qa.datatypes import Article, Response
from qa.sentences import sentence_spans

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

WANTED = 4
MOST_ARTICLES = 40  # read for candidates, spread over the index
MOST_ASKED = 24  # candidates tried, so that a start on a slow machine stays short
LONGEST = 80  # characters: it has to fit a button

_NAME = r"(?P<name>(?:The )?[A-Z][\w’'-]+(?: (?:of |the |de |and )*[A-Z][\w’'-]+)*)"
_PERSON = r"(?P<name>[A-Z][\w’-]+(?: [A-Z]\.)?(?: (?:de|van|von|El-)? ?[A-Z][\w’-]+){1,2})"
_THING = r"(?P<what>(?:the |a |an )?[\w’'-]+(?: [A-Z][\w’'-]+){0,4})"
_NOT_NAMES = re.compile(
    r"(?:He|She|It|They|We|You|I|This|That|These|Those|There|Its|His|Her|Their|Our|My|But|And|In|On|At|By|As|If|When|What|Who|How"
    r"|After|Before|Both|One|Some|Many|Most|Each|Today|Mr|Mrs|Ms|Dr)\b"
)
_YEAR = r".*?\b(?:in|on|by) (?:\w+ ){0,3}(?:1\d{3}|20\d{2})\b"
_MADE = r"born|founded|built|opened|launched|discovered|invented|established|completed|published|signed|elected|introduced|released|formed"
_ACTS = "discovered|invented|founded|designed|built|wrote|developed|painted|composed|won"
_HAPPENED = dict(opened="open", began="begin", ended="end", sank="sink", landed="land", erupted="erupt", died="die", collapsed="collapse")  # noqa: C408
_PATTERNS = (
    (re.compile(rf"^{_NAME} (?P<verb>{_ACTS}) {_THING}(?=[,.;]| (?:in|on|at|by|as|and|from|with)\b)"), "Who {verb} {what}?"),
    (re.compile(rf"^{_NAME} (?P<aux>was|were) (?P<verb>{_MADE})\b{_YEAR}"), "When {aux} {name} {verb}?"),
    (re.compile(rf"^{_NAME} (?P<verb>{'|'.join(_HAPPENED)})\b{_YEAR}"), "When did {name} {verb}?"),
    (re.compile(rf"\b{_PERSON}, who (?:was|had|led|became|won|ran|made|wrote)\b"), "Who was {name}?"),
    (re.compile(rf"\bsaid {_PERSON}\b"), "What did {name} say?"),
    (re.compile(r"^(?P<name>The(?: [A-Z][\w’'-]+)+) (?P<aux>is|are) (?:a|an|the) \w+"), "What {aux} {name}?"),
)
T = TypeVar("T")


def suggest(pipeline: Pipeline, wait: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    """Up to WANTED questions that the pipeline answers from the sentence behind them: of different articles and, if it can be, forms.

    `wait` is called before each one is tried and returns when the machine is free for it.
    """
    found: list[str] = []
    for article, question, sentence in _candidates(
        [pipeline.article(summary.id) for summary in _spread(pipeline.articles(), MOST_ARTICLES)]
    ):
        wait()
        if _answers(pipeline.ask(question), article, sentence):
            found.append(question)
        if len(found) == WANTED:
            break
    return tuple(found)


def _candidates(articles: Sequence[Article]) -> list[tuple[Article, str, tuple[int, int]]]:
    """The first question of each article, ordered so that the forms take turns ("Who …", "When …", "What …")."""
    firsts = [(article, *question) for article in articles for question in islice(questions_in(article), 1)]
    turns: Counter[str] = Counter()
    ranked = []
    for candidate in firsts:
        form = " ".join(candidate[1].split()[:2])
        ranked.append((turns[form], candidate))
        turns[form] += 1
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])][:MOST_ASKED]


def questions_in(article: Article) -> Iterator[tuple[str, tuple[int, int]]]:
    """Questions that one sentence of the article should answer, with the sentence's place."""
    for start, end in sentence_spans(article.text, article.language):
        question = question_from(article.text[start:end])
        if question:
            yield question, (start, end)


def question_from(sentence: str) -> str | None:
    """question_from("The Eiffel Tower was built in 1889.") -> "When was the Eiffel Tower built?" """
    for pattern, form in _PATTERNS:
        match = pattern.search(sentence)
        if match and not _NOT_NAMES.match(match["name"]):
            words = {key: " ".join(value.split()) for key, value in match.groupdict().items()}
            words["name"] = re.sub(r"^The ", "the ", words["name"])
            if form.startswith("When did"):
                words["verb"] = _HAPPENED[words["verb"]]
            question = form.format(**words)
            return question if len(question) <= LONGEST else None
    return None


def _answers(response: Response, article: Article, sentence: tuple[int, int]) -> bool:
    """Does the first citation of the answer overlap the sentence that the question was made of?"""
    if response.answer is None:
        return False
    first = next(c for c in response.citations if c.number == response.answer.citations[0])
    return first.article_id == article.id and first.start < sentence[1] and sentence[0] < first.end


def _spread(items: Sequence[T], most: int) -> Sequence[T]:
    """At most `most` items, evenly taken from the whole sequence."""
    step = max(1, -(-len(items) // most))
    return items[::step]
