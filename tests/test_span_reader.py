from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    DebertaV2Config,
    DebertaV2ForQuestionAnswering,
    DistilBertConfig,
    DistilBertForQuestionAnswering,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForQuestionAnswering,
)

from qa import span_model
from qa.datatypes import Hit, Passage
from qa.errors import ModelError
from qa.span_reader import MAX_SPAN, SpanReader
from qa.span_runtimes import on_torch

WORDS = "who built the old tower in paris gustave eiffel was engineer it stands there now a b c d e".split()
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
TINY = {"vocab_size": len(SPECIAL) + len(WORDS), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 8, "max_position_embeddings": 64}  # fmt: skip


def hit(text: str, start: int = 0, article: str = "a") -> Hit:
    return Hit(Passage(article, start, start + len(text), text), 1.0)


def word_tokenizer(type_ids: bool = True) -> PreTrainedTokenizerFast:
    """One token a word, lower-cased; `[CLS] question [SEP] passage [SEP]`."""
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = {
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
    }
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if type_ids else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=words, model_input_names=inputs, model_max_length=64, **names)


class WordModel:
    """A model whose logits are read off a table of words, so that tests can say which span is best."""

    def __init__(self, starts: dict[str, float], ends: dict[str, float], null: float = 0.0) -> None:
        self.config = SimpleNamespace(max_position_embeddings=64, model_type="bert")
        self._tables = [torch.zeros(TINY["vocab_size"]), torch.zeros(TINY["vocab_size"])]
        for table, logits in zip(self._tables, (starts, ends), strict=True):
            table[1] = null / 2
            for word, logit in logits.items():
                table[(SPECIAL + WORDS).index(word)] = logit
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, input_ids: torch.Tensor, **_: torch.Tensor) -> SimpleNamespace:
        self.batches.append(tuple(input_ids.shape))
        return SimpleNamespace(start_logits=self._tables[0][input_ids], end_logits=self._tables[1][input_ids])


@pytest.fixture
def make_reader(monkeypatch: pytest.MonkeyPatch):
    def make(model: WordModel, spans_per_passage: int = 3) -> SpanReader:
        monkeypatch.setattr("qa.span_reader.reader_folder", lambda name: Path())
        monkeypatch.setattr("qa.span_reader.load_span_model", lambda name, backend: on_torch(word_tokenizer(), model))
        return SpanReader("fake", spans_per_passage)

    return make


def test_best_span_comes_first_with_its_place_in_the_article_and_score_over_null(make_reader):
    reader = make_reader(WordModel({"gustave": 5.0}, {"eiffel": 4.0}, null=3.0), spans_per_passage=1)
    (span,) = reader.read("Who built the tower?", [hit("The engineer Gustave Eiffel was there", start=100)])
    assert (span.text, span.start, span.end, span.score) == ("Gustave Eiffel", 113, 127, 6.0)


def test_scores_compare_across_passages(make_reader):
    reader = make_reader(WordModel({"gustave": 5.0, "paris": 3.0}, {"eiffel": 4.0, "paris": 3.0}), spans_per_passage=1)
    spans = reader.read("Who?", [hit("in Paris now", article="a"), hit("Gustave Eiffel", article="b")])
    assert [(s.hit.passage.article_id, s.text, s.score) for s in spans] == [
        ("b", "Gustave Eiffel", 9.0),
        ("a", "Paris", 6.0),
    ]


def test_words_of_the_question_are_no_answer(make_reader):
    reader = make_reader(WordModel({"tower": 9.0, "paris": 1.0}, {"tower": 9.0, "paris": 1.0}), spans_per_passage=1)
    (span,) = reader.read("the tower", [hit("in Paris now")])
    assert span.text == "Paris"


def test_a_model_that_reads_titles_sees_the_title_and_never_answers_with_it(make_reader):
    model = WordModel({"tower": 9.0, "paris": 1.0}, {"tower": 9.0, "paris": 1.0})
    passage = Passage("a", 0, len("in Paris now"), "in Paris now", title="the old tower")
    (plain,) = make_reader(model, spans_per_passage=1).read("who", [Hit(passage, 1.0)])
    model.config.reads_titles = True
    (titled,) = make_reader(model, spans_per_passage=1).read("who", [Hit(passage, 1.0)])
    assert plain.text == titled.text == "Paris"
    titles_and_separator = 4
    assert model.batches[1][1] == model.batches[0][1] + titles_and_separator


def test_a_title_longer_than_the_model_leaves_room_for_the_passage(make_reader):
    model = WordModel({"gustave": 5.0}, {"eiffel": 4.0})
    model.config.reads_titles = True
    text = "b " * 200 + "Gustave Eiffel"
    passage = Passage("a", 0, len(text), text, title="the old tower " * 100)
    (span,) = make_reader(model, spans_per_passage=1).read("who built it " * 50, [Hit(passage, 1.0)])
    assert span.text == "Gustave Eiffel"


@pytest.mark.parametrize("question", ["Why was Eiffel there?", "Was Eiffel there?"])
def test_reasons_and_yes_or_no_get_the_whole_sentence(make_reader, question):
    text = "It stands in Paris now. Gustave Eiffel was there. The tower is old."
    (span,) = make_reader(WordModel({"gustave": 5.0}, {"eiffel": 4.0}), spans_per_passage=1).read(question, [hit(text, start=10)])
    assert (span.text, span.start) == ("Gustave Eiffel was there.", 34)


def test_a_tokenizer_without_offsets_is_refused_in_one_line(tmp_path, monkeypatch):
    folder = save_tiny(tmp_path, "bert")
    slow = SimpleNamespace(is_fast=False)
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: slow)
    with pytest.raises(ModelError, match="tokenizer gives no offsets"):
        SpanReader(str(folder)).read("who", [hit("Paris")])


def test_an_end_before_its_start_is_no_span(make_reader):
    reader = make_reader(WordModel({"eiffel": 5.0}, {"gustave": 5.0}), spans_per_passage=1)
    (span,) = reader.read("who", [hit("a Gustave b Eiffel c")])
    assert span.score == 5.0
    assert span.text in ("a Gustave", "Gustave", "Eiffel", "Eiffel c")


def test_spans_of_a_passage_do_not_overlap(make_reader):
    reader = make_reader(WordModel({"gustave": 5.0, "eiffel": 4.5, "paris": 2.0}, {"eiffel": 5.0, "paris": 2.0}))
    spans = reader.read("who", [hit("Gustave Eiffel in Paris")])
    assert spans[0].text == "Gustave Eiffel"
    assert all(later.start >= spans[0].end for later in spans[1:])


def test_a_span_has_at_most_so_many_tokens(make_reader):
    reader = make_reader(WordModel({"gustave": 50.0}, {"eiffel": 50.0, "c": 1.0}), spans_per_passage=1)
    (span,) = reader.read("who", [hit("Gustave" + " b" * MAX_SPAN + " Eiffel")])
    assert len(span.text.split()) <= MAX_SPAN


def test_a_passage_longer_than_the_model_is_read_to_its_end(make_reader):
    model = WordModel({"gustave": 5.0}, {"eiffel": 4.0})
    text = "b " * 500 + "Gustave Eiffel"
    (span,) = make_reader(model, spans_per_passage=1).read("who built it", [hit(text, start=7)])
    assert (span.text, span.start, span.score) == ("Gustave Eiffel", 1007, 9.0)
    assert all(length <= 64 for _, length in model.batches)


def test_a_question_longer_than_the_model_is_cut(make_reader):
    reader = make_reader(WordModel({"paris": 5.0}, {"paris": 4.0}), spans_per_passage=1)
    (span,) = reader.read("who " * 1000, [hit("it was in Paris")])
    assert span.text == "Paris"


def test_several_passages_are_one_batch(make_reader):
    model = WordModel({}, {})
    make_reader(model).read("who", [hit("it was in Paris"), hit("there"), hit("it stands in Paris now")])
    assert len(model.batches) == 1


def test_nothing_to_read_gives_no_spans(make_reader):
    reader = make_reader(WordModel({}, {}))
    assert reader.read("", [hit("Paris")]) == []
    assert reader.read(" \n", [hit("Paris")]) == []
    assert reader.read("who", []) == []
    assert reader.read("who", [hit("  ")]) == []


FAMILIES = {
    "bert": (BertConfig, BertForQuestionAnswering, {}),
    "roberta": (RobertaConfig, RobertaForQuestionAnswering, {"max_position_embeddings": 66, "pad_token_id": 0}),
    "distilbert": (DistilBertConfig, DistilBertForQuestionAnswering, {"dim": 8, "hidden_dim": 8, "n_heads": 2}),
    "deberta": (DebertaV2Config, DebertaV2ForQuestionAnswering, {}),
}


def save_tiny(folder: Path, family: str) -> Path:
    config, kind, extra = FAMILIES[family]
    torch.manual_seed(1)
    kind(config(**TINY | extra)).save_pretrained(folder)
    word_tokenizer(type_ids=family in ("bert", "deberta")).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_hugging_face_readers_of_every_family_quote_the_article(tmp_path: Path, family: str):
    article = "xxxx" + "the old tower in Paris was built " * 20
    passage = Passage("a", 4, len(article), article[4:])
    spans = SpanReader(str(save_tiny(tmp_path, family))).read("who built it", [Hit(passage, 1.0), hit("Gustave")])
    assert len(spans) == 4
    assert [s.score for s in spans] == sorted((s.score for s in spans), reverse=True)
    assert all(s.text == article[s.start : s.end] for s in spans if s.hit.passage is passage)
    assert [s.text for s in spans if s.hit.passage is not passage] == ["Gustave"]


def test_a_folder_without_a_span_head_is_refused_at_once(tmp_path: Path):
    BertModel(BertConfig(**TINY)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="its architecture is BertModel, expected one that ends in ForQuestionAnswering"):
        SpanReader(str(tmp_path))


def test_weights_without_the_span_head_are_refused(tmp_path: Path):
    BertModel(BertConfig(**TINY)).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"architectures": ["BertForQuestionAnswering"]}))
    word_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"lack qa_outputs\.bias, qa_outputs\.weight"):
        SpanReader(str(tmp_path)).read("who", [hit("Paris")])


def test_damaged_weights_are_one_line(tmp_path: Path):
    save_tiny(tmp_path, "bert")
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(ModelError) as error:
        SpanReader(str(tmp_path)).read("who", [hit("Paris")])
    assert "\n" not in str(error.value)


def test_a_missing_folder_is_refused_at_once(tmp_path: Path):
    with pytest.raises(ModelError, match="not found"):
        SpanReader(str(tmp_path / "nowhere"))


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the shipped reader: one file and its manifest."""
    monkeypatch.setattr(span_model, "SHIPPED_FOLDER", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps({"sha256": {"model.safetensors": digest}}))
    return tmp_path


def test_changed_weights_of_the_shipped_reader_are_refused(shipped: Path):
    (shipped / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"was changed: SHA-256 d9298a10d1b0…, expected 9a129038d9a0"):
        SpanReader()


@pytest.mark.parametrize("file", ["model.safetensors", "manifest.json"])
def test_a_missing_file_of_the_shipped_reader_is_named(shipped: Path, file: str):
    (shipped / file).unlink()
    with pytest.raises(ModelError, match=f"{file}.*git checkout"):
        SpanReader()


def test_unfolding_multiplies_groups_of_a_row_by_their_scales():
    stored = {"w": torch.tensor([[127, -127], [2, 0]], dtype=torch.int8), "w.scale": torch.tensor([[0.5, 1.0], [1.0, 2.0]])}
    stored["b"] = torch.tensor([1.5], dtype=torch.float16)
    unfolded = span_model.unfolded(stored)
    assert unfolded["w"].tolist() == [[63.5, -127.0], [2.0, 0.0]]
    assert unfolded["b"].tolist() == [1.5]
    assert set(unfolded) == {"w", "b"}


def test_the_shipped_reader_answers_a_plain_question():
    text = "The tower was designed by the engineer Gustave Eiffel. It stands in Paris and opened on 31 March 1889."
    spans = SpanReader().read("When did the tower open?", [hit("It rains in Spain."), hit(text, start=50, article="b")])
    assert spans[0].text == "31 March 1889"
    assert spans[0].start == 50 + text.index("31 March")
