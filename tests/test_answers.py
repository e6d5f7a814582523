"""Spans to answers: grouped where they agree, cited where they stand, every quote a slice."""

from __future__ import annotations

from fakes import article
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.answers import LONGEST_EXCERPT, MOST_CITATIONS, cite_group, cite_hits, grouped, settled
from qa.datatypes import Article, Hit, Passage, Span

MOON = article(
    "moon", "It was late. Neil Armstrong stepped onto the Moon in 1969. Crowds cheered. Rain fell.", "Moon landing", author="Ann"
)
NASA = article("nasa", "The first man was Neil Armstrong! He came back.", "NASA")


def hit(art: Article, start: int = 0, end: int | None = None, score: float = 0.5, also_in: tuple[str, ...] = ()) -> Hit:
    end = len(art.text) if end is None else end
    return Hit(Passage(art.id, start, end, art.text[start:end], art.title), score, dense_score=0.4, lexical_score=3.0, also_in=also_in)


def span(art: Article, text: str, score: float = 1.0, **of_hit: object) -> Span:
    start = art.text.index(text)
    return Span(hit(art, **of_hit), start, start + len(text), text, score)  # type: ignore[arg-type]


def find(*articles: Article):
    return {each.id: each for each in articles}.get


def test_articles_that_agree_are_one_answer_and_the_best_place_comes_first():
    groups = grouped([span(MOON, "Neil Armstrong", 1.0), span(MOON, "1969", 0.8), span(NASA, "Neil Armstrong", 2.0)], 1.0)
    assert [(group.text, [each.hit.passage.article_id for each in group.spans], group.score) for group in groups] == [
        ("Neil Armstrong", ["nasa", "moon"], 2.5),
        ("1969", ["moon"], 1.3),
    ]


def test_answers_agree_whatever_their_case_articles_and_punctuation():
    one, other = article("a", "A landing, The Moon."), article("b", "So the moon it was")
    assert len(grouped([span(one, "The Moon."), span(other, "moon")], 1.0)) == 1
    assert len(grouped([span(one, "landing"), span(other, "moon")], 1.0)) == 2


def test_pieces_of_an_answer_at_the_same_place_are_one_span():
    (group,) = grouped([span(MOON, "Neil Armstrong", 2.0), span(MOON, "Armstrong stepped", 1.0)], 1.0)
    assert [each.text for each in group.spans] == ["Neil Armstrong"]


def test_the_readers_weight_decides_what_its_score_counts_beside_retrieval():
    spans = [span(MOON, "1969", 1.0), span(NASA, "first", 0.9)]
    assert [group.text for group in grouped(spans, 1.0)] == ["1969", "first"]
    near = Span(hit(NASA, score=0.9), 4, 9, "first", 0.9)
    assert [group.text for group in grouped([spans[0], near], 0.1)] == ["first", "1969"]


def test_a_lead_that_the_next_passage_would_need_nine_logits_to_make_up_settles_the_answer():
    spans = [Span(hit(MOON, score=0.9), 53, 57, "1969", score) for score in (2.0, -9.0)]  # 0.9 + 0.05 * 2 = 1.0
    assert settled(spans, hit(NASA, score=0.54), 0.05)
    assert not settled(spans, hit(NASA, score=0.56), 0.05)
    assert not settled([], hit(NASA, score=0.0), 0.05)


def test_a_citation_quotes_the_whole_sentence_with_the_one_before_and_after():
    (group,) = grouped([span(MOON, "1969", also_in=("copy",))], 1.0)
    (citation,) = cite_group(group, 3, find(MOON))
    assert (citation.number, citation.article_id, citation.title, citation.author, citation.source) == (
        3,
        "moon",
        "Moon landing",
        "Ann",
        "moon",
    )
    assert citation.quote == "Neil Armstrong stepped onto the Moon in 1969."
    assert citation.excerpt == "It was late. Neil Armstrong stepped onto the Moon in 1969. Crowds cheered."
    assert citation.excerpt == MOON.text[citation.excerpt_start : citation.excerpt_end]
    assert citation.span and MOON.text[slice(*citation.span)] == "1969"
    assert citation.also_in == ("copy",)


def test_citations_are_numbered_in_order_one_an_article_first():
    twice = article("twice", "Neil Armstrong flew. Later Neil Armstrong taught.", "Twice")
    second = Span(hit(twice), 27, 41, "Neil Armstrong", 1.9)
    group = grouped([span(twice, "Neil Armstrong", 2.0), second, span(MOON, "Neil Armstrong", 1.0)], 1.0)[0]
    citations = cite_group(group, 1, find(twice, MOON))
    assert [(each.number, each.article_id, each.start) for each in citations] == [(1, "twice", 0), (2, "moon", 13), (3, "twice", 21)]


def test_an_answer_has_so_many_citations_and_none_of_articles_that_are_gone():
    many = [article(f"a{n}", "Neil Armstrong.") for n in range(9)]
    group = grouped([span(each, "Neil Armstrong") for each in many], 1.0)[0]
    assert len(cite_group(group, 1, find(*many))) == MOST_CITATIONS
    assert [each.number for each in cite_group(group, 1, find(*many[1:3]))] == [1, 2]


def test_a_text_without_full_stops_is_quoted_no_further_than_its_passage():
    long = article("list", "word " * 5000)
    (citation,) = cite_group(grouped([Span(hit(long, 1000, 1500), 1200, 1204, "word", 1.0)], 1.0)[0], 1, find(long))
    assert (citation.start, citation.end) == (1000, 1500)
    assert len(citation.excerpt) <= LONGEST_EXCERPT


def test_the_closest_passages_are_cited_without_a_span():
    (citation,) = cite_hits("Who cheered?", [hit(MOON)], 1, find(MOON))
    assert citation.span is None
    assert citation.quote in MOON.text and "cheered" in citation.quote
    assert cite_hits("Who cheered?", [hit(NASA)], 1, find(MOON)) == []


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(st.one_of(st.sampled_from(["A word. ", "Dr. Who? ", "\n\n", "It is so. ", "word " * 30]), st.text(max_size=8))).map(
        "".join
    ),
    data=st.data(),
)
def test_quote_and_excerpt_are_slices_and_the_span_is_in_the_quote_in_the_excerpt(text, data):
    if not text.strip():
        return
    art = article("a", text)
    first = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(first + 1, len(text)))
    start = data.draw(st.integers(first, last - 1))
    end = data.draw(st.integers(start + 1, last))
    place = Span(hit(art, first, last), start, end, text[start:end], 1.0)
    citations = cite_group(grouped([place], 1.0)[0], 1, find(art)) + cite_hits("What word?", [hit(art, first, last)], 1, find(art))
    for citation in citations:
        assert citation.quote == text[citation.start : citation.end]
        assert citation.excerpt == text[citation.excerpt_start : citation.excerpt_end]
        assert citation.excerpt_start <= citation.start <= citation.end <= citation.excerpt_end
    assert citations[0].span == (start, end) and citations[0].start <= start < end <= citations[0].end
