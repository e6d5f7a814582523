from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.chat import standalone_question
from qa.datatypes import Turn

TUNNEL = ("How long is the Channel Tunnel?", "50 kilometres")
TROOPS = ("How many troops will be sent to Syria?", "560")
MONA_LISA = ("Who painted the Mona Lisa?", "Leonardo da Vinci")
PRESS = ("When did the printing press reach Italy?", "In 1465.")
NIXON = ("Did Richard Nixon resign in 1974?", "Yes")
FLEMING = ("What did Alexander Fleming discover?", "penicillin")
MEDALS = ("How many medals did the US win in 1984?", "174")
CANBERRA = ("What is the capital of Australia?", "Canberra")
WRECK = ("When was the wreck of the Titanic found?", "On 1 September 1985.")
EVER_GIVEN = ("When did the Ever Given run aground?", "On 23 March 2021.")
GOOGLE = ("Who founded Google?", "Larry Page and Sergey Brin")
UNANSWERED = ("Who designed the bridge?", "")
SENTENCE = ("Where was the treaty on the ozone layer signed?", "It was signed by Margaret Thatcher's envoys in Montreal, in 1987.")
INQUIRY = ("How many people were saved, according to the inquiry?", "711")
CREW = ("Where did the crew of the Nimrod land?", "On Ross Island")
GENERAL = ("Which general did Caesar fight in Spain?", "Quintus Sertorius")
BUILDERS = ("Which companies built the Concorde?", "Sud Aviation and BAC")
LOWER_CASE = ("how tall is the eiffel tower", "330 m")

FOLLOW_UPS = [
    # A pronoun is replaced.
    (TUNNEL, "When was it built?", "When was the Channel Tunnel built?"),
    (TUNNEL, "when was it built", "when was the Channel Tunnel built"),
    (TUNNEL, "And when did it open?", "When did the Channel Tunnel open?"),
    (TUNNEL, "What is its deepest point?", "What is the Channel Tunnel's deepest point?"),
    (TUNNEL, "Who was the first person to cross it?", "Who was the first person to cross the Channel Tunnel?"),
    (MONA_LISA, "When was he born?", "When was Leonardo da Vinci born?"),
    (MONA_LISA, "Where is it now?", "Where is the Mona Lisa now?"),
    (MONA_LISA, "Who was his teacher?", "Who was Leonardo da Vinci's teacher?"),
    (MONA_LISA, "How old was he when he died?", "How old was Leonardo da Vinci when he died?"),
    (MONA_LISA, "What did he write about it?", "What did Leonardo da Vinci write about the Mona Lisa?"),
    (PRESS, "Who invented it?", "Who invented the printing press?"),
    (PRESS, "Where was it first used there?", "Where was the printing press first used in Italy?"),
    (NIXON, "Who succeeded him?", "Who succeeded Richard Nixon?"),
    (FLEMING, "When was it first used?", "When was penicillin first used?"),
    (CANBERRA, "How many people live there?", "How many people live in Canberra?"),
    (CANBERRA, "When was it founded?", "When was Canberra founded?"),
    (WRECK, "How deep is it?", "How deep is the wreck of the Titanic?"),
    (EVER_GIVEN, "And when did she float again?", "When did the Ever Given float again?"),
    (GOOGLE, "Where did they meet?", "Where did Larry Page and Sergey Brin meet?"),
    (GOOGLE, "Where is it based?", "Where is Google based?"),
    (UNANSWERED, "When was it opened?", "When was the bridge opened?"),
    (SENTENCE, "When did it come into force?", "When did the treaty on the ozone layer come into force?"),
    (LOWER_CASE, "who built it", "who built the eiffel tower"),
    (CREW, "How long did they wait there?", "How long did the crew of the Nimrod wait in Ross Island?"),
    (GENERAL, "How did he die?", "How did Quintus Sertorius die?"),
    (BUILDERS, "How fast was it?", "How fast was the Concorde?"),
    (BUILDERS, "Where were they based?", "Where were Sud Aviation and BAC based?"),
    # A bare question word takes the clause of the question before.
    (NIXON, "Why?", "Why did Richard Nixon resign in 1974?"),
    (NIXON, "When was that?", "When did Richard Nixon resign in 1974?"),
    (WRECK, "By whom?", "By whom was the wreck of the Titanic found?"),
    (WRECK, "Where exactly?", "Where was the wreck of the Titanic found?"),
    (FLEMING, "When?", "When did Alexander Fleming discover penicillin?"),
    (MONA_LISA, "Why?", "Why was it that Leonardo da Vinci painted the Mona Lisa?"),
    (TUNNEL, "What else?", "What else? (How long is the Channel Tunnel? 50 kilometres)"),
    # A fragment takes the place of its counterpart.
    (TROOPS, "And how many in Iraq?", "How many troops will be sent to Iraq?"),
    (TROOPS, "In Iraq?", "How many troops will be sent to Iraq?"),
    (TUNNEL, "What about the Gotthard Base Tunnel?", "How long is the Gotthard Base Tunnel?"),
    (MEDALS, "And in 1988?", "How many medals did the US win in 1988?"),
    (MEDALS, "And the Soviet Union?", "How many medals did the Soviet Union win in 1984?"),
    (CANBERRA, "And of New Zealand?", "What is the capital of New Zealand?"),
    (INQUIRY, "And according to the press?", "How many people were saved, according to the press?"),
    (MEDALS, "And the women?", "The women? (How many medals did the US win in 1984?)"),
    # What points back or names nothing gets its context.
    (TROOPS, "Who said that?", "Who said that? (How many troops will be sent to Syria? 560)"),
    (TUNNEL, "How many people died?", "How many people died? (the Channel Tunnel)"),
    (TUNNEL, "Why was this possible?", "Why was this possible? (the Channel Tunnel)"),
    (TUNNEL, "Tell me more.", "Tell me more. (the Channel Tunnel)"),
    (TUNNEL, "How long did it take?", "How long did it take? (the Channel Tunnel)"),
    (TUNNEL, "And who dug in the dark?", "Who dug in the dark? (the Channel Tunnel)"),
    (EVER_GIVEN, "How many tugs did it take?", "How many tugs did it take? (the Ever Given)"),
]

STANDALONE = [
    "What is photosynthesis?",
    "Who invented the telephone?",
    "And who wrote Hamlet?",
    "When did Marie Curie win her first Nobel Prize?",
    "How old was Mozart when he died?",
    "Which company lost its director in 1998?",
    "Who is the author that sold the most books in France?",
    "How long does it take to fly to the Moon?",
    "Is it true that the Romans built lighthouses?",
    "How many moons are there?",
    "In which country is Normandy?",
    "Who wrote It?",
    "Where did they film the theory of everything?",
    "What is a quark and what is its charge?",
    "When did it become law to wear seat belts?",
    "If the price of oil falls, what happens to it afterwards?",
    "What did Israel do to Japan's oil to force their involvement?",
    "  What is  photosynthesis? ",
    "Thanks a lot!",
    "Hello",
    "Who are you?",
    "",
    "🌍",
    "?",
    "これは何ですか?",
    "Когда он родился?",
    "Wann wurde er gebaut?",
]


@pytest.mark.parametrize(("turn", "question", "expected"), FOLLOW_UPS)
def test_follow_up_is_rewritten_from_the_turn_before(turn: tuple[str, str], question: str, expected: str) -> None:
    assert standalone_question(question, [Turn(*turn)]) == expected


@pytest.mark.parametrize("question", STANDALONE)
def test_question_that_needs_no_past_is_unchanged_to_the_byte(question: str) -> None:
    for turn in (TUNNEL, TROOPS, MONA_LISA, FLEMING, UNANSWERED, SENTENCE):
        assert standalone_question(question, [Turn(*turn)]) == question


@pytest.mark.parametrize("question", ["When was it built?", "Why?", "And in Iraq?", "Who said that?", "How many people died?"])
def test_without_turns_nothing_changes(question: str) -> None:
    assert standalone_question(question, []) == question


def test_topic_lives_on_through_a_chain_of_follow_ups() -> None:
    turns = [
        Turn("Who designed the Eiffel Tower?", "Gustave Eiffel"),
        Turn("When was he born?", "1832"),
        Turn("And where?", "In Dijon."),
    ]
    assert standalone_question("When did he die?", turns) == "When did Gustave Eiffel die?"
    assert standalone_question("How tall is it?", turns) == "How tall is the Eiffel Tower?"


def test_context_in_brackets_is_understood_by_the_next_question() -> None:
    turns = [Turn("How close did Giotto come to Halley?", "596 km"), Turn("When was that?", "1986")]
    assert standalone_question("When had it been launched?", turns) == "When had Giotto been launched?"


def test_fragment_after_a_fragment_keeps_the_first_question() -> None:
    turns = [Turn(*TROOPS), Turn("And in Iraq?", "200")]
    assert standalone_question("And in Libya?", turns) == "How many troops will be sent to Libya?"


def test_last_topic_wins_after_a_change_of_topic() -> None:
    turns = [Turn(*MONA_LISA), Turn("How tall is Mount Everest?", "8,849 m")]
    assert standalone_question("Where is it?", turns) == "Where is Mount Everest?"


def test_turns_that_name_nothing_leave_the_topic() -> None:
    turns = [Turn(*TUNNEL), Turn("Thanks!", ""), Turn("", ""), Turn("🌍", "🌍")]
    assert standalone_question("When was it built?", turns) == "When was the Channel Tunnel built?"
    assert standalone_question("What else?", turns) == "What else? (How long is the Channel Tunnel? 50 kilometres)"


def test_conversation_without_a_topic_leaves_the_question() -> None:
    assert standalone_question("When was it built?", [Turn("", ""), Turn("Hello", "")]) == "When was it built?"


def test_names_come_from_an_answer_that_is_a_whole_sentence() -> None:
    turn = Turn("Who opened the bridge?", "The bridge was opened by Queen Victoria on a rainy Monday, before a crowd of thousands.")
    assert standalone_question("How old was she?", [turn]) == "How old was Queen Victoria?"


@pytest.mark.parametrize("text", ["it " * 3333, "x" * 10_000, "And " * 2500, "the A of " * 1111, "who said that, " * 700, "(" * 10_000])
def test_very_long_texts_take_no_time(text: str) -> None:
    started = time.perf_counter()
    assert standalone_question(text, [Turn(*TUNNEL)]) == text
    standalone_question("When was it built?", [Turn(text, text)])
    assert time.perf_counter() - started < 1


TEXT = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from("Who what When did it he her their that this the and And about in Iraq Paris 1984 of built? war ? , ’s".split()),
        max_size=12,
    ).map(" ".join),
)


@given(question=TEXT, turns=st.lists(st.builds(Turn, TEXT, TEXT), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_conversation_gives_a_question_of_bounded_length(question: str, turns: list[Turn]) -> None:
    result = standalone_question(question, turns)
    assert len(result) <= len(question) + 1000
    assert bool(result) == bool(question)
    assert standalone_question(question, []) == question
