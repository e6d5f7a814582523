"""The reader's training on a few made-up questions: examples, batches, the schedule, marks, and runs that are stopped and go on."""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import MPNetConfig, MPNetForQuestionAnswering

from training import train
from training.evaluate import auroc
from training.examples import Negatives, Question, read_squad
from training.export import quantized
from training.features import Feature, Featurizer, cut
from training.learning import loss_of
from training.sources import SOURCES, Mix, stream
from training.teacher import Teacher, mark, marked_stream, read_marked

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
    tokenizer = Tokenizer.from_file(str(train.encoder_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def drawn(data: dict[str, list[Question]], tokenizer: Tokenizer, mix: Mix, count: int, seed: int = 1) -> list[Feature]:
    examples = stream(mix, data, Featurizer(tokenizer), random.Random(seed))
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
    mix = Mix(titled=True, reworded=0.1)
    assert drawn(data, tokenizer, mix, 50) == drawn(data, tokenizer, mix, 50)
    assert drawn(data, tokenizer, mix, 50) != drawn(data, tokenizer, mix, 50, seed=2)


def test_shares_of_negatives_are_kept(data: dict[str, list[Question]], tokenizer: Tokenizer) -> None:
    def unanswerable(mix: Mix) -> float:
        return sum(f.start == 0 for f in drawn(data, tokenizer, mix, 600)) / 600

    assert unanswerable(Mix(negatives=0.0)) == 0
    assert unanswerable(Mix(negatives=0.5)) < unanswerable(Mix(reworded=0.1)) < 0.5


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


def small_teacher(folder: Path, tokenizer: Tokenizer) -> Teacher:
    """Of random weights, its vocabulary in another order than the small reader's and with its own special tokens."""
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}
    words = [names.get(word, word) for word in sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get, reverse=True)]  # type: ignore[arg-type]
    turned = json.loads(tokenizer.to_str())
    turned["model"]["vocab"] = {word: number for number, word in enumerate(words)}
    turned["added_tokens"] = []
    turned["post_processor"] = None
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(turned), encoding="utf-8")
    torch.manual_seed(5)
    size = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 32}
    MPNetForQuestionAnswering(MPNetConfig(vocab_size=len(words), **size)).save_pretrained(folder)
    return Teacher(folder, tokenizer)


def test_a_teacher_reads_the_same_words(tmp_path: Path, tokenizer: Tokenizer) -> None:
    teacher = small_teacher(tmp_path / "large", tokenizer)
    large = Tokenizer.from_file(str(tmp_path / "large" / "tokenizer.json"))
    ids = tokenizer.encode("the mill of [SEP] arlow [MASK]", add_special_tokens=True).ids
    words = [large.id_to_token(number) for number in teacher.numbers[torch.tensor(ids)].tolist()]
    assert words == ["<s>", "the", "mill", "of", "</s>", "ar", "##low", "<mask>", "</s>"]


def test_marks_come_back_as_they_were_written_and_shards_that_are_there_stay(
    tmp_path: Path, data: dict[str, list[Question]], tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.teacher.SHARD", 20)
    teacher = small_teacher(tmp_path / "large", tokenizer)
    mark(teacher, tokenizer, data, tmp_path / "marks", 2, 1, Event())
    first, second = (path.read_bytes() for path in sorted((tmp_path / "marks").iterdir()))
    (tmp_path / "marks" / "001.safetensors").unlink()
    mark(teacher, tokenizer, data, tmp_path / "marks", 2, 1, Event())
    assert [path.read_bytes() for path in sorted((tmp_path / "marks").iterdir())] == [first, second]
    assert first != second
    features = read_marked(tmp_path / "marks")
    assert len(features) == 40
    assert all(f.marks is not None and f.marks.shape == (2, len(f.ids)) for f in features)
    stripped = {(tuple(f.ids), f.start, f.end) for f in features}
    masked = marked_stream(features, 103, 0.0, random.Random(1))
    assert {(tuple(f.ids), f.start, f.end) for f in (next(masked) for _ in range(40))} == stripped


class Fixed(torch.nn.Module):
    """Whatever it is asked, these logits."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.start_logits = self.end_logits = logits

    def forward(self, **_: torch.Tensor) -> Fixed:
        return self


def test_a_student_that_thinks_as_its_teacher_loses_less() -> None:
    plain = Feature([101, 5, 102, 6, 7, 8, 102], 3, 4, 4)
    marks = np.full((2, 7), -1e4, dtype=np.float16)
    marks[:, [0, 3, 4, 5]] = [1.0, 0.0, 3.0, 1.0]
    taught = replace(plain, marks=marks)
    agrees = Fixed(torch.tensor([[1.0, 0, 0, 0.0, 3.0, 1.0, 0]]))
    differs = Fixed(torch.tensor([[1.0, 0, 0, 1.0, 3.0, 0.0, 0]]))
    cpu = torch.device("cpu")
    assert torch.isclose(loss_of(agrees, [plain], cpu), loss_of(differs, [plain], cpu))
    assert loss_of(agrees, [taught], cpu) < loss_of(differs, [taught], cpu)


def arguments(folder: Path, output: Path, stop: int) -> argparse.Namespace:
    return argparse.Namespace(
        data=folder, output=output, teacher=None, dev=None, encoder=None, stop=stop, eval_every=500, threads=1
    )


@pytest.mark.model
def test_a_run_that_was_stopped_ends_as_one_that_was_not(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = [train.Phase(phase.name, 2, phase.rate, mix=phase.mix, dropout=phase.dropout, after=phase.after) for phase in train.PHASES[1:5]]
    monkeypatch.setattr(train, "PHASES", tuple(short))
    monkeypatch.setattr(train, "MAX_TOKENS", 200)
    train.Run(arguments(folder, tmp_path / "whole", 8)).go(None)
    for stop in (3, 5, 8):
        train.Run(arguments(folder, tmp_path / "pieces", stop)).go(stop)
    whole, pieces = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "pieces"))
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)
    ends = [load_file(tmp_path / "whole" / f"{phase.name}.safetensors")["qa_outputs.weight"] for phase in short[-2:]]
    assert torch.equal(whole["qa_outputs.weight"], (ends[0] + ends[1]) / 2)


def test_rounded_weights_are_within_half_a_step() -> None:
    weights = {"matrix": torch.randn(8, 128), "vector": torch.randn(128)}
    stored = quantized(weights)
    back = (stored["matrix"].float().reshape(8, 2, 64) * stored["matrix.scale"][:, :, None]).reshape(8, 128)
    assert (back - weights["matrix"]).abs().max() <= stored["matrix.scale"].max() / 2 + 1e-6
    assert torch.equal(stored["vector"], weights["vector"])


def test_auroc() -> None:
    assert auroc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auroc([0.0, 3.0], [1.0, 2.0]) == 0.5
