"""The sentence behind an answer decides between answers that the reader finds about as good."""

from __future__ import annotations

import pytest
from fakes import FakeEncoder, article

from qa.answers import Group
from qa.datatypes import Hit, Passage, Span
from qa.evidence import COVERAGE, LEADING, LIKENESS, compared, evidence, weighed
from qa.passages import embedding_text
from qa.pipeline import Pipeline

TEXT = "It rained. The tower opened in 1889. The bridge opened in 1912."
QUESTION = "When did the bridge open?"


def group(text: str, score: float = 1.0, likeness: float = 0.0) -> Group:
    start = TEXT.index(text)
    passage = Passage("a", 100, 100 + len(TEXT), TEXT, title="Paris")
    return Group((Span(Hit(passage, 1.0), 100 + start, 100 + start + len(text), text, 2.0),), score, likeness)


def test_evidence_is_the_sentence_of_the_best_span_behind_the_title():
    assert evidence(group("1889")) == embedding_text("Paris", "The tower opened in 1889.")


def test_likeness_is_the_cosine_of_question_and_evidence():
    encoder = FakeEncoder()
    question = encoder.encode_questions(["The bridge opened in 1912."])[0]
    tower, bridge = compared([group("1889"), group("1912")], question, encoder)
    assert bridge.likeness == pytest.approx(float(encoder.encode_passages([evidence(group("1912"))])[0] @ question))
    assert tower.likeness < bridge.likeness
    assert compared([], question, encoder) == []


def test_a_small_lead_is_made_up_by_the_evidence_and_a_large_one_is_not():
    bridge = group("1912", 1.0, likeness=0.8)
    # Both sentences have "opened", only one has "bridge" of the two words that the question asks with.
    lead = LIKENESS * (0.8 - 0.5) + COVERAGE * 0.5
    for more, first in ((0.01, "1889"), (-0.01, "1912")):
        groups = [group("1889", 1.0 + lead + more, likeness=0.5), bridge]
        assert [each.text for each in weighed(QUESTION, groups)][0] == first
        assert set(weighed(QUESTION, groups)) == set(groups)  # as they were, scores too


def test_only_those_that_lead_are_weighed():
    groups = [group("It rained", 1.0 - n / 100) for n in range(LEADING)] + [group("1912", 0.9, likeness=1.0)]
    assert weighed(QUESTION, groups)[-1].text == "1912"
    assert weighed(QUESTION, groups[1:])[0].text == "1912"


class YearReader:
    """Gives the year of each passage. It likes 1912 better, but not by as much as retrieval likes the other passage."""

    name = "years"
    weight = 0.05

    def __init__(self, reranks: bool) -> None:
        self.reranks = reranks

    def read(self, question: str, hits: list[Hit]) -> list[Span]:
        years = [(hit, year) for hit in hits for year in ("1889", "1912") if year in hit.passage.text]
        places = [(hit, year, hit.passage.start + hit.passage.text.index(year)) for hit, year in years]
        return [Span(hit, at, at + 4, year, 2.0 if year == "1889" else 7.0) for hit, year, at in places]


@pytest.mark.parametrize(("reranks", "year"), [(True, "1912"), (False, "1889")])
def test_the_answer_with_the_better_sentence_and_its_passage_come_first(filled, reranks, year):
    tower = article("tower", "Nobody slept that year, 1889. The bridge did open the river to trade. When did it open?", "Tower")
    bridge = article("bridge", "The bridge did open in 1912. It rained, and the mayor wore a hat that nobody liked.", "Bridge")
    pipeline = Pipeline(filled(tower, bridge), encoder=FakeEncoder(), reader=YearReader(reranks))
    response = pipeline.ask(QUESTION, threshold=0.0)
    assert response.answer.text == year
    assert pipeline.read(QUESTION, pipeline.search(QUESTION))[0].text == year
    if reranks:
        assert response.hits[0].passage.article_id == "bridge"
