"""The command line. Every command takes `--config` and `--index`; heavy libraries are imported when a command needs them.

Exit codes: 0 done, 1 a problem of the user's (one line on standard error), 2 wrong usage. With `--json`, standard output has
JSON and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa.errors import QAError
from qa.feedback_command import feedback
from qa.options import AsJson, ConfigFile, IndexFolder, settings_from
from qa.terminal import forgive_encodings, lines, print_json, progress_bar, say, toml
from qa.users_command import users

if TYPE_CHECKING:
    from qa.check import Fault
    from qa.config import Config
    from qa.datatypes import Article, ArticleSummary, Filters

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Questions to your own articles, answered in the articles' own words, each quote cited.",
)
app.add_typer(feedback, name="feedback")
app.add_typer(users, name="users")


class Engine(str, Enum):
    local = "local"
    ray = "ray"


INTERRUPTED = 130  # how Typer exits after Ctrl-C

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")]


@app.command()
def index(
    paths: Annotated[list[Path] | None, typer.Argument(help="files and folders; none: those of earlier runs", show_default=False)] = None,
    prune: Annotated[bool, typer.Option("--prune", help="remove articles whose files are gone from these folders")] = False,
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="read nothing, only add the vectors of this one of embedding.others")
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="who reads and encodes: this process, or a Ray cluster (index.ray_address; needs qa[ray])")
    ] = Engine.local,
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Bring the index in step with files and folders: what is new or changed is read, the rest is skipped."""
    from qa import indexer
    from qa.encoder import listed_encoder

    if encoder and (paths or prune):
        raise typer.BadParameter("it reads no files: give either paths or --encoder", param_hint="--encoder")
    settings = settings_from(config, index)
    workers: indexer.Engine = "ray" if engine is Engine.ray else "local"
    with progress_bar() as progress:
        if encoder:
            report = indexer.add_vectors(settings, listed_encoder(settings.embedding, encoder), progress=progress, engine=workers)
        else:
            report = indexer.index_paths(settings, paths or [], prune=prune, progress=progress, engine=workers)
    for refusal in report.refused:
        say(f"refused {refusal.path}: {refusal.reason}")
    for duplicate in report.duplicates:
        say(f"copy {duplicate.path}: {duplicate.reason}")
    if as_json:
        print_json(asdict(report))
    else:
        print(
            f"{len(report.added)} added, {len(report.changed)} changed, {report.unchanged} unchanged, {len(report.removed)} removed, "
            f"{len(report.refused)} refused: {report.passages} passages in {settings.index.path}, "
            f"{report.encoded} encoded, {report.seconds:.1f} s"
        )
    if report.refused and paths and not (report.added or report.changed or report.unchanged):
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="the question; - reads one a line from standard input")],
    source: Annotated[str | None, typer.Option(help="only articles of this source")] = None,
    author: Annotated[str | None, typer.Option(help="only articles whose author's name has this")] = None,
    since: Day = None,
    until: Day = None,
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question in the articles' own words, or say that they don't say."""
    from qa.pipeline import Pipeline
    from qa.render import response_json, response_text

    pipeline = Pipeline(settings_from(config, index))
    filters = _filters(source, author, since, until)
    many = question == "-"
    for asked in lines() if many else [question]:
        response = pipeline.ask(asked, filters=filters)
        if as_json:
            print_json(response_json(response), indent=None if many else 2)
        else:
            print(response_text(response))


@app.command()
def chat(config: ConfigFile = None, index: IndexFolder = None) -> None:
    """Ask one question after the other; follow-up questions are understood. An empty line ends it."""
    from qa.datatypes import Turn
    from qa.pipeline import Pipeline
    from qa.render import response_text

    pipeline = Pipeline(settings_from(config, index))
    turns: list[Turn] = []
    for asked in lines(prompt="> "):
        if not asked.strip():
            break
        response = pipeline.ask(asked, turns)
        print(response_text(response))
        turns.append(Turn(response.standalone_question, response.answer.text if response.answer else ""))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address (default: ui.host)")] = None,
    port: Annotated[int | None, typer.Option(help="port (default: ui.port)")] = None,
    mcp: Annotated[bool | None, typer.Option("--mcp/--no-mcp", help="tools for language models at /mcp (default: ui.mcp)")] = None,
    config: ConfigFile = None,
    index: IndexFolder = None,
) -> None:
    """Open the page in which people ask."""
    settings = settings_from(config, index)
    for name, value in (("ui.host", host), ("ui.port", port), ("ui.mcp", mcp)):
        settings = settings if value is None else settings.replace(name, value)
    from qa.server.running import end_process
    from qa.ui import serve as serve_page  # after the settings: Gradio takes seconds to import, a wrong setting is told at once

    serve_page(settings)
    end_process()


@app.command("eval")
def evaluate(
    sets: Annotated[list[Path], typer.Argument(metavar="SET...", help="folder with articles and questions, SQuAD file or BEIR folder")],
    details: Annotated[Path | None, typer.Option(metavar="FILE", help="a JSON line a question, as soon as it is known")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="a report with plots and the worst questions")] = None,
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="ask only N of the questions")] = None,
    seed: Annotated[int, typer.Option(help="which ones --sample takes")] = 0,
    split: Annotated[str | None, typer.Option(help="dev or test questions only; BEIR: the qrels file (default: test)")] = None,
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="search, but read nothing")] = False,
    gold_passages: Annotated[bool, typer.Option("--gold-passages", help="the reader alone, on the paragraph with the answer")] = False,
    sweep: Annotated[str | None, typer.Option(metavar="KEY=V,V…", help="a run for each value, as retrieval.dense_weight=0,0.5,1")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="fail when a metric is below its floor in the set's baseline.json")] = False,
    config: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="settings; several are compared with the first")] = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure retrieval, answers, refusals and speed; compare settings."""
    from qa.evaluation.command import Options, labelled, run_eval

    options = Options(sample, seed, split, retrieval_only, gold_passages, sweep, details, html, gate, as_json)
    files: list[Path | None] = [*config] if config else [None]
    if not run_eval(sets, labelled((file, settings_from(file, index)) for file in files), options):
        raise typer.Exit(1)


@app.command()
def baseline(
    path: Annotated[Path, typer.Argument(metavar="SET", help="the set whose floors `qa eval SET --gate` will guard")],
    lower: Annotated[str | None, typer.Option(metavar="REASON", help="let floors fall, and why")] = None,
    builds: Annotated[int, typer.Option(min=0, metavar="N", help="indexes built anew to measure the noise; 0: as measured before")] = 2,
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="search, but read nothing")] = False,
    split: Annotated[str | None, typer.Option(help="dev or test questions only")] = None,
    config: ConfigFile = None,
    index: IndexFolder = None,
) -> None:
    """Measure a set, and keep what was reached as floors that later changes may not break."""
    from qa.evaluation.command import Options, run_baseline
    from qa.evaluation.gate import baseline_file

    floors = run_baseline(path, settings_from(config, index), Options(split=split, retrieval_only=retrieval_only), lower, builds)["floors"]
    for name, floor in floors.items():
        print(f"{name:14} {floor:.4f}")
    print(f"written to {baseline_file(path)}")


@app.command()
def calibrate(
    sets: Annotated[list[Path], typer.Argument(metavar="SET...", help="sets with right answers, as for `qa eval`")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="where to write it; use it by reader.calibration = FILE")],
    at_most: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="of what the articles don't say, the share that may be answered: 0.05"),
    ] = None,
    at_least: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="SHARE", help="of what they say, the share that must be answered: 0.6")
    ] = None,
    weight: Annotated[
        list[float] | None, typer.Option(min=0, metavar="W", help="how much a set counts, once for each (default: all alike)")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="ask only N of the questions of each set")] = None,
    seed: Annotated[int, typer.Option(help="which ones --sample takes")] = 0,
    split: Annotated[str | None, typer.Option(help="dev or test questions only")] = None,
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Fit the confidence of the configured reader on your own questions, and from when on an answer is shown.

    Of several sets, the first decides when an answer is shown; the others steady the confidence.
    """
    from qa.evaluation.calibrate import Aim, run_calibrate
    from qa.evaluation.load import load_dataset

    datasets = [load_dataset(path, split if path.is_dir() else None).sample(sample, seed) for path in sets]
    fitted = run_calibrate(datasets, settings_from(config, index), out, Aim(at_most, at_least), weight or ())
    if as_json:
        print_json(fitted.to_json())
        return
    for name, value in {**fitted.about, "threshold": fitted.threshold}.items():
        told = f"{value:.3f}" if isinstance(value, float) else ", ".join(map(str, value)) if isinstance(value, dict | list) else value
        print(f"{name:22} {told}")
    print(f"written to {out}; to use it, set reader.calibration = {str(out.resolve())!r}")


@app.command("list")
def list_articles(config: ConfigFile = None, index: IndexFolder = None, as_json: AsJson = False) -> None:
    """List the articles of the index."""
    with _store(settings_from(config, index)) as store:
        summaries = store.summaries()
    if as_json:
        print_json([_summary_json(summary) for summary in summaries])
    for summary in [] if as_json else summaries:
        print(f"{summary.id}  {summary.published or '-'}  {summary.source}  {summary.title}")


@app.command()
def show(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="ids as `qa list` gives them")],
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show whole articles."""
    settings = settings_from(config, index)
    with _store(settings) as store:
        summaries = {summary.id: summary for summary in store.summaries()}
        articles = {article_id: store.article(article_id) for article_id in ids}
    _require(articles, settings)
    shown = [(summaries[article.id], article) for article in articles.values() if article]
    if as_json:
        print_json([{**_summary_json(summary), "text": article.text} for summary, article in shown])
    for _, article in [] if as_json else shown:
        print(f"{article.title}\n{_byline(article)}\n\n{article.text}\n")


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="ids as `qa list` gives them")],
    config: ConfigFile = None,
    index: IndexFolder = None,
) -> None:
    """Remove articles from the index; their files stay."""
    from qa.indexer import remove_articles

    for article_id in remove_articles(settings_from(config, index), ids):
        print(f"removed {article_id}")


@app.command()
def info(
    check: Annotated[bool, typer.Option("--check", help="compare everything that the index promises with what its files hold")] = False,
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say what is in the index: counts, encoders, size, when it was last written, what was refused."""
    settings = settings_from(config, index)
    faults = _faults(settings) if check else []
    if any(fault.part == "file" for fault in faults):
        raise QAError(f"{faults[0].what} (save what can be saved: qa repair --index {settings.index.path})")
    with _store(settings) as store:
        told = {**store.info(), "embedding_model": settings.embedding.model, "reader": settings.reader.model}
        told["refused"] = [asdict(refusal) for refusal in store.refusals()]
    if check:
        told["faults"] = [asdict(fault) for fault in faults]
    if as_json:
        print_json(told)
    else:
        _print_info(told)
    if faults:
        raise QAError(f"{len(faults)} faults in {settings.index.path} (mend them: qa repair --index {settings.index.path})")


@app.command()
def repair(config: ConfigFile = None, index: IndexFolder = None) -> None:
    """Mend an index: make anew what is derived, read again what was changed on the disk, save what a damaged file still holds."""
    from qa.encoder import load_encoder
    from qa.repair import repair_index
    from qa.stores import need_local

    settings = settings_from(config, index)
    need_local(settings, "qa repair")
    with progress_bar() as progress:
        done = repair_index(settings, load_encoder(settings.embedding), progress)
    for line in done or ["nothing to mend: the index is whole"]:
        print(line)


def _faults(settings: Config) -> list[Fault]:
    from qa.check import check_index
    from qa.encoder import load_encoder
    from qa.stores import need_local

    need_local(settings, "qa info --check")
    return check_index(settings.index.path, load_encoder(settings.embedding))


def _print_info(told: dict[str, Any]) -> None:
    faults = told.pop("faults", None)
    encoders, refused = told.pop("encoders"), told.pop("refused")
    for name, value in told.items():
        print(f"{name:16} {value}")
    for encoder in encoders if isinstance(encoders, list) else []:
        about = f"{encoder['dimension']} dimensions, {encoder['passages']} passages, {encoder['fingerprint']}"
        print(f"{'encoder':16} {encoder['name']} ({about})")
    for refusal in refused:
        print(f"{'refused':16} {refusal['path']}: {refusal['reason']}")
    for fault in faults or []:
        print(f"{'fault':16} {fault['what']}")
    if faults == []:
        print(f"{'checked':16} no fault")


@app.command("config")
def show_config(config: ConfigFile = None, index: IndexFolder = None, as_json: AsJson = False) -> None:
    """Show every setting in force and where its value came from."""
    from pydantic import SecretStr

    from qa.config import origins, settings_table

    settings, found = settings_from(config, index), origins(config)
    if index is not None:
        found["index.path"] = "--index"
    rows = []
    for setting in settings_table():
        section, _, key = setting.name.partition(".")
        value = getattr(settings, section).model_dump()[key]
        shown = str(value) if isinstance(value, SecretStr) else value  # stars
        rows.append({"name": setting.name, "value": shown, "from": found[setting.name], "help": setting.help})
    if as_json:
        print_json(rows)
    for row in [] if as_json else rows:
        print(f"{row['name']} = {toml(row['value'])}  # {row['from']}: {row['help']}")


def main() -> None:
    """The `qa` program."""
    forgive_encodings()
    try:
        app()
    except QAError as error:
        say(f"qa: {error}")
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            say("qa: stopped; what was done so far is kept")
        raise
    except BrokenPipeError:  # the reader of our output has gone, as with `qa list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def _store(settings: Config) -> Iterator[Any]:
    from qa.database import store_errors
    from qa.stores import open_store

    with closing(open_store(settings)) as store, store_errors(settings.index.path), store.snapshot():
        yield store


def _require(articles: dict[str, Article | None], settings: Config) -> None:
    unknown = [article_id for article_id, article in articles.items() if article is None]
    if unknown:
        raise QAError(f"no article {', '.join(unknown)} in {settings.index.path} (see: qa list)")


def _filters(source: str | None, author: str | None, since: datetime | None, until: datetime | None) -> Filters:
    from qa.datatypes import Filters

    return Filters(source, author, since.date() if since else None, until.date() if until else None)


def _summary_json(summary: ArticleSummary) -> dict[str, Any]:
    return asdict(summary)


def _byline(article: Article) -> str:
    return " · ".join(str(part) for part in (article.author, article.published, article.source) if part)
