"""qa: answers from your own articles, in their own words, each cited to the place where it stands.

config = qa.load_config()
qa.index_paths(config, [Path("articles")])
response = qa.Pipeline(config).ask("Who ...?")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.config import Config, load_config
    from qa.datatypes import Answer, Article, Citation, Response
    from qa.indexer import index_paths
    from qa.pipeline import Pipeline

__all__ = ["Answer", "Article", "Citation", "Config", "Pipeline", "Response", "index_paths", "load_config"]

_MODULES = {
    "Answer": "qa.datatypes",
    "Article": "qa.datatypes",
    "Citation": "qa.datatypes",
    "Config": "qa.config",
    "Pipeline": "qa.pipeline",
    "Response": "qa.datatypes",
    "index_paths": "qa.indexer",
    "load_config": "qa.config",
}


def __getattr__(name: str) -> Any:
    """Imports a name's module when the name is first used, so that `import qa` costs nothing."""
    if name not in _MODULES:
        raise AttributeError(f"module 'qa' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
