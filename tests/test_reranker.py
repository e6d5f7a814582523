"""Hits ordered anew by a cross-encoder: a tiny real one, and a stand-in whose order is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fakes import FakeEncoder, article
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification, PreTrainedTokenizerFast

from qa.config import Config
from qa.datatypes import Hit, Passage
from qa.errors import ModelError
from qa.reranker import CrossEncoderReranker
from qa.retriever import Retriever
from qa.store import Store

VOCABULARY = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "whales", "larks", "sea", "sky"]
TINY = {"vocab_size": len(VOCABULARY), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}


def save(folder: Path, kind: type = BertForSequenceClassification, labels: int = 1) -> str:
    torch.manual_seed(1)  # weights under which the three hits get different scores
    kind(BertConfig(**TINY, num_labels=labels)).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=64, **names).save_pretrained(folder)
    return str(folder)


def hit(text: str, number: int) -> Hit:
    return Hit(Passage("a", 0, len(text), text, "Title", number), 0.5)


class Reversing:
    """Ranks the last hit first; remembers how many it was given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        self.given.append(len(hits))
        return [replace(one, score=1 / rank) for rank, one in enumerate(reversed(hits), 1)]


def test_a_cross_encoder_orders_hits_by_its_own_scores_from_one_to_zero(tmp_path: Path):
    reranker = CrossEncoderReranker(save(tmp_path))
    hits = [hit("whales sea", 1), hit("larks sky", 2), hit("sky sea whales", 3)]
    ranked = reranker.rerank("whales", hits)
    assert {one.passage.number for one in ranked} == {1, 2, 3}
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert (ranked[0].score, ranked[-1].score) == (1.0, 0.0)
    assert [one.passage.number for one in reranker.rerank("whales", hits[::-1])] == [one.passage.number for one in ranked]
    assert reranker.rerank("whales", []) == []


def test_a_model_of_another_kind_is_refused_at_once(tmp_path: Path):
    with pytest.raises(ModelError, match="no reranker: its architecture is BertForQuestionAnswering"):
        CrossEncoderReranker(save(tmp_path, BertForQuestionAnswering))


def test_a_model_of_several_classes_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="tells 3 classes apart"):
        CrossEncoderReranker(save(tmp_path, labels=3)).rerank("whales", [hit("sea", 1)])


def test_a_missing_or_damaged_model_is_one_line(tmp_path: Path):
    with pytest.raises(ModelError, match="not found"):
        CrossEncoderReranker(str(tmp_path / "nowhere"))
    folder = save(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        CrossEncoderReranker(folder)
    (tmp_path / "model" / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"], "model_type": "bert"}))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"?")
    with pytest.raises(ModelError, match="cannot be loaded") as error:
        CrossEncoderReranker(folder).rerank("whales", [hit("sea", 1)])
    assert "\n" not in str(error.value)


def test_the_retriever_has_so_many_hits_ordered_anew_and_gives_those_asked_for(filled: Callable[..., Config]):
    config = filled(*(article(name, f"Whales live in the {name}.") for name in ("sea", "bay", "fjord")))
    config = config.replace("retrieval.reranked", 2)
    reranker = Reversing()
    store = Store.open(config.index.path)
    plain = Retriever(config, store, FakeEncoder()).search("whales in the sea", 3)
    anew = Retriever(config, store, FakeEncoder(), reranker).search("whales in the sea", 3)
    assert [one.passage for one in anew] == [plain[1].passage, plain[0].passage, plain[2].passage]
    assert [one.score for one in anew] == [1.0, 0.5, 0.0]
    (best,) = Retriever(config, store, FakeEncoder(), reranker).search("whales in the sea", 1)
    assert best.passage == plain[1].passage
    assert reranker.given == [2, 2]
