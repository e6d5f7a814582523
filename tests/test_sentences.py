from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.sentences import paragraph_spans, sentence_spans


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, language)]


def test_abbreviations_do_not_end_a_sentence():
    text = "Dr. Frederick Kagan spoke. U.S. backed forces left at 5 p.m. on Friday."
    assert sentences(text) == ["Dr. Frederick Kagan spoke.", "U.S. backed forces left at 5 p.m. on Friday."]


def test_a_title_before_a_name_does_not_end_a_sentence():
    assert sentences("He met Ms.\nMerkel. She left, said Ms. Klein.") == ["He met Ms.\nMerkel.", "She left, said Ms. Klein."]


def test_offsets_count_characters_not_bytes():
    assert sentences("😀 Hello 𝒳. Größe! 日本語の文。二つ目。") == ["😀 Hello 𝒳.", "Größe!", "日本語の文。", "二つ目。"]


def test_a_sentence_never_crosses_a_blank_line():
    assert sentences("A heading\n\nA sentence\nover two lines.\n \t\nThe end") == ["A heading", "A sentence\nover two lines.", "The end"]


def test_paragraphs_are_what_blank_lines_part():
    assert paragraph_spans("\n\n one \n two\n\n\n  three\n") == [(3, 12), (17, 22)]


def test_blank_text_has_neither():
    assert paragraph_spans(" \n\n ") == sentence_spans(" \n\n ") == []


@given(st.text())
def test_sentences_are_in_order_apart_and_cover_every_visible_character(text):
    spans = sentence_spans(text)
    assert all(a < b for a, b in spans) and all(one[1] <= other[0] for one, other in zip(spans, spans[1:]))
    inside = {at for start, end in spans for at in range(start, end)}
    assert all(at in inside for at, character in enumerate(text) if not character.isspace())
