"""The README's examples for programs are run as they stand there, but for the address. No browser is needed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from browser.pages import Serve
from fakes import FakeEncoder

from qa.config import Config
from qa.indexer import index_paths
from qa.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
WRITTEN = "http://127.0.0.1:7860"
QUOTED = "164 kilometres"  # what the fake encoder finds closest


@pytest.fixture(scope="module")
def served(serve_page: Serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    config = Config().replace("index.path", tmp_path_factory.mktemp("readme") / "index").replace("reader.model", "sentence")
    config = config.replace("reader.threshold", 0.0)
    index_paths(config, [ROOT / "eval" / "articles" / "ever-given.html.gz"], encoder=FakeEncoder())
    return serve_page(Pipeline(config, encoder=FakeEncoder()), config).rstrip("/")


def example(language: str) -> str:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## For programs")[1].split("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    assert WRITTEN in found[1]
    return found[1]


def test_the_python_example(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(compile(example("python").replace(WRITTEN, served), "README.md", "exec"), names)
    assert QUOTED in capsys.readouterr().out


def test_the_curl_example(served: str) -> None:
    done = subprocess.run(["sh", "-c", example("sh").replace(WRITTEN, served)], capture_output=True, text=True, timeout=60, check=True)
    assert "event: complete" in done.stdout
    assert QUOTED in done.stdout
