"""OpenVINO beside torch: the same vectors, or a plain word why not. The models are tiny but for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import save_model

from qa import encoder_runtimes
from qa.config import Embedding
from qa.encoder import Encoder, load_encoder
from qa.encoder_runtimes import OpenVinoRuntime, TorchRuntime
from qa.errors import ModelError

TEXTS = ["one two three", "  Three ONE\n", "two " * 300, "one", "five, one; two?", *(f"one {'two ' * n}three" for n in range(40))]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))


def loaded(folder: Path, **settings: Any) -> Encoder:
    return load_encoder(Embedding(model=str(folder), **settings))


def runtime(encoder: Encoder) -> object:
    return encoder._runtime  # type: ignore[attr-defined]


def saved(folder: Path, modules: Callable[[Any], list[Any]] | None = None) -> Path:
    """A tiny model, with other modules behind its transformer."""
    save_model(folder, TEXTS)
    if modules:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu")
        SentenceTransformer(modules=modules(model[0]), device="cpu").save(str(folder), create_model_card=False)
    return folder


def pooled(mode: str) -> Callable[[Any], list[Any]]:
    def modules(transformer: Any) -> list[Any]:
        from sentence_transformers.models import Normalize, Pooling

        return [transformer, Pooling(16, pooling_mode=mode), Normalize()]

    return modules


def with_dense(transformer: Any) -> list[Any]:
    from sentence_transformers.models import Dense, Pooling

    return [transformer, Pooling(16), Dense(16, 6)]


def static(_: Any) -> list[Any]:
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    return [StaticEmbedding(Tokenizer(WordLevel({"[UNK]": 0, "one": 1}, unk_token="[UNK]")), embedding_dim=4)]


def without_prompt(transformer: Any) -> list[Any]:
    from sentence_transformers.models import Pooling

    return [transformer, Pooling(16, include_prompt=False)]


KINDS = {mode: pooled(mode) for mode in ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")} | {"dense": with_dense}


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_those_of_sentence_transformers(tmp_path, kind):
    folder = saved(tmp_path / "model", KINDS[kind])
    reference, ours = loaded(folder, backend="torch"), loaded(folder, backend="openvino", precision="float32", batch_size=5)
    expected, found = reference.encode_passages(TEXTS), ours.encode_passages(TEXTS)
    assert isinstance(runtime(ours), OpenVinoRuntime)
    assert (found.shape, found.dtype) == (expected.shape, np.float32)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert (found * expected).sum(axis=1).min() >= 0.999999
    assert ours.fingerprint == reference.fingerprint


def test_prompts_are_put_before_and_count_for_what_is_cut_off(tmp_path):
    folder = saved(tmp_path / "model")
    prompts = {"query_prompt": "five two: ", "passage_prompt": "one "}
    reference = loaded(folder, backend="torch", **prompts)
    ours = loaded(folder, backend="openvino", precision="float32", **prompts)
    for expected, found in (
        (reference.encode_questions(TEXTS), ours.encode_questions(TEXTS)),
        (reference.encode_passages(TEXTS), ours.encode_passages(TEXTS)),
    ):
        assert (found * expected).sum(axis=1).min() >= 0.999999


def test_texts_of_about_the_same_length_are_encoded_together_and_not_too_many_tokens(tmp_path, monkeypatch):
    monkeypatch.setattr(encoder_runtimes, "CACHED", 64)
    encoder = loaded(saved(tmp_path / "model"), backend="openvino", batch_size=3)
    ours, shapes = runtime(encoder), []
    run = ours._run
    monkeypatch.setattr(ours, "_run", lambda inputs: shapes.append(inputs["attention_mask"].sum(axis=1).tolist()) or run(inputs))
    encoder.encode_passages(["one " * length for length in (40, 1, 20, 30, 2, 20, 20, 1, 1, 100)])
    assert shapes == [[1, 1, 1], [2, 20, 20], [20, 30], [40], [100]]


def test_nothing_to_encode_is_no_rows(tmp_path):
    assert loaded(saved(tmp_path / "model"), backend="openvino").encode_passages([]).shape == (0, 16)


def test_an_empty_text_has_a_vector_even_where_it_has_no_token(tmp_path):
    rows = loaded(saved(tmp_path / "model"), backend="openvino").encode_passages(["", "one"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        (static, "its first module is StaticEmbedding, expected Transformer"),
        (without_prompt, "its pooling leaves the prompt out"),
    ],
)
def test_a_model_that_cannot_be_exported_runs_on_torch_unless_openvino_is_asked_for(tmp_path, modules, reason):
    folder = saved(tmp_path / "model", modules)
    by_itself = loaded(folder)
    assert by_itself.encode_passages(["one"]).shape[0] == 1
    assert isinstance(runtime(by_itself), TorchRuntime)
    with pytest.raises(ModelError, match=rf"cannot run on OpenVINO: {reason} \(set embedding.backend to 'auto'\)$"):
        loaded(folder, backend="openvino").encode_passages(["one"])


def test_an_export_that_gives_other_vectors_is_not_used(tmp_path, monkeypatch):
    folder = saved(tmp_path / "model")
    monkeypatch.setattr(OpenVinoRuntime, "encode", lambda self, texts, prompt: np.zeros((len(texts), 16), np.float32))
    assert isinstance(runtime(loaded(folder)), TorchRuntime)
    with pytest.raises(ModelError, match=r"its export gives other vectors \(cosine to the reference 0\.0000\)"):
        runtime(loaded(folder, backend="openvino"))


def test_openvino_on_a_graphics_processor_is_a_contradiction(tmp_path):
    with pytest.raises(ModelError, match="embedding.device = 'cuda'"):
        runtime(loaded(saved(tmp_path / "model"), backend="openvino", device="cuda"))


def test_torch_is_taken_where_there_is_a_graphics_processor(tmp_path, monkeypatch):
    wants = encoder_runtimes._wants_graphics
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(encoder_runtimes, "GRAPHICS", (tmp_path / "driver",))
    assert (wants("auto"), wants("cpu"), wants("cuda:1")) == (False, False, True)
    (tmp_path / "driver").write_text("")
    for available in (True, False):
        monkeypatch.setattr("torch.cuda.is_available", lambda: available)  # noqa: B023
        assert (wants("auto"), wants("cpu")) == (available, False)


@pytest.mark.model
@pytest.mark.timeout(600)
def test_the_bundled_model_gives_the_same_vectors_on_openvino():
    texts = ["The whale is the largest animal of the sea.", "Größe 東京 e-mail", "Interest rates rose. " * 100, "a"]
    expected = load_encoder(Embedding(backend="torch")).encode_passages(texts)
    for precision, least in (("float32", 0.999999), ("bfloat16", 0.9999)):
        found = load_encoder(Embedding(backend="openvino", precision=precision)).encode_passages(texts)
        assert (found * expected).sum(axis=1).min() >= least, precision
