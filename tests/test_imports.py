"""Imports: downward only, light at the front door."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import qa

PACKAGE = Path(qa.__file__).parent

# Each module imports from its own layer or those below. `reading` belongs to articles, `evaluation` and `ui` are packages of one layer.
LAYERS = (
    {"checksums", "disk", "errors", "datatypes"},
    {"config", "database", "model_files", "phrases", "questions", "sentences", "storage", "vector_lists", "words"},
    {"exported", "seal", "vector_parts"},
    {"quantized", "salvage", "vector_files"},
    {
        "calibration",
        "chat",
        "copies",
        "encoder",
        "encoder_runtimes",
        "lock",
        "mend",
        "passages",
        "reading",
        "render",
        "span_model",
        "span_runtimes",
        "store",
    },  # fmt: skip
    {"answers", "articles", "cutting", "feedback", "full_text", "reader", "reranker", "span_reader", "store_writer", "vectors"},
    {"file_bytes", "local", "milvus", "reading_process"},
    {"files", "stores"},
    {"workers"},
    {"ray"},
    {"batches", "check", "evidence", "features", "indexer", "looks", "repair", "retriever"},
    {"pipeline"},
    {"server"},
    {"evaluation", "options", "terminal", "ui"},
    {"feedback_command", "users_command"},
    {"cli"},
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}
# Within a layer these come first.
BELOW = {
    ("encoder", "encoder_runtimes"), ("evaluation", "terminal"), ("indexer", "batches"), ("reader", "span_reader"),
    ("span_runtimes", "span_model"), ("repair", "batches"), ("repair", "check"), ("repair", "indexer"),
    ("indexer", "looks"), ("store", "passages"), ("ui", "evaluation"), ("features", "evidence"),
}  # fmt: skip


def imports(file: Path) -> set[str]:
    """Modules of qa that a file imports, anywhere in it: "qa.ui.page" is "ui"."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "qa" else {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("qa.")}


def module(file: Path) -> str:
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = sorted(file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py" or file.parent != PACKAGE)


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_imports_point_downward(file):
    own = module(file)
    assert own in HEIGHT, f"give {own} a place in LAYERS"
    others = imports(file) - {own}
    upward = {name for name in others if not name.startswith("_") and HEIGHT[name] >= HEIGHT[own] and (own, name) not in BELOW}
    assert not upward, f"{own} imports {upward}, which are not below it"


def test_every_layer_is_of_modules_that_exist():
    assert {module(file) for file in FILES} == set(HEIGHT)


def test_the_front_door_has_exactly_its_names():
    assert sorted(qa.__all__) == qa.__all__ == sorted(qa._MODULES)
    for name in qa.__all__:
        assert getattr(qa, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'qa' has no attribute 'nothing'"):
        qa.nothing  # noqa: B018


HEAVY = ("torch", "gradio", "transformers", "sentence_transformers", "faiss", "sklearn", "trafilatura", "numpy")


@pytest.mark.parametrize("code", ["import qa", "from qa.cli import main; sys.argv = ['qa', '--help']; main()"])
def test_the_front_door_and_help_load_nothing_heavy(code):
    script = f"""
import sys, atexit
atexit.register(lambda: print("LOADED", [name for name in {HEAVY!r} if name in sys.modules]))
{code}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
