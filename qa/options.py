"""What the commands share: the options that every one of them takes, and the settings that come of these."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qa.config import Config

ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="settings (default: QA_CONFIG, else ./qa.toml)")]
IndexFolder = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="folder of the index (default: index.path)")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]


def settings_from(file: Path | None, folder: Path | None) -> Config:
    """The settings of the file, with the index that was asked for."""
    from qa.config import load_config

    settings = load_config(file)
    return settings if folder is None else settings.replace("index.path", folder)
