"""Whole runs over a small set, with an encoder that needs no model."""

from __future__ import annotations

import json

import pytest
from fakes import FakeEncoder, article

from qa.calibration import Calibration
from qa.config import Config
from qa.errors import DataError
from qa.evaluation import runs
from qa.evaluation.asking import TIMED, ask_all
from qa.evaluation.datasets import Dataset, Gold, Question
from qa.evaluation.indexes import eval_folder, prepare_index
from qa.evaluation.journal import finished_runs, read_details
from qa.evaluation.runs import evaluate, models, run_key, settings

MOON = article("moon", "Apollo landed on the grey Moon in July.\n\nTwo men walked there for hours.", "Moon")
SUN = article("sun", "The Sun is a yellow star.\n\nIt warms the Earth.", "Sun")


def asked(key, question, source=None, words="", **more):
    golds = (Gold(source.id, source.text.index(words), source.text.index(words) + len(words), words),) if source else ()
    return Question(key, question, gold=golds, **more)


QUESTIONS = (
    asked("q1", "When did Apollo land on the grey Moon?", MOON, "July", kind="fact"),
    asked("q2", "What does the yellow Sun warm?", SUN, "Earth", kind="fact"),
    asked("q3", "Who discovered penicillin?", kind="off-topic"),
)
SET = Dataset("tiny", (MOON, SUN), QUESTIONS)


def test_a_run_has_the_contracts_form(config, encoder):
    lines = []
    run = evaluate(SET, config, details=lines.append, encoder=encoder)
    result = json.loads(json.dumps(run.result))
    assert list(result)[:8] == ["dataset", "questions", "articles", "passages", "fingerprint", "metrics", "intervals", "latency_ms"]
    assert (result["dataset"], result["questions"], result["articles"], result["fingerprint"]) == ("tiny", 3, 2, "fa4e")
    assert {"R@1", "R@5", "R@10", "RR@10", "nDCG@10", "EM", "F1", "no_answer_F1", "no_answer_AUROC"} <= set(result["metrics"])
    assert result["metrics"]["R@1"] == 1
    assert set(result["index"]) == {"seconds", "passages_per_second", "bytes", "encoded"}
    assert result["config"]["embedding"]["model"] == config.embedding.model
    assert set(result["kinds"]) == {"fact", "off-topic"}
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    assert {"id", "question", "gold", "hits", "answer", "confidence"} <= set(lines[0])
    assert lines == list(read_details(run.folder))
    assert finished_runs(eval_folder(config))[0][1] == result


def test_an_index_is_built_once_and_costs_are_remembered(config, encoder):
    first = evaluate(SET, config, "retrieval", encoder=encoder).result["index"]
    again = evaluate(SET, config, "retrieval", encoder=encoder).result["index"]
    assert first == again
    assert len(encoder.encoded) == len(set(encoder.encoded)) == first["encoded"]


def test_a_change_of_encoder_and_back_encodes_nothing_twice(config):
    one, other = FakeEncoder("one"), FakeEncoder("other")
    for encoder in (one, other, one, other):
        evaluate(SET, config, "retrieval", encoder=encoder)
    assert len(one.encoded) == len(other.encoded) == len(set(one.encoded))


def test_vectors_of_equal_passages_are_borrowed_when_cut_otherwise(config, encoder):
    prepare_index(SET, config, encoder)
    before = len(encoder.encoded)
    prepare_index(SET, config.replace("passages.size", 100), encoder)
    assert len(encoder.encoded) == before


def test_the_users_own_index_lends_its_vectors_and_stays_as_it_is(filled, encoder):
    config = filled(MOON, SUN)
    before = len(encoder.encoded), (config.index.path / "articles.sqlite").read_bytes()
    evaluate(SET, config, "retrieval", encoder=encoder)
    assert (len(encoder.encoded), (config.index.path / "articles.sqlite").read_bytes()) == before


def test_an_interrupted_run_goes_on_where_it_was(config, encoder, monkeypatch):
    def interrupt(stage, done, total):
        if (stage, done) == ("asking", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(SET, config, encoder=encoder, progress=interrupt)
    assert finished_runs(eval_folder(config)) == []
    new = []

    def spy(pipeline, mode, by_document, hurry, questions):
        new.extend(question.id for question in questions)
        return ask_all(pipeline, mode, by_document, hurry, questions)

    monkeypatch.setattr(runs, "ask_all", spy)
    lines = []
    run = evaluate(SET, config, encoder=encoder, details=lines.append)
    assert new == ["q3"]
    assert [line["id"] for line in lines] == ["q1", "q2", "q3"]
    evaluate(SET, config, encoder=encoder)
    assert new == ["q3", "q1", "q2", "q3"]
    assert run.result["questions"] == 3


def test_a_run_is_not_picked_up_by_another_reader_of_the_same_name(config, monkeypatch):
    first = run_key(SET, config, "answers", "fa4e"), run_key(SET, config, "retrieval", "fa4e")
    monkeypatch.setattr(Calibration, "load", lambda *_: Calibration(1.0, {"reader": 2.0}))
    second = run_key(SET, config, "answers", "fa4e"), run_key(SET, config, "retrieval", "fa4e")
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_the_fingerprint_of_a_reader_changes_with_its_files_and_with_its_calibration(tmp_path):
    def reader(config, intercept):
        (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertForQuestionAnswering"], **config}))
        (tmp_path / "model.safetensors").write_bytes(b"")
        (tmp_path / "fitted").write_text(json.dumps(Calibration(intercept, {"reader": 1.0}).to_json()))
        settings = Config().replace("reader.model", str(tmp_path)).replace("reader.calibration", tmp_path / "fitted")
        return models(settings, "answers")["reader"]

    assert reader({}, 0.0) == reader({}, 0.0)
    assert len({reader({}, 0.0), reader({"layers": 2}, 0.0), reader({}, 1.0)}) == 3


@pytest.mark.parametrize("number", ["FAR", "READ_AT_ONCE", "LEADING", "LIKENESS", "COVERAGE"])
def test_the_fingerprint_of_a_reader_changes_with_the_numbers_that_rank_its_answers(number, monkeypatch):
    span, sentence = (Config().replace("reader.model", name) for name in ("span", "sentence"))
    before = models(span, "answers"), models(sentence, "answers")
    monkeypatch.setattr(runs, number, getattr(runs, number) + 1)
    assert models(span, "answers") != before[0]
    assert models(sentence, "answers") == before[1]


def test_settings_that_change_no_outcome_are_left_out(config):
    elsewhere = config.replace("index.path", "elsewhere").replace("ui.port", 1).replace("embedding.others", [{"model": "other"}])
    assert settings(elsewhere) == settings(config)
    assert settings(config.replace("embedding.model", "other")) != settings(config)


def test_models_that_are_not_asked_have_no_fingerprint(config, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    reranked = config.replace("retrieval.reranker", str(tmp_path))
    asked = {mode: [name for name, print_ in models(reranked, mode).items() if print_] for mode in ("answers", "retrieval", "reader")}
    assert asked == {"answers": ["reader", "reranker"], "retrieval": ["reranker"], "reader": ["reader"]}
    assert models(config, "retrieval") == {"reader": None, "reranker": None}


def test_judged_documents_are_searched_and_not_read(config, encoder):
    moon = Question("q1", "When did Apollo land on the Moon?", documents={"moon": 1})
    sun = Question("q2", "yellow star", documents={"sun": 2})
    run = evaluate(Dataset("beir", (MOON, SUN), (moon, sun)), config, encoder=encoder)
    assert (run.mode, run.result["metrics"]["nDCG@10"], run.result["metrics"]["EM"]) == ("retrieval", 1, None)
    assert [len({hit.article_id for hit in outcome.hits}) for outcome in run.outcomes] == [len(outcome.hits) for outcome in run.outcomes]


def test_gold_passages_are_read_without_search(config, encoder):
    run = evaluate(SET, config, "reader", encoder=encoder)
    assert run.result["questions"] == 2
    assert run.result["metrics"]["R@1"] is None
    assert [outcome.best for outcome in run.outcomes] == ["Apollo landed on the grey Moon in July.", "It warms the Earth."]
    with pytest.raises(DataError, match="no question has a gold passage to read"):
        evaluate(Dataset("tiny", (MOON, SUN), QUESTIONS[2:]), config, "reader", encoder=encoder)


def nothing():
    pass


class Failing:
    """Fails at questions about the Sun."""

    def __init__(self):
        self.searched = []

    def search(self, question, k):
        if "Sun" in question:
            raise ValueError("no Sun")
        self.searched.append(question)
        return ()

    def search_many(self, questions, k):
        return [self.search(question, k) for question in questions]


def test_a_question_that_fails_is_named_and_the_others_go_on():
    outcomes = list(ask_all(Failing(), "retrieval", False, nothing, QUESTIONS))
    assert [outcome.error for outcome in outcomes] == [None, "ValueError: no Sun", None]


def test_questions_asked_together_have_no_latency_and_the_failing_one_is_still_named():
    many = [Question(str(number), "Moon?") for number in range(TIMED + 3)] + [Question("x", "Sun?")]
    outcomes = list(ask_all(Failing(), "retrieval", False, nothing, many))
    assert [outcome.question.id for outcome in outcomes] == [question.id for question in many]
    assert all(outcome.latency_ms is not None for outcome in outcomes[:TIMED])
    assert outcomes[-1].error == "ValueError: no Sun"
    assert all(outcome.error is None for outcome in outcomes[:-1])


def test_a_reader_alone_has_nothing_to_read_where_whole_documents_are_judged(config, encoder):
    documents = (Question("q", "When?", documents={MOON.id: 1}),)
    with pytest.raises(DataError, match=r"no question has a gold passage to read \(leave out --gold-passages\)"):
        evaluate(Dataset("tiny", (MOON, SUN), documents), config, "reader", encoder=encoder)


def test_loading_the_model_is_no_part_of_what_an_index_costs(config):
    class Loading(FakeEncoder):
        loaded = False

        def encode_questions(self, texts):
            self.loaded = True
            return super().encode_questions(texts)

        def encode_passages(self, texts):
            assert self.loaded
            return super().encode_passages(texts)

    evaluate(SET, config, "retrieval", encoder=Loading())


def test_sentences_are_encoded_once_after_the_questions_that_are_timed(config, encoder, monkeypatch):
    monkeypatch.setattr("qa.evaluation.asking.TIMED", 1)
    many = tuple(Question(str(number), "When did Apollo land on the grey Moon?") for number in range(9))
    run = evaluate(Dataset("tiny", (MOON, SUN), many), config, encoder=encoder)
    asked = encoder.encoded.count("Two men walked there for hours.")
    assert asked == 1 + 1 + 1  # to warm up, for the timed question, and for the eight others together
    assert [outcome.latency_ms is not None for outcome in run.outcomes] == [True] + [False] * 8


def test_a_run_in_which_everything_fails_is_no_result(config, encoder, monkeypatch):
    monkeypatch.setattr("qa.evaluation.asking.standalone_question", lambda *_: 1 / 0)
    with pytest.raises(DataError, match="every question failed, the first with ZeroDivisionError"):
        evaluate(SET, config, "retrieval", encoder=encoder)
