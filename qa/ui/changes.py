"""Adding and removing articles on the page: only where `ui.allow_changes` is on, and where users sign in, by editors.

What the buttons do is what `qa index` and `qa remove` do. Uploaded files are kept in the index folder, so that later runs find them again.
A page that is served to others takes no files, and reads only from `server.folders`: its editors need not be trusted with the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.batches import Progress
from qa.config import Config
from qa.database import writing_errors
from qa.datatypes import IndexReport
from qa.disk import make_folder, replace_file
from qa.errors import QAError
from qa.indexer import index_paths, remove_articles
from qa.render import escape
from qa.server.addresses import shared
from qa.server.record import Record
from qa.server.visitors import Visitor
from qa.ui import views
from qa.ui.visitor import told

UPLOADS = "uploads"  # folder in the index
SUFFIXES = [".txt", ".md", ".html", ".htm", ".gz", ".pdf", ".docx", ".jsonl"]


def allowed(config: Config, visitor: Visitor) -> bool:
    """Asked again by every event that changes something: a hidden button is no protection."""
    return config.ui.allow_changes and visitor.may_change


def may_add(config: Config, visitor: Visitor) -> bool:
    """Whether there is anywhere to add from."""
    return allowed(config, visitor) and (takes_files(config) or bool(config.server.folders))


def takes_files(config: Config) -> bool:
    """Whether files may be uploaded."""
    return config.ui.allow_changes and not shared(config)


def add(
    config: Config, visitor: Visitor, record: Record, uploads: Sequence[str] | None, typed: str, progress: Progress | None = None
) -> str:
    """Index the uploaded files and the path that was typed; returns what came of it as HTML."""
    try:
        _check(config, visitor)
        paths = [*_keep(config, uploads or []), *_typed(config, typed)]
        if not paths:
            return views.notice("nothing to add: choose files, or give the path of a file or folder on this machine")
        report = index_paths(config, paths, progress=progress)
    except QAError as error:
        return views.notice(told(error, config))
    record.did(visitor, "indexed", added=len(report.added), changed=len(report.changed), refused=len(report.refused))
    return _report(report)


def remove(config: Config, visitor: Visitor, record: Record, article_id: str) -> str:
    try:
        _check(config, visitor)
        remove_articles(config, [article_id])
    except QAError as error:
        return views.notice(told(error, config))
    record.did(visitor, "removed", article=article_id)
    return views.empty("Removed from the index. The file itself stays where it is.")


def _check(config: Config, visitor: Visitor) -> None:
    if not config.ui.allow_changes:
        raise QAError("articles cannot be changed here: set ui.allow_changes = true")
    if not visitor.may_change:
        raise QAError("articles are changed by editors, and you are a reader")


def _keep(config: Config, uploads: Sequence[str]) -> Iterator[Path]:
    """Copies of the uploaded files under their own names; one of the same name is replaced by all of the new edition, or stays."""
    folder = config.index.path / UPLOADS
    if uploads and not takes_files(config):
        raise QAError("files are not taken here: this page is served to others")
    for upload in map(Path, uploads):
        kept = folder / upload.name
        with writing_errors(config.index.path):
            make_folder(folder)
            replace_file(kept, upload.read_bytes())
        yield kept


def _typed(config: Config, text: str) -> list[Path]:
    """Where the page is served to others, a path within one of the folders, links followed."""
    if not text or not text.strip():
        return []
    path = Path(text.strip()).expanduser()
    if shared(config):
        path = path.resolve()
        if not any(path.is_relative_to(folder.resolve()) for folder in config.server.folders):
            raise QAError("articles are added from the folders that server.folders names, and this is in none of them")
    return [path]


def _report(report: IndexReport) -> str:
    """The counts, and each file that was refused with its reason."""
    counts = f"{len(report.added)} added, {len(report.changed)} changed, {report.unchanged} unchanged, {len(report.refused)} refused"
    left_out = [*report.refused, *report.duplicates]
    rows = "".join(f"<li><b>{escape(Path(one.path).name)}</b> {escape(one.reason)}</li>" for one in left_out)
    return f'<div class="report" role="status"><p>{counts}</p>{f"<ul>{rows}</ul>" if rows else ""}</div>'
