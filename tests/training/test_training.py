"""The reader's training on a few made-up questions: examples, batches, the schedule, and runs that are stopped and go on."""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from qa.model_files import model_folder
from qa.span_model import unfolded
from training import learning, train
from training.evaluate import auroc
from training.examples import Negatives, Question, Written, placed, read_squad, read_written
from training.export import WORDS, quantized
from training.features import Feature, Featurizer, cut
from training.sources import SOURCES, Mix, stream

SMALL = model_folder("all-MiniLM-L6-v2")  # an encoder that is there, in the place of the one that is trained
WRITTEN = [
    Written("Arlow/0", "When did the mill of Arlow burn down?", None),
    Written("Arlow/0", "What took the wheel?", (95, 102)),
    Written("Dunvale/0", "Who paid John Harrow?", None),
]
TOWNS = ("Arlow", "Benmore", "Corrie", "Dunvale", "Eastwick", "Farnley")


def paragraph(town: str, year: int) -> str:
    return (
        f"The mill of {town} was built in {year} by the weaver John Harrow. It stood beside the river until a flood took "
        f"its wheel. Visitors of {town} still cross the old stone bridge to reach the northern market every summer."
    )


def squad(path: Path) -> None:
    articles = []
    for number, town in enumerate(TOWNS):
        year = 1790 + 7 * number
        context = paragraph(town, year)
        qas = [
            {"id": f"{town}/{i}", "question": asked, "answers": [{"text": answer, "answer_start": context.index(answer)}]}
            for i, (asked, answer) in enumerate(
                [
                    (f"When was the mill of {town} built?", str(year)),
                    ("Who built the first mill?", "John Harrow"),
                    (f"What do visitors of {town} cross?", "the old stone bridge"),
                ]
            )
        ]
        articles.append({"title": f"Mills/{town}" if number < 3 else "Mills", "paragraphs": [{"context": context, "qas": qas}]})
    articles.append({"title": "Mills", "paragraphs": [{"context": paragraph("Gorse", 1900), "qas": []}]})
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader_train")
    for source in SOURCES:
        squad(folder / f"{source.file}.json")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> dict[str, list[Question]]:
    return {s.file: read_squad(folder / f"{s.file}.json", s.one_pool, s.titled) for s in SOURCES}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(SMALL / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def drawn(data: dict[str, list[Question]], tokenizer: Tokenizer, mix: Mix, count: int, seed: int = 1) -> list[Feature]:
    examples = stream(mix, data, {"first": WRITTEN}, Featurizer(tokenizer), random.Random(seed))
    return [next(examples) for _ in range(count)]


@pytest.mark.parametrize("kind", ["mined", "removed", "changed", "reworded"])
def test_a_negative_does_not_hold_the_answer_or_asks_something_else(data: dict[str, list[Question]], kind: str) -> None:
    questions = data["squad_sample"]
    made = [(q, Negatives(questions).make(q, kind, random.Random(n))) for n, q in enumerate(questions)]
    negatives = [(question, negative) for question, negative in made if negative is not None]
    assert negatives
    for question, negative in negatives:
        assert not negative.spans
        if kind in ("mined", "removed"):
            assert negative.question == question.question
            assert not any(answer.lower() in negative.context.lower() for answer in question.answers)
        else:
            assert negative.question != question.question
            assert negative.context == question.context


def test_a_features_tokens_are_the_answers(data: dict[str, list[Question]], tokenizer: Tokenizer) -> None:
    for question in data["squad1_part"]:
        for room in (272, 40):
            feature = Featurizer(tokenizer)(question, room, random.Random(3), "Mills of the north")
            assert feature is not None
            assert len(feature.ids) <= room
            assert tokenizer.decode(feature.ids[feature.start : feature.end + 1]) == question.answers[0].lower()


def test_the_same_seed_gives_the_same_examples(data: dict[str, list[Question]], tokenizer: Tokenizer) -> None:
    mix = Mix(titled=True, negatives={"reworded": 0.1})
    assert drawn(data, tokenizer, mix, 50) == drawn(data, tokenizer, mix, 50)
    assert drawn(data, tokenizer, mix, 50) != drawn(data, tokenizer, mix, 50, seed=2)


def test_shares_of_negatives_are_kept(data: dict[str, list[Question]], tokenizer: Tokenizer) -> None:
    def unanswerable(mix: Mix) -> float:
        return sum(f.start == 0 for f in drawn(data, tokenizer, mix, 600)) / 600

    assert 0.2 < unanswerable(Mix()) < unanswerable(Mix(negatives={"reworded": 0.1})) < 0.5
    refusing = Mix(written=("first",), unanswered=0.15)
    assert 0.2 < unanswerable(Mix()) < unanswerable(refusing) < 0.5
    assert unanswerable(Mix(written=("first",), unanswered=0.15, answered=0.4)) == pytest.approx(unanswerable(refusing), abs=0.05)


def test_written_questions_stand_on_their_paragraphs(data: dict[str, list[Question]]) -> None:
    found = placed(data["squad1_part"], WRITTEN)
    assert [(q.question, q.answers) for q in found] == [(w.question, ("a flood",) if w.span else ()) for w in WRITTEN]
    assert [q.title for q in found] == ["Mills/Arlow", "Mills/Arlow", "Mills"]
    assert placed(data["squad1_part"][1:2], WRITTEN) == []


def test_the_written_questions_are_questions_each_once() -> None:
    files = {path.stem: read_written(path) for path in train.WRITTEN.glob("*.tsv")}
    assert len(files["first"]) > 2000
    assert all(w.question.endswith("?") and w.span is None for w in files["first"])  # the later ones are typed as people type
    written = [w for file in files.values() for w in file]
    assert all(len(file) > 700 for file in files.values())
    assert set(train.FILES) <= set(files)
    assert len({(w.first, w.question) for w in written}) == len(written)
    assert all(w.question and w.question == " ".join(w.question.split()) for w in written)
    assert all(w.span is None or 0 <= w.span[0] < w.span[1] for w in written)


def test_batches_hold_every_example_once_within_the_limits(data: dict[str, list[Question]], tokenizer: Tokenizer) -> None:
    features = drawn(data, tokenizer, Mix(), 100)
    ready = cut(features, 600, 8)
    assert sorted(id(f) for batch in ready for f in batch) == sorted(id(f) for f in features)
    assert all(len(batch) <= 8 and len(batch) * max(len(f.ids) for f in batch) <= 600 for batch in ready)


def test_rates_rise_and_fall_as_the_schedule_says() -> None:
    for phase in train.PHASES:
        rates = [phase.rate_at(step) for step in range(phase.steps)]
        assert max(rates) <= phase.rate
        assert rates[-1] == (phase.rate if not phase.falls else pytest.approx(phase.rate / phase.steps))
        assert not phase.warmup or rates[0] == pytest.approx(phase.rate / phase.warmup, rel=0.01)


def arguments(folder: Path, output: Path, stop: int) -> argparse.Namespace:
    return argparse.Namespace(data=folder, output=output, dev=None, encoder=SMALL, stop=stop, eval_every=500, threads=1)


@pytest.mark.parametrize("has_it", [True, False])
def test_bfloat16_is_left_to_processors_that_have_it(has_it: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "torch_has_bfloat16", lambda: has_it)
    with learning.bfloat16_where_it_is_fast(torch.device("cpu")):
        product = torch.nn.Linear(2, 2)(torch.zeros(1, 2))
    assert product.dtype == (torch.bfloat16 if has_it else torch.float32)


@pytest.mark.model
def test_a_run_that_was_stopped_ends_as_one_that_was_not(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = [train.Phase(phase.name, 2, phase.rate, phase.mix, dropout=phase.dropout, after=phase.after) for phase in train.PHASES]
    monkeypatch.setattr(train, "PHASES", tuple(short))
    monkeypatch.setattr(train, "MAX_TOKENS", 200)
    steps = 2 * len(short)
    train.Run(arguments(folder, tmp_path / "whole", steps)).go(None)
    for stop in (3, 5, steps):
        train.Run(arguments(folder, tmp_path / "pieces", stop)).go(stop)
    whole, pieces = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "pieces"))
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)
    ends = [load_file(tmp_path / "whole" / f"{name}.safetensors")["qa_outputs.weight"] for name in train.MEAN]
    assert torch.equal(whole["qa_outputs.weight"], torch.stack(ends).mean(dim=0))


def test_rounded_weights_are_within_half_a_step() -> None:
    weights = {"matrix": torch.randn(8, 128), "vector": torch.randn(128)}
    stored = quantized(weights)
    back = unfolded(stored)
    assert (back["matrix"] - weights["matrix"]).abs().max() <= stored["matrix.scale"].max() / 2 + 1e-6
    assert torch.equal(back["vector"], weights["vector"])


def test_word_vectors_that_had_four_bits_are_given_back_exactly() -> None:
    values = torch.randint(-8, 8, (5, 4, 32))
    values[:, :, 3] = -8
    values[2, 1] = 0
    vectors = (values * torch.rand(5, 4, 1).half().float()).reshape(5, 128)
    stored = quantized({WORDS: vectors})
    assert stored[WORDS].shape == (5, 64)
    assert torch.equal(unfolded(stored)[WORDS], vectors)


def test_auroc() -> None:
    assert auroc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auroc([0.0, 3.0], [1.0, 2.0]) == 0.5
