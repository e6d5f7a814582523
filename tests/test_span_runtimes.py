"""Readers on OpenVINO beside torch: the same spans and scores."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import article
from test_span_reader import FAMILIES, hit, save_tiny
from tiny_models import save_model

from qa.config import Reader as ReaderSettings
from qa.config import load_config
from qa.datatypes import Hit, Passage, Span
from qa.encoder import load_encoder
from qa.errors import ModelError
from qa.exported import NotExportable
from qa.indexer import index_articles
from qa.reader import load_reader as configured_reader
from qa.span_model import load_reader
from qa.span_reader import SpanReader
from qa.span_runtimes import SpanModel, load_span_model, on_openvino, on_torch

ARTICLES = Path(__file__).parent.parent / "eval" / "articles"
HITS = [hit("the old tower in Paris was built " * 20), hit("Gustave", start=3, article="b"), hit("it stands there now", article="c")]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))


def read(model: SpanModel, question: str, hits: list[Hit]) -> dict[tuple[str, int, int], Span]:
    reader = SpanReader()
    reader.__dict__["_model"] = model  # in place of the one that it would load
    return {(span.hit.passage.article_id, span.start, span.end): span for span in reader.read(question, hits)}


def same(found: dict[tuple[str, int, int], Span], expected: dict[tuple[str, int, int], Span], apart: float) -> bool:
    return found.keys() == expected.keys() and all(abs(found[place].score - expected[place].score) <= apart for place in expected)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "deberta"])
def test_spans_and_scores_are_those_of_torch(tmp_path, family):
    name = str(save_tiny(tmp_path / "model", family))
    ours, reference = on_openvino(name, "float32"), on_torch(*load_reader(name), "float32")
    for question in ("who built it", "is it the old tower", "who " * 100):
        assert same(read(ours, question, HITS), read(reference, question, HITS), 1e-4)


def test_titles_are_read_by_an_export_as_by_torch(tmp_path):
    name = str(save_tiny(tmp_path / "model", "bert"))
    plain = on_openvino(name, "float32")
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"reads_titles": True}))
    titled = [Hit(Passage("a", 0, 7, "Gustave", title="the old tower"), 1.0)]
    ours, reference = on_openvino(name, "float32"), on_torch(*load_reader(name), "float32")
    assert ours.facts.reads_titles and not plain.facts.reads_titles
    assert same(read(ours, "who", titled), read(reference, "who", titled), 1e-4)
    assert not same(read(ours, "who", titled), read(plain, "who", titled), 1e-6)


def test_a_reader_that_cannot_be_exported_runs_on_torch_unless_openvino_is_asked_for(tmp_path, monkeypatch):
    name = str(save_tiny(tmp_path / "model", "bert"))

    def refuse(*_: object) -> None:
        raise NotExportable("its conversion failed: no")

    monkeypatch.setattr("qa.span_runtimes.traced", refuse)
    assert load_span_model(name, "auto").step == 1
    with pytest.raises(ModelError, match=r"cannot run on OpenVINO: its conversion failed: no \(set reader.backend to 'auto'\)$"):
        load_span_model(name, "openvino")


def test_an_export_that_gives_other_logits_is_not_used(tmp_path, monkeypatch):
    name = str(save_tiny(tmp_path / "model", "bert"))
    monkeypatch.setattr("qa.span_runtimes.on_torch", lambda *loaded: SpanModel(*wrong(on_torch(*loaded))))
    with pytest.raises(NotExportable, match=r"its export gives other logits \(by 1\.0"):
        on_openvino(name)


def wrong(model: SpanModel) -> tuple[object, ...]:
    def logits(inputs: object) -> tuple[object, object]:
        starts, ends = model.logits(inputs)  # type: ignore[arg-type]
        return starts, ends + 1

    return model.tokenizer, model.facts, logits, model.step


def test_the_setting_decides(tmp_path):
    name = str(save_tiny(tmp_path / "model", "bert"))
    for backend, step in (("torch", 1), ("openvino", 16), ("auto", 16)):
        reader = configured_reader(ReaderSettings(model=name, backend=backend), encoder=None)  # type: ignore[arg-type]
        assert reader._model.step == step, backend  # type: ignore[attr-defined]


def test_a_reader_whose_export_is_there_needs_neither_torch_nor_transformers(tmp_path):
    name = str(save_tiny(tmp_path / "model", "bert"))
    on_openvino(name)
    script = """
import sys
from qa.datatypes import Hit, Passage
from qa.span_reader import SpanReader
print(SpanReader(sys.argv[1]).read("who", [Hit(Passage("a", 0, 7, "Gustave"), 1.0)])[0].text)
print([name for name in ("torch", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script, name], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["Gustave", "[]"], done.stderr


ASKING = """
import sys, atexit
atexit.register(lambda: print("LOADED", [name for name in ("torch", "transformers", "sentence_transformers", "gradio", "sklearn")
                                         if name in sys.modules]))
from qa.cli import main
sys.argv = ["qa", "ask", "who built the tower"]
main()
"""


def test_asking_with_exports_at_hand_loads_nothing_heavy(tmp_path, monkeypatch):
    texts = ["Gustave Eiffel built the old tower in Paris."]
    for name, value in {
        "QA_CACHE": tmp_path / "cache",
        "QA_INDEX__PATH": tmp_path / "index",
        "QA_EMBEDDING__MODEL": save_model(tmp_path / "encoder", texts),
        "QA_READER__MODEL": save_tiny(tmp_path / "reader", "bert"),
        "QA_READER__THRESHOLD": 0,
    }.items():
        monkeypatch.setenv(name, str(value))
    config = load_config()
    index_articles(config, [article("a", texts[0])], encoder=load_encoder(config.embedding))
    on_openvino(config.reader.model)
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stderr
    assert "[1]" in done.stdout


@pytest.mark.model
@pytest.mark.timeout(600)
def test_the_shipped_reader_gives_the_same_spans_and_scores_in_real_passages():
    texts = [path.read_text(encoding="utf-8")[:1500] for path in sorted(ARTICLES.rglob("*.txt"))[:4]]
    hits = [Hit(Passage(str(number), 0, len(text), text, title="A title"), 1.0) for number, text in enumerate(texts)]
    reference, exact, rounded = on_torch(*load_reader("span"), "float32"), on_openvino("span", "float32"), on_openvino("span", "bfloat16")
    for question in ("Who ran the mile?", "When did the wall fall?"):
        expected = read(reference, question, hits)
        assert same(read(exact, question, hits), expected, 1e-4)
        # bfloat16 has three digits, whoever multiplies: torch's own differs from float32 as much.
        found = read(rounded, question, hits)
        best = max(expected, key=lambda place: expected[place].score)
        assert max(found, key=lambda place: found[place].score) == best
        assert found[best].score == pytest.approx(expected[best].score, abs=0.3)
