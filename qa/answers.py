"""From spans to answers: ranked with retrieval, grouped where articles agree, cited where they stand.

A quote is the whole sentence around a span, an excerpt the sentences around the quote; both are slices of the stored
article. Spans that say the same, in one article or in several, become one answer whose citations name every place.
What makes an answer believable is gathered in qa/features.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa.datatypes import Article, Citation, Hit, Span
from qa.sentences import Offsets, sentence_spans
from qa.words import coverage

MOST_CITATIONS = 5  # of one answer
LONGEST_EXCERPT = 700  # characters
FAR = 9.0  # of the reader's score: hardly a later passage makes up for a lead of so much, see docs/design.md#reading

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_NOT_A_WORD = re.compile(r"[\W_]+")

FindArticle = Callable[[str], Article | None]


@dataclass(frozen=True, slots=True)
class Group:
    """Spans that say the same, best first; `score` is the best one's, retrieval and reader together.

    `likeness` is the cosine of the question and the best one's sentence, where it was measured (qa/evidence.py).
    """

    spans: tuple[Span, ...]
    score: float
    likeness: float = 0.0

    @property
    def text(self) -> str:
        return self.spans[0].text


def grouped(spans: Sequence[Span], reader_weight: float) -> list[Group]:
    """Best first. Equal answers, and pieces of an answer at the same place, are one group."""
    ranked = sorted(spans, key=lambda span: -_score(span, reader_weight))
    groups: list[list[Span]] = []
    for span in ranked:
        same = next((group for group in groups if any(_same(span, other) for other in group)), None)
        if same is None:
            groups.append([span])
        elif not any(_overlap(span, other) for other in same):
            same.append(span)
    return [Group(tuple(group), _score(group[0], reader_weight)) for group in groups]


def reranked(hits: Sequence[Hit], spans: Sequence[Span], groups: Sequence[Group], reader_weight: float) -> list[Hit]:
    """The hit of the first group, then the others in the order of their best spans; those without any keep their order, last."""
    best: dict[int, float] = {}
    for span in spans:
        number = span.hit.passage.number
        best[number] = max(best.get(number, -math.inf), _score(span, reader_weight))
    if groups:
        best[groups[0].spans[0].hit.passage.number] = math.inf
    return sorted(hits, key=lambda hit: -best.get(hit.passage.number, -math.inf))


def settled(spans: Sequence[Span], unread: Hit, reader_weight: float) -> bool:
    """Whether the best span leads so far that a passage which is not read yet will not overtake it; `unread` is the next one."""
    best = max((_score(span, reader_weight) for span in spans), default=-math.inf)
    return best - unread.score >= FAR * reader_weight


def cite_group(group: Group, first_number: int, find: FindArticle) -> list[Citation]:
    """A citation for each place where the answer stands, one an article first, numbered from `first_number`."""
    seen: set[str] = set()
    again: list[Span] = []
    ordered: list[Span] = []
    for span in group.spans:
        (again if span.hit.passage.article_id in seen else ordered).append(span)
        seen.add(span.hit.passage.article_id)
    citations: list[Citation] = []
    for span in (ordered + again)[:MOST_CITATIONS]:
        article = find(span.hit.passage.article_id)
        if article is not None:
            citations.append(_citation(article, span.hit, (span.start, span.end), first_number + len(citations), span.score, True))
    return citations


def cite_hits(question: str, hits: Sequence[Hit], first_number: int, find: FindArticle) -> list[Citation]:
    """The closest passages, when nothing in them answers: of each the sentence that shares most words with the question."""
    citations: list[Citation] = []
    for hit in hits:
        article = find(hit.passage.article_id)
        if article is not None:
            place = _closest_sentence(question, hit)
            citations.append(_citation(article, hit, place, first_number + len(citations), hit.score, False))
    return citations


def quoted(sentences: Sequence[Offsets], place: Offsets, passage: Offsets) -> Offsets:
    """The whole sentences that a place lies in, as far as its passage goes: a list without full stops is one long sentence."""
    touched = [(start, end) for start, end in sentences if start < place[1] and place[0] < end] or [place]
    return min(place[0], max(touched[0][0], passage[0])), max(place[1], min(touched[-1][1], passage[1]))


def _closest_sentence(question: str, hit: Hit) -> Offsets:
    """In characters of the article."""
    passage = hit.passage
    spans = sentence_spans(passage.text) or [(0, len(passage.text))]
    start, end = max(spans, key=lambda span: coverage(question, passage.text[span[0] : span[1]]))
    return passage.start + start, passage.start + end


def _citation(article: Article, hit: Hit, place: Offsets, number: int, score: float, is_span: bool) -> Citation:
    sentences = sentence_spans(article.text, article.language)
    start, end = quoted(sentences, place, (hit.passage.start, hit.passage.end))
    excerpt_start, excerpt_end = _excerpt(article.text, sentences, (start, end))
    return Citation(
        number=number,
        article_id=article.id,
        title=article.title,
        source=article.source,
        start=start,
        end=end,
        quote=article.text[start:end],
        excerpt=article.text[excerpt_start:excerpt_end],
        excerpt_start=excerpt_start,
        score=score,
        author=article.author,
        published=article.published,
        url=article.url,
        span=place if is_span else None,
        also_in=hit.also_in,
        hit=hit,
    )


def _excerpt(text: str, sentences: Sequence[Offsets], quote: Offsets) -> Offsets:
    """The quote with the sentence before and the one after, while they keep it short; headings are no sentences."""
    before = [span for span in sentences if span[1] <= quote[0]][-1:]
    after = [span for span in sentences if span[0] >= quote[1]][:1]
    start = before[0][0] if before and _ENDS.search(text, *before[0]) else quote[0]
    end = after[0][1] if after and _ENDS.search(text, *after[0]) else quote[1]
    if end - start <= LONGEST_EXCERPT:
        return start, end
    return (start, quote[1]) if quote[1] - start <= LONGEST_EXCERPT else quote


def _score(span: Span, reader_weight: float) -> float:
    return span.hit.score + reader_weight * span.score


def _same(one: Span, other: Span) -> bool:
    return _overlap(one, other) or _normalised(one.text) == _normalised(other.text)


def _overlap(one: Span, other: Span) -> bool:
    same_article = one.hit.passage.article_id == other.hit.passage.article_id
    return same_article and one.start < other.end and other.start < one.end


def _normalised(text: str) -> str:
    return _NOT_A_WORD.sub(" ", _ARTICLES.sub(" ", text.casefold())).strip() or text
