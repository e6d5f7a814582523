"""What all tests share: an encoder that needs no model, a small index, and a network that leads nowhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import FakeEncoder

from qa.config import Config
from qa.datatypes import Article
from qa.indexer import index_articles


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config().replace("index.path", tmp_path / "index").replace("index.lock_seconds", 0.2).replace("reader.model", "sentence")


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


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection that is not to this machine fails the test."""
    connect = socket.socket.connect

    def loopback_only(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX and isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test connected to {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", loopback_only)
