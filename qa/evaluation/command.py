"""What `qa eval` does: every set with every configuration, then the comparisons, the files asked for, and the tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from qa.config import Config
from qa.errors import ConfigError, DataError
from qa.evaluation import files
from qa.evaluation.compare import compare, sweep
from qa.evaluation.datasets import Dataset
from qa.evaluation.load import load_dataset
from qa.evaluation.outcomes import Mode
from qa.evaluation.report import print_comparison, print_result
from qa.evaluation.runs import Run, evaluate


@dataclass(frozen=True)
class Options:
    """The options of `qa eval`, as on its command line."""

    sample: int | None = None
    seed: int = 0
    split: str | None = None
    retrieval_only: bool = False
    gold_passages: bool = False
    sweep: str | None = None
    details: Path | None = None
    html: Path | None = None
    json: bool = False

    @property
    def mode(self) -> Mode:
        if self.retrieval_only and self.gold_passages:
            raise ConfigError("--retrieval-only reads nothing and --gold-passages searches nothing: give one of them")
        return "retrieval" if self.retrieval_only else "reader" if self.gold_passages else "answers"


def run_eval(paths: Sequence[Path], configs: Mapping[str, Config], options: Options, out: TextIO = sys.stdout) -> list[Run]:
    """Runs, prints to `out`, and returns the runs. `configs` are labelled by their files; the first is what others are held against."""
    if options.sweep:
        configs = sweep(configs, options.sweep)
    mode = options.mode
    if options.html:
        _opened(options.html, "a", "--html").close()  # a report that cannot be written must not cost a run
    datasets = [_chosen(path, options) for path in paths]  # all are loaded first: a fault in the last must not cost a run
    runs: dict[str, list[Run]] = {}
    with ExitStack() as stack:
        progress = stack.enter_context(_progress())
        write = stack.enter_context(_details(options.details)) if options.details else None
        several = len(configs) > 1 or len(datasets) > 1
        for dataset in datasets:
            for label, config in configs.items():
                tagged = _tagged(write, {"dataset": dataset.name, "run": label} if several else {})
                runs.setdefault(label, []).append(evaluate(dataset, config, mode, tagged, progress))
    comparisons = list(_comparisons(runs))
    done = [run for several in zip(*runs.values()) for run in several]
    labels = [label for _ in datasets for label in configs]
    if options.html:
        from qa.evaluation.html import write_report

        write_report(options.html, done, labels, comparisons)
    if options.json:
        json.dump(_document(done, labels, comparisons), out, ensure_ascii=False, indent=1)
        out.write("\n")
    else:
        _print(done, labels, comparisons, Console(file=out))
    return done


def _chosen(path: Path, options: Options) -> Dataset:
    dataset = load_dataset(path, options.split)
    return dataset if options.sample is None else dataset.sample(options.sample, options.seed)


def _comparisons(runs: Mapping[str, Sequence[Run]]) -> Iterator[dict[str, Any]]:
    """Each other configuration against the first, on each set."""
    first, *others = runs
    for other in others:
        for one, two in zip(runs[first], runs[other]):
            yield compare(one, two, (first, other))


def _document(runs: Sequence[Run], labels: Sequence[str], comparisons: Sequence[dict[str, Any]]) -> Any:
    """One run: its result. Several: all of them, and how they compare."""
    if len(runs) == 1:
        return runs[0].result
    results = [{"run": label, **run.result} for label, run in zip(labels, runs)]
    return {"runs": results, "comparisons": list(comparisons)}


def _print(runs: Sequence[Run], labels: Sequence[str], comparisons: Sequence[dict[str, Any]], console: Console) -> None:
    for number, (run, label) in enumerate(zip(runs, labels)):
        if len(set(labels)) > 1:
            console.print(f"[bold]{label}[/bold]")
        print_result(run.result, console)
        if number < len(runs) - 1 or comparisons:
            console.print()
    for comparison in comparisons:
        print_comparison(comparison, console)


@contextmanager
def _details(file: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Writes lines to the file, each at once."""
    with _opened(file, "w", "--details") as out:

        def write(line: dict[str, Any]) -> None:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()

        yield write


def _opened(file: Path, mode: str, option: str) -> TextIO:
    try:
        return cast(TextIO, file.open(mode, encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror} (give {option} another file)") from None


def _tagged(write: Callable[[dict[str, Any]], None] | None, tags: dict[str, str]) -> Callable[[dict[str, Any]], None] | None:
    """The same writer, with `tags` on every line."""
    return None if write is None else lambda line: write(line | tags)


@contextmanager
def _progress() -> Iterator[files.Progress]:
    """A bar a stage on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total)

        yield tell
