"""Adding and removing articles on the page: only where `ui.allow_changes` is on and the page is served to this machine alone.

What the buttons do is what `qa index` and `qa remove` do. Uploaded files are kept in the index folder, so that later runs find them again.
"""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from qa.config import Config
from qa.datatypes import IndexReport
from qa.errors import QAError
from qa.indexer import index_paths, remove_articles
from qa.render import escape
from qa.ui import views

UPLOADS = "uploads"  # folder in the index
SUFFIXES = [".txt", ".md", ".html", ".htm", ".gz", ".pdf", ".docx", ".jsonl"]


def allowed(config: Config) -> bool:
    """Asked again by every event that changes something: a hidden button is no protection."""
    return config.ui.allow_changes and is_loopback(config.ui.host)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def add(config: Config, uploads: Sequence[str] | None, typed: str, progress: gr.Progress) -> str:
    """Index the uploaded files and the path that was typed; returns what came of it as HTML."""
    try:
        _check(config)
        paths = [*_keep(config, uploads or []), *_typed(typed)]
        if not paths:
            return views.notice("nothing to add: choose files, or give the path of a file or folder on this machine")
        report = index_paths(config, paths, progress=lambda stage, done, total: progress((done, total), desc=stage.capitalize()))
    except QAError as error:
        return views.notice(str(error))
    return _report(report)


def remove(config: Config, article_id: str) -> str:
    try:
        _check(config)
        remove_articles(config, [article_id])
    except QAError as error:
        return views.notice(str(error))
    return views.empty("Removed from the index. The file itself stays where it is.")


def _check(config: Config) -> None:
    if not allowed(config):
        raise QAError("articles cannot be changed here: set ui.allow_changes = true and serve the page on 127.0.0.1")


def _keep(config: Config, uploads: Sequence[str]) -> Iterator[Path]:
    """Copies of the uploaded files under their own names; one of the same name is replaced, as a new edition of it."""
    folder = config.index.path / UPLOADS
    for upload in map(Path, uploads):
        folder.mkdir(parents=True, exist_ok=True)
        yield Path(shutil.copyfile(upload, folder / upload.name))


def _typed(text: str) -> list[Path]:
    return [Path(text.strip()).expanduser()] if text and text.strip() else []


def _report(report: IndexReport) -> str:
    """The counts, and each file that was refused with its reason."""
    counts = f"{len(report.added)} added, {len(report.changed)} changed, {report.unchanged} unchanged, {len(report.refused)} refused"
    left_out = [*report.refused, *report.duplicates]
    rows = "".join(f"<li><b>{escape(Path(one.path).name)}</b> {escape(one.reason)}</li>" for one in left_out)
    return f'<div class="report" role="status"><p>{counts}</p>{f"<ul>{rows}</ul>" if rows else ""}</div>'
