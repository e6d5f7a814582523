"""What all tests share: an encoder that needs no model, a small index, and a network that leads nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import FakeEncoder
from milvus_server import MilvusServer
from offline import sitecustomize  # watches this process from here on

from qa.config import Config
from qa.datatypes import Article
from qa.indexer import index_articles


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def store_kind() -> str:
    """What keeps the articles. A module whose tests run on every store has a fixture of this name with `params=STORES`."""
    return "sqlite"


@pytest.fixture
def config(tmp_path: Path, store_kind: str, request: pytest.FixtureRequest) -> Config:
    config = Config().replace("index.path", tmp_path / "index").replace("index.lock_seconds", 0.2).replace("reader.model", "sentence")
    return config if store_kind == "sqlite" else request.getfixturevalue("milvus").use(config)


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """A server for the whole run."""
    pytest.importorskip("pymilvus", reason="needs the extra qa[milvus]")
    pytest.importorskip("milvus_lite", reason="needs milvus-lite")
    server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    yield server
    server.stop(save=False)


@pytest.fixture
def filled(config: Config, encoder: FakeEncoder) -> Callable[..., Config]:
    """`filled(article, …)` indexes articles and returns the configuration."""

    def fill(*articles: Article) -> Config:
        index_articles(config, articles, encoder=encoder)
        return config

    return fill


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No qa.toml of the developer's, no index of theirs, no settings from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("QA_CONFIG", "QA_INDEX__PATH", "QA_EMBEDDING__MODEL", "QA_READER__MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Exported models are kept for one run of the tests, and neither found in nor left to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_CACHE", str(tmp_path_factory.mktemp("exports")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The programs that tests start are watched as this one is. Gives the file in which attempts to use the network are kept."""
    log = tmp_path_factory.mktemp("offline") / "log"
    path = [str(Path(sitecustomize.__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(sitecustomize.LOG, str(log))
        patch.setenv("PYTHONPATH", os.pathsep.join(path))
        yield log


@pytest.fixture(autouse=True)
def _no_network(_offline: Path) -> Iterator[None]:
    """A test in which this program, or one that it started, turned to another machine has failed, whoever caught the error."""
    yield
    attempts = _offline.read_text(encoding="utf-8") if _offline.exists() else ""
    _offline.unlink(missing_ok=True)
    if attempts:
        pytest.fail(attempts, pytrace=False)
