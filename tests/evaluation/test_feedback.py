"""What readers marked becomes an evaluation set: which questions, with which golds, and what is left out and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeEncoder, article

from qa.config import Config
from qa.datatypes import Turn
from qa.errors import DataError
from qa.evaluation.asking import ask
from qa.evaluation.datasets import Gold
from qa.evaluation.feedback import REFUSAL, REPORT, RIGHT, WORDS, WRONG, export
from qa.evaluation.load import load_dataset
from qa.feedback import Feedback, Judgement, Place
from qa.indexer import index_articles, remove_articles
from qa.pipeline import Pipeline

# Reading it as a file would drop the first and the last paragraph, and with that move every offset.
TOWER = "Share this article\n\nThe tower  was built in 1889. 🌕 It is of iron.\n\nFollow us on Twitter"
ARTICLES = (
    article("tower/ü", TOWER, "The tower", author="Ann", url="https://a.org/x"),
    article("paint", "Painters paint the tower.\n\nIt takes sixty tonnes."),
)


@pytest.fixture
def index(filled: Callable[..., Config]) -> Config:
    return filled(*ARTICLES)


@pytest.fixture
def judge(index: Config) -> Callable[..., None]:
    def add(verdict: str, question: str = "When was it built?", *words: str, answer: str | None = "1889", **facts: object) -> None:
        places = tuple(place(word) for word in words or ((answer,) if answer else ()))
        facts = {"standalone_question": question, "reader": "me", **facts}
        Feedback(index.index.path).add(Judgement(verdict, question, answer=answer, places=places, **facts))  # type: ignore[arg-type]

    return add


def place(words: str) -> Place:
    (found,) = (one for one in ARTICLES if words in one.text)
    start = found.text.index(words)
    return Place(found.id, start, start + len(words), words, found.sha256)


def exported(index: Config, folder: str = "set") -> list[dict[str, object]]:
    export(Path(folder), index)
    return [json.loads(line) for line in (Path(folder) / "questions.jsonl").read_text().splitlines()]


def test_a_right_answer_selected_words_and_a_right_refusal_are_questions(index, judge):
    judge("right", "When was it built?", answer="1889", standalone_question="When was the tower built?", turns=(Turn("Who?", "Eiffel"),))
    judge("words", "How much paint?", "sixty tonnes")
    judge("right", "Who sold it?", answer=None)
    report = export(Path("set"), index)
    assert (report["questions"], report["articles"]) == (3, 2)
    assert report["kinds"] == {RIGHT: 1, WORDS: 1, REFUSAL: 1}
    assert report["left_out"] == report["contradictions"] == []
    assert json.loads((Path("set") / REPORT).read_text()) == report
    built, paint, sold = load_dataset("set").questions
    start = TOWER.index("1889")
    assert (built.question, built.turns, built.gold) == (
        "When was it built?", (Turn("Who?", "Eiffel"),), (Gold("tower/ü", start, start + 4, "1889"),),
    )  # fmt: skip
    assert [gold.text for gold in paint.gold] == ["sixty tonnes"]
    assert not sold.answerable


def test_articles_come_back_word_for_word(index, judge):
    judge("right")
    exported(index)
    back = {one.id: one for one in load_dataset("set").articles}
    for one in ARTICLES:
        same = back[one.id]
        assert (same.text, same.title, same.source, same.author, same.url) == (one.text, one.title, one.source, one.author, one.url)


def test_the_exported_set_can_be_evaluated_and_its_golds_are_found(index, judge, tmp_path):
    judge("right", "When was the tower built?")
    exported(index)
    dataset = load_dataset("set")
    again = index.replace("index.path", tmp_path / "again")
    index_articles(again, dataset.articles, encoder=FakeEncoder())
    outcome = ask(Pipeline(again, encoder=FakeEncoder()), "answers", False, dataset.questions[0])
    assert outcome.error is None
    first, start = outcome.hits[0], TOWER.index("1889")
    assert (first.article_id, first.start <= start, first.end >= start + 4) == ("tower/ü", True, True)


def test_the_split_is_as_asked_for_and_ids_stay(index, judge):
    judge("right")
    assert "split" not in exported(index)[0]
    export(Path("dev"), index, "dev")
    (question,) = load_dataset("dev", "dev").questions
    assert question.id == exported(index)[0]["id"]


def test_wrong_alone_is_counted_and_named_but_is_no_question(index, judge):
    judge("wrong", "Who built it?")
    judge("wrong", "Who sold it?", answer=None)
    judge("right", "When was it built?")
    report = export(Path("set"), index)
    assert (report["questions"], report["marked_wrong"]) == (1, 2)
    assert report["left_out"] == [{"question": "Who built it?", "reason": WRONG}, {"question": "Who sold it?", "reason": WRONG}]


def test_nothing_to_export_writes_nothing(index, judge):
    judge("wrong")
    assert export(Path("set"), index)["questions"] == 0
    assert not Path("set").exists()


def test_of_one_reader_the_last_word_counts_whatever_the_case_of_the_question(index, judge):
    judge("right", "When was it built?")
    judge("words", "when was  IT built?", "sixty tonnes")
    (question,) = exported(index)
    assert [gold["text"] for gold in question["gold"]] == ["sixty tonnes"]
    judge("withdrawn", "When was it built?")
    assert export(Path("other"), index)["questions"] == 0


def test_places_of_several_readers_are_alternatives(index, judge):
    judge("right")
    judge("words", "When was it built?", "built in 1889", reader="you")
    judge("right", reader="she")
    report = export(Path("set"), index)
    assert [gold.text for gold in load_dataset("set").questions[0].gold] == ["1889", "built in 1889"]
    assert report["contradictions"] == []


@pytest.mark.parametrize(
    ("first", "second", "golds"),
    [
        (("right", "1889"), ("wrong", "1889"), None),
        (("wrong", "1889"), ("right", "1889"), ["1889"]),
        (("right", None), ("words", "1889"), ["1889"]),
        (("right", "1889"), ("right", None), []),
        (("right", None), ("wrong", None), None),
        (("wrong", None), ("right", None), []),
    ],
)
def test_readers_who_contradict_each_other_are_reported_and_the_latest_counts(index, judge, first, second, golds):
    for reader, (verdict, answer) in (("me", first), ("you", second)):
        judge(verdict, answer=answer, reader=reader)
    report = export(Path("set"), index)
    assert report["contradictions"] == ["When was it built?"]
    found = [[gold.text for gold in question.gold] for question in load_dataset("set").questions] if report["questions"] else [None]
    assert found == [golds]


def test_words_that_left_their_place_are_named_and_left_out(index, judge):
    judge("right", "When was it built?")
    judge("words", "How much paint?", "sixty tonnes")
    judge("words", "Of what is it?", "of iron")
    remove_articles(index, ["paint"])
    moved = article("tower/ü", TOWER.replace(" It is", " Well, it is"), "The tower")
    index_articles(index, [moved], encoder=FakeEncoder())
    report = export(Path("set"), index)
    assert [question.question for question in load_dataset("set").questions] == ["When was it built?"]
    assert report["left_out"] == [
        {"question": "How much paint?", "reason": "article paint is no longer in the index"},
        {
            "question": "Of what is it?",
            "reason": f"article tower/ü has changed: 'of iron' no longer stands at {TOWER.index('of iron')}",
        },
    ]


def test_a_refusal_under_a_filter_says_nothing_about_all_articles(index, judge):
    judge("right", "Who sold it?", answer=None, filtered=True)
    judge("right", "When was it built?", filtered=True)
    report = export(Path("set"), index)
    assert [question.question for question in load_dataset("set").questions] == ["When was it built?"]
    assert report["left_out"][0]["reason"].startswith("asked of some articles only")


def test_only_an_earlier_export_is_written_over(index, judge, tmp_path):
    judge("right")
    exported(index)
    judge("right", "Who sold it?", answer=None)
    assert len(exported(index)) == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "questions.jsonl").write_text("precious")
    with pytest.raises(DataError, match="mine has other files than an earlier export: give a folder that is empty or still to be made"):
        export(tmp_path / "mine", index)
    assert (tmp_path / "mine" / "questions.jsonl").read_text() == "precious"
    with pytest.raises(DataError, match="questions.jsonl is a file: expected a folder"):
        export(tmp_path / "mine" / "questions.jsonl", index)
    with pytest.raises(DataError, match=r"cannot be written: .* \(give another folder\)"):
        export(Path("/proc/set"), index)
