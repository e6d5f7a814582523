"""An encoder in int8: calibrated once, on the passages that are indexed first, and the same one from then on. The model is tiny."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import islice, permutations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import article
from tiny_models import save_model

from qa import quantized
from qa.config import Config, Embedding
from qa.encoder import calibrate_encoder, load_encoder
from qa.errors import ModelError
from qa.exported import cache_folder
from qa.indexer import index_articles
from qa.retriever import Retriever
from qa.store import Store

WORDS = "one two three four five six seven eight nine ten".split()
TEXTS = [" ".join(words) for words in islice(permutations(WORDS, 3), quantized.LEAST)]
OTHERS = [f"{text} {WORDS[0]}" for text in TEXTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"), WORDS)


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the float export, which takes longest."""
    cache = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_CACHE", str(cache))
        load_encoder(Embedding(model=str(folder), backend="openvino")).encode_questions(["one"])
    return cache


@pytest.fixture
def settings(folder: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedding:
    shutil.copytree(exported, tmp_path / "cache")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))
    return Embedding(model=str(folder), precision="int8")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of NNCF, which takes seconds: the graph as it is."""
    as_it_is = {"quantize": lambda graph, *_, **__: graph, "Dataset": list, "set_log_level": int}
    monkeypatch.setitem(sys.modules, "nncf", SimpleNamespace(**as_it_is, ModelType=SimpleNamespace(TRANSFORMER=None)))


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=1)


@pytest.mark.timeout(600)
def test_vectors_are_nearly_those_of_the_reference_and_not_taken_for_them(settings, capfd):
    encoder, reference = load_encoder(settings), load_encoder(settings.model_copy(update={"precision": "float32"}))
    calibrate_encoder(encoder, lambda: TEXTS)
    found, expected = encoder.encode_passages(TEXTS), reference.encode_passages(TEXTS)
    assert cosines(found, expected).mean() > 0.98
    assert not np.allclose(found, expected, atol=1e-5)
    assert encoder.fingerprint != reference.fingerprint
    assert capfd.readouterr() == ("", "")  # a command's output may be read by a program


def test_what_was_calibrated_stays_so_whatever_comes_later(quick, settings):
    first = load_encoder(settings)
    calibrate_encoder(first, lambda: TEXTS)
    later = load_encoder(settings)
    calibrate_encoder(later, lambda: OTHERS)
    assert later.fingerprint == first.fingerprint
    assert np.array_equal(later.encode_questions(TEXTS), first.encode_questions(TEXTS))


def test_other_passages_make_another_encoder(quick, settings):
    first, second = load_encoder(settings), load_encoder(settings)
    calibrate_encoder(first, lambda: TEXTS)
    assert first.fingerprint
    for made in cache_folder().glob("int8-*/"):
        shutil.rmtree(made)
    calibrate_encoder(second, lambda: OTHERS)
    assert second.fingerprint != first.fingerprint


def test_once_calibrated_it_runs_without_nncf_and_torch(quick, settings):
    encoder = load_encoder(settings)
    calibrate_encoder(encoder, lambda: TEXTS)
    program = (
        "import sys; from qa.config import Embedding; from qa.encoder import load_encoder\n"
        "encoder = load_encoder(Embedding(model=sys.argv[1], precision='int8'))\n"
        "print(encoder.fingerprint, encoder.encode_questions(['one']).shape, [name for name in ('nncf', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, settings.model], capture_output=True, text=True, check=True)
    assert done.stdout == f"{encoder.fingerprint} (1, 16) []\n"


def test_it_is_calibrated_while_the_first_passages_are_indexed_and_finds_them(quick, settings, config: Config):
    config = config.model_copy(update={"embedding": settings})
    index_articles(config, [article(f"{number}", text) for number, text in enumerate(TEXTS)])
    again = index_articles(config, [article("more", "ten ten ten")])
    assert (again.encoded, again.passages) == (1, len(TEXTS) + 1)
    with Store.open(config.index.path) as store:
        hits = Retriever(config, store, load_encoder(settings)).search("ten ten ten", 1)
    assert hits[0].passage.article_id == "more"


def test_an_index_that_is_there_already_is_what_it_is_calibrated_on(quick, settings, config: Config):
    before = config.model_copy(update={"embedding": settings.model_copy(update={"precision": "float32"})})
    index_articles(before, [article(f"{number}", text) for number, text in enumerate(TEXTS)])
    report = index_articles(config.model_copy(update={"embedding": settings}), [article("more", "ten ten ten")])
    assert report.encoded == len(TEXTS) + 1


def test_too_few_passages_are_told(settings, config: Config):
    config = config.model_copy(update={"embedding": settings})
    with pytest.raises(ModelError, match=r"^embedding.precision = 'int8' is calibrated on passages, at least 64, and there are 1 \(set"):
        index_articles(config, [article("one", "one two three")])


def test_asking_before_it_is_calibrated_is_told(settings):
    encoder = load_encoder(settings)
    for ask in (lambda: encoder.fingerprint, lambda: encoder.encode_questions(["one"])):
        with pytest.raises(ModelError, match=r"^embedding.precision = 'int8' wants .* calibrated on .* your own \(run: qa index\)$"):
            ask()


def test_a_damaged_one_is_made_again(quick, settings):
    encoder = load_encoder(settings)
    calibrate_encoder(encoder, lambda: TEXTS)
    (graph,) = cache_folder().glob("int8-*/model.bin")
    graph.write_bytes(b"")
    with pytest.raises(ModelError, match="run: qa index"):
        load_encoder(settings).encode_questions(["one"])
    again = load_encoder(settings)
    calibrate_encoder(again, lambda: TEXTS)
    assert np.array_equal(again.encode_questions(["one"]), encoder.encode_questions(["one"]))


def test_without_nncf_the_extra_is_named(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ModelError, match=r"needs another package, once \(pip install 'qa\[int8\]'\)$"):
        calibrate_encoder(load_encoder(settings), lambda: TEXTS)


def test_torch_cannot(settings):
    with pytest.raises(ModelError, match="embedding.backend = 'torch'"):
        load_encoder(settings.model_copy(update={"backend": "torch"}))


def test_a_model_whose_vectors_suffer_is_refused(quick, settings, monkeypatch):
    monkeypatch.setattr("qa.encoder_runtimes.ALIKE", 1.1)
    with pytest.raises(ModelError, match=r"cannot run in int8: its vectors are others then \(cosine 1\.0000 on average\) \(set"):
        calibrate_encoder(load_encoder(settings), lambda: TEXTS)


def test_a_cache_that_cannot_be_written_is_told(quick, settings, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"file cannot be written, and embedding.precision = 'int8' needs it \(set QA_CACHE\)$"):
        calibrate_encoder(load_encoder(settings), lambda: TEXTS)


def test_texts_are_taken_from_everywhere_and_not_too_many():
    texts = [str(number) for number in range(5 * quantized.MOST)]
    assert list(quantized.spread(texts)) == texts[::5]
    assert len(quantized.spread(texts[: quantized.MOST + 1])) == quantized.MOST
