"""Exports in their cache folder. The models are of a few numbers, and are run."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import save_model

from qa.config import Embedding
from qa.encoder import load_encoder
from qa.exported import Compiled, Export, NotExportable, cached_export, export_key, has_bfloat16, openvino, padded, traced


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Makes exports of a graph that adds one to its input, and counts how many it made."""

    made = 0

    def __call__(self) -> Export:
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel

        self.made += 1
        opset = openvino().opset13
        numbers = opset.parameter([-1], np.float32, name="numbers")
        numbers.output(0).set_names({"numbers"})
        graph = openvino().Model([opset.add(numbers, np.float32([1]))], [numbers], "plus_one")
        return Export(graph, Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")), {"half": 0.5})


def plus_one(export: Export) -> list[float]:
    return Compiled(export.graph, "float32")({"numbers": np.float32([1, 2])}).tolist()


def test_an_export_is_made_once_and_read_back_whole(cache):
    make = Maker()
    first, second = cached_export("key", make), cached_export("key", make)
    assert make.made == 1
    assert plus_one(first) == plus_one(second) == [2.0, 3.0]
    assert second.facts == {"half": 0.5}
    assert second.tokenizer.get_vocab() == {"[UNK]": 0}
    assert sorted(path.name for path in cache.iterdir()) == ["key", "key.lock"]


@pytest.mark.parametrize("file", ["model.xml", "model.bin", "tokenizer.json", "facts.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_export_is_made_again(cache, file, damage):
    make = Maker()
    cached_export("key", make)
    path = cache / "key" / file
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-1], "changed": b"!" + content[1:], "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    assert plus_one(cached_export("key", make)) == [2.0, 3.0]
    assert make.made == 2
    assert plus_one(cached_export("key", make)) == [2.0, 3.0]
    assert make.made == 2


@pytest.mark.parametrize("manifest", ["[]", "5", '{"model.xml": 1}', '{"../other": "x"}'])
def test_a_manifest_of_another_shape_counts_as_damage(cache, manifest):
    make = Maker()
    cached_export("key", make)
    (cache / "key" / "manifest.json").write_text(manifest)
    assert plus_one(cached_export("key", make)) == [2.0, 3.0]
    assert make.made == 2


def test_what_an_interrupted_process_left_is_written_over(cache):
    (cache / "key.new").mkdir(parents=True)
    (cache / "key.new" / "model.xml").write_text("half")
    make = Maker()
    cached_export("key", make)
    cached_export("key", make)
    assert make.made == 1
    assert not (cache / "key.new").exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QA_CACHE", str(tmp_path / "file" / "cache"))
    make = Maker()
    assert plus_one(cached_export("key", make)) == plus_one(cached_export("key", make)) == [2.0, 3.0]
    assert make.made == 2


def test_a_disk_that_fills_up_costs_nothing_but_the_cache(cache, monkeypatch):
    make = Maker()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    assert plus_one(cached_export("key", make)) == [2.0, 3.0]
    assert [path.name for path in cache.iterdir()] == ["key.lock"]


def test_that_a_model_cannot_be_exported_is_remembered(cache):
    calls = []

    def refuse() -> Export:
        calls.append(1)
        raise NotExportable("it is a poem")

    for _ in range(2):
        with pytest.raises(NotExportable, match=r"^it is a poem$"):
            cached_export("key", refuse)
    assert len(calls) == 1


def test_two_processes_make_one_export(cache, tmp_path):
    script = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_exported import Maker, cached_export, plus_one
make = Maker()
assert plus_one(cached_export("key", make)) == [2.0, 3.0]
print(make.made)
"""
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(int(process.communicate()[0]) for process in running) == [0, 1]


def test_threads_are_as_many_as_the_environment_says_and_not_pinned(cache, monkeypatch):
    """Pinned, the single threads of several processes would share the first core."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    model = Compiled(cached_export("key", Maker()).graph, "float32")._request.get_compiled_model()
    assert (model.get_property("INFERENCE_NUM_THREADS"), model.get_property("ENABLE_CPU_PINNING")) == (1, False)


def test_a_key_is_of_content_and_versions(tmp_path, monkeypatch):
    folder = save_model(tmp_path / "model", ["one two"])
    key = export_key("encoder", folder)
    assert key == export_key("encoder", folder) != export_key("reader", folder)
    monkeypatch.setattr("qa.exported.metadata.version", lambda library: "9.9")
    assert export_key("encoder", folder) != key
    monkeypatch.undo()
    (folder / "config.json").write_text("{}")
    assert export_key("encoder", folder) != key


def test_rows_are_filled_up_to_a_multiple_within_what_the_model_takes():
    assert padded([[1, 2, 3], [4]], 9, 100, 4).tolist() == [[1, 2, 3, 9], [4, 9, 9, 9]]
    assert padded([[1, 2, 3, 4, 5]], 9, 6, 4).tolist() == [[1, 2, 3, 4, 5, 9]]
    assert padded([[], []], 9, 6, 4).shape == (2, 0)


def test_what_cannot_be_traced_is_one_line():
    import torch

    class Stubborn(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise ValueError("not today\nnor tomorrow")

    with pytest.raises(NotExportable, match=r"^its conversion failed: .*$"):
        traced(Stubborn(), {"x": torch.ones(1)})


def test_bfloat16_is_what_the_processor_says():
    assert has_bfloat16() == ("BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


TELEMETRY = """
import socket, sys

def refuse(*arguments, **_):
    raise AssertionError(f"it went online: {arguments[1:]}")

socket.socket.connect = socket.getaddrinfo = refuse
from qa.config import Embedding
from qa.encoder import load_encoder
encoder = load_encoder(Embedding(model=sys.argv[1], backend="openvino"))
print(encoder.encode_questions(["one"]).shape)
print(sorted(name for name in sys.modules if name.split(".")[0] == sys.argv[2] and sys.modules[name] is not None))
"""


def test_an_export_neither_loads_telemetry_nor_goes_online(cache, tmp_path):
    folder = save_model(tmp_path / "model", ["one two"])
    command = [sys.executable, "-c", TELEMETRY, str(folder), "openvino_telemetry"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["(1, 16)", "[]"], done.stderr
    assert json.loads(next(cache.glob("encoder-*/facts.json")).read_text()) == {"padding": 0, "dimension": 16}


def test_an_encoder_whose_export_is_there_needs_no_torch(cache, tmp_path):
    folder = save_model(tmp_path / "model", ["one two"])
    expected = load_encoder(Embedding(model=str(folder), backend="openvino", precision="float32")).encode_passages(["one two"])
    script = """
import sys
from qa.config import Embedding
from qa.encoder import load_encoder
encoder = load_encoder(Embedding(model=sys.argv[1], precision="float32"))
print(encoder.encode_passages(["one two"]).tolist())
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True)
    rows, heavy = done.stdout.splitlines()
    assert heavy == "[]", done.stderr
    assert np.allclose(json.loads(rows), expected, atol=1e-6)


def test_a_tokenizer_that_finds_no_room_costs_only_the_next_start_time(cache, monkeypatch):
    written = Path.write_text

    def full(path: Path, *arguments, **options):
        if path.name == "tokenizer.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    assert plus_one(cached_export("key", Maker())) == [2.0, 3.0]
    assert [path.name for path in cache.iterdir()] == ["key.lock"]
