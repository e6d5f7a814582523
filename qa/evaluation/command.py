"""What `qa eval` does: every set with every configuration, then the comparisons, the files asked for, and the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from qa.config import Config
from qa.errors import ConfigError
from qa.evaluation.compare import compare, sweep
from qa.evaluation.files import check_writable, unwritable, writable
from qa.evaluation.gate import baseline_about, baseline_file, broken_floors, set_floors
from qa.evaluation.load import load_dataset
from qa.evaluation.noise import measure_noise
from qa.evaluation.outcomes import Mode
from qa.evaluation.report import print_comparison, print_result
from qa.evaluation.runs import Run, evaluate, subject
from qa.terminal import print_json, progress_bar, say


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
    gate: bool = False
    json: bool = False

    @property
    def mode(self) -> Mode:
        if self.retrieval_only and self.gold_passages:
            raise ConfigError("--retrieval-only reads nothing and --gold-passages searches nothing: give one of them")
        return "retrieval" if self.retrieval_only else "reader" if self.gold_passages else "answers"


def labelled(configs: Iterable[tuple[Path | None, Config]]) -> dict[str, Config]:
    """Configurations by the names of their files: "qa" when there is none, numbered when a name comes again."""
    found: dict[str, Config] = {}
    for file, config in configs:
        name = file.stem if file else "qa"
        found[name if name not in found else f"{name} ({sum(label.startswith(name) for label in found) + 1})"] = config
    return found


def run_eval(paths: Sequence[Path], configs: Mapping[str, Config], options: Options) -> bool:
    """Runs and prints; False when the gate does not hold. The first configuration is what the others are compared with."""
    if options.html:
        check_writable(options.html, "--html")
    if options.sweep:
        configs = sweep(configs, options.sweep)
    runs = _run_all(paths, configs, options)
    labels = [label for _ in paths for label in configs]
    comparisons = list(_comparisons(runs, labels, len(configs)))
    if options.html:
        from qa.evaluation.html import write_report

        write_report(options.html, runs, labels, comparisons)
    if options.json:
        print_json(_document(runs, labels, comparisons))
    else:
        _print(runs, labels, comparisons, Console())
    return not options.gate or _gate_holds(paths, runs)


def run_baseline(path: Path, config: Config, options: Options, reason: str | None, builds: int) -> dict[str, Any]:
    """Measures a set, and its noise over so many indexes (none: what was measured before holds), and writes its floors."""
    (run,) = _run_all([path], {"qa": config}, options)
    noise = None
    if builds:
        with progress_bar() as progress:
            noise = measure_noise(run, config, builds, progress)
    return set_floors(run, baseline_file(path), reason, noise)


def _run_all(paths: Sequence[Path], configs: Mapping[str, Config], options: Options) -> list[Run]:
    """Every set with every configuration, set by set."""
    mode = options.mode
    # All are loaded first, and their floors: a fault in the last must not cost a run.
    datasets = [load_dataset(path, options.split).sample(options.sample, options.seed) for path in paths]
    if options.gate:
        for path, dataset in zip(paths, datasets):
            baseline_about(baseline_file(path), subject(dataset, mode))
    runs = []
    with ExitStack() as stack:
        progress = stack.enter_context(progress_bar())
        write = stack.enter_context(_details(options.details)) if options.details else None
        for dataset in datasets:
            for label, config in configs.items():
                several = len(configs) > 1 or len(datasets) > 1
                tagged = _tagged(write, {"dataset": dataset.name, "run": label} if several else {})
                runs.append(evaluate(dataset, config, mode, details=tagged, progress=progress))
    return runs


def _comparisons(runs: Sequence[Run], labels: Sequence[str], configs: int) -> Iterator[dict[str, Any]]:
    """Each other configuration against the first, on each set."""
    for start in range(0, len(runs), configs):
        for other in range(start + 1, start + configs):
            yield compare(runs[start], runs[other], (labels[start], labels[other]))


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


def _gate_holds(paths: Sequence[Path], runs: Sequence[Run]) -> bool:
    each = len(runs) // len(paths)
    broken = [line for number, run in enumerate(runs) for line in broken_floors(run, baseline_file(paths[number // each]))]
    for line in broken or ["no metric is below its floor"]:
        say(line)
    return not broken


@contextmanager
def _details(file: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Writes lines to the file, each at once."""
    out = writable(file, "--details", "w")

    def write(line: dict[str, Any]) -> None:
        try:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
        except OSError as error:
            raise unwritable(file, "--details", error) from None

    try:
        yield write
    finally:
        with suppress(OSError):  # of a line that could not be written, which has been told
            out.close()


def _tagged(write: Callable[[dict[str, Any]], None] | None, tags: dict[str, str]) -> Callable[[dict[str, Any]], None] | None:
    """The same writer, with `tags` on every line."""
    return None if write is None else lambda line: write(line | tags)
