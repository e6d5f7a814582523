"""The figures of README.md: measures what is stale, keeps the results in `eval/results/`, and writes the tables from these.

    python eval/figures.py [--squad FILE] [--again]

`RUNS` declares what is measured, always with the default settings. A result is stale when it was made otherwise than its
declaration says, with other default settings or models, or on other data; tests fail then, and when the README has other
numbers than the results. The SQuAD file does not ship with the project: without it those figures are left as they are, and named.
How fast it is, is measured by the programs of `bench/`; the tables of it are written here as well, as ratios within one run.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.config import Config
from qa.encoder import load_encoder
from qa.errors import QAError
from qa.evaluation.datasets import Dataset
from qa.evaluation.files import Progress, read_json, write_json
from qa.evaluation.load import load_dataset
from qa.evaluation.outcomes import Mode
from qa.evaluation.runs import evaluate, models, settings
from qa.terminal import progress_bar, say

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- written by: python eval/figures.py -->", "<!-- end of what is written -->"
FAULTS_BEGIN, FAULTS_END = "<!-- written by: python eval/figures.py, from bench/results/faults.json -->", "<!-- end of the faults -->"
LEFT_OUT = ("curves", "latency_ms", "index", "seconds")  # of a result: long, or about the machine


@dataclass(frozen=True)
class Declared:
    """A run of the README. `about` may name fields of its result; `kinds` are listed below it."""

    name: str
    about: str
    mode: Mode = "answers"
    squad: bool = False
    split: str | None = None
    sample: int | None = None
    seed: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        parts = ["qa eval", "FILE" if self.squad else "eval/"]
        parts += [f"--split {self.split}"] if self.split else []
        parts += [f"--sample {self.sample} --seed {self.seed}"] if self.sample else []
        parts += ["--retrieval-only"] if self.mode == "retrieval" else []
        return " ".join(parts)

    def load(self, path: Path) -> Dataset:
        return load_dataset(path, self.split).sample(self.sample, self.seed)


RUNS = (
    Declared("own-retrieval", "our own, {questions} questions over {articles} articles", "retrieval", kinds=("paraphrase",)),
    Declared("squad-retrieval", "half of SQuAD 2.0's development set, {questions:,} questions", "retrieval", squad=True),
    Declared("own-answers", "our test half, {questions} questions", split="test"),
    Declared("squad-answers", "{questions:,} of the SQuAD half", squad=True, sample=2000, seed=3),
)
# Header of a column -> metric. An interval stands beside each.
COLUMNS: dict[str, dict[str, str]] = {
    "retrieval": {"R@1": "R@1", "R@5": "R@5", "RR@10": "RR@10"},
    "answers": {
        "R@1 after reading": "R@1",
        "EM of the best span": "EM_forced",
        "F1 of it": "F1_forced",
        "answered: answerable": "answered_answerable",
        "unanswerable": "answered_unanswerable",
        "F1, refusals counted": "no_answer_F1",
        "AUROC": "no_answer_AUROC",
        "ECE": "ECE",
    },
}
FAULTS = HERE.parent / "bench" / "results" / "faults.json"
FAULT_KINDS = {
    "kill": "killed (SIGKILL) before a step",
    "tear": "killed in the middle of a write",
    "full": "disk full from a step on",
    "error": "a step fails",
    "power": "power failure: what was not synced is lost, or half there",
}
FAULT_PARTS = {"damage": "bits flipped, files cut short, emptied or gone"}
FAULT_LINES = {
    "kills": "{kills:,} kills at random moments: {lost} articles lost.",
    "inputs": "{files:,} hostile files beside good ones: {good_articles_lost} of the good articles lost.",
    "signed_in": "{users} people who sign in and ask at once: {questions:,} answers, each to the question of its own.",
    "crowd": "{indexers} indexers, {askers} askers and {encoders_swapped} changes of model at once: {responses:,} responses, each of one "
    "moment.",
    "soak": "{minutes:g} minutes of questions ({questions:,}) while articles come and go ({articles_removed_and_added} changes): "
    "{memory_mib[first_quarter]:.0f} MiB in the first quarter, {memory_mib[last_quarter]:.0f} in the last; "
    "{handles[first_quarter]:.0f} and {handles[last_quarter]:.0f} open handles.",
}
KINDS = {"paraphrase": "… of these, {questions} that share few words with the text"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the figures of README.md.")
    parser.add_argument("--squad", type=Path, metavar="FILE", help="SQuAD 2.0 file; without it, its figures are left as they are")
    parser.add_argument("--again", action="store_true", help="measure also what is not stale")
    options = parser.parse_args(arguments)
    try:
        with progress_bar() as progress:
            left = [line for run in RUNS for line in renew(run, options.squad if run.squad else HERE, options.again, progress)]
        write_readme(README, RESULTS)
    except QAError as error:
        say(str(error))
        return 1
    for line in left:
        say(line)
    return 1 if left else 0


def renew(run: Declared, path: Path | None, again: bool, progress: Progress) -> Iterator[str]:
    """Measures the run if it is stale. A line says what is left for want of its data."""
    dataset = run.load(path) if path else None
    reason = stale(run, read_json(RESULTS / f"{run.name}.json"), dataset)
    if not reason and not again:
        return
    if dataset is None:
        yield f"left as it is for want of --squad FILE: {run.command}: {reason or 'it is not stale'}"
        return
    say(f"{run.name}: {run.command}")
    result = evaluate(dataset, defaults(), run.mode, progress=progress).result
    kept = {name: value for name, value in result.items() if name not in LEFT_OUT}
    write_json(RESULTS / f"{run.name}.json", {"command": run.command, **kept})


def defaults() -> Config:
    """The default settings whatever files and variables say, and the index beside this folder."""
    return Config.model_construct().replace("index.path", HERE.parent / "index" / "default")


def stale(run: Declared, result: Mapping[str, Any], dataset: Dataset | None) -> str | None:
    """Why a stored result is not what measuring now would give, as far as can be told without it; None when it holds."""
    if not result:
        return "it has not been measured"
    config = defaults()
    expected: dict[str, Any] = {
        "command": run.command,
        "config": _relevant(settings(config), run.mode),
        "fingerprint": load_encoder(config.embedding).fingerprint,
        "models": models(config, run.mode),
    }
    if dataset:
        expected |= {"corpus_sha256": dataset.corpus_sha256, "questions_sha256": dataset.questions_sha256}
    found = {**result, "config": _relevant(result["config"], run.mode)}
    differ = [name for name, value in expected.items() if found.get(name) != value]
    return f"measured with another {' and '.join(differ)}" if differ else None


def _relevant(config: Mapping[str, Any], mode: Mode) -> dict[str, Any]:
    """Settings that the figures depend on: where nothing is read, the reader's do not matter."""
    return {name: part for name, part in config.items() if mode != "retrieval" or name != "reader"}


def write_readme(readme: Path, results: Path) -> None:
    text = with_figures(readme.read_text(encoding="utf-8"), tables(results))
    text = with_figures(text, fault_table(read_json(FAULTS)), FAULTS_BEGIN, FAULTS_END)
    readme.write_text(text, encoding="utf-8")


def with_figures(text: str, figures: str, begin: str = BEGIN, end: str = END) -> str:
    """The text with `figures` between the marks."""
    return re.sub(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", lambda _: f"\n{figures}\n\n", text, flags=re.DOTALL)


def fault_table(kept: Mapping[str, Any]) -> str:
    """What bench/faults and its companions have tried, one row a kind."""
    rows = [(FAULT_KINDS[kind], counts) for kind, counts in kept.get("steps", {}).get("by_kind", {}).items()]
    rows += [(about, kept[name]) for name, about in FAULT_PARTS.items() if "tried" in kept.get(name, {})]
    lines = [_row("fault", "tried", "nothing lost"), _row("---", "---", "---")]
    lines += [_row(about, f"{counts['tried']:,}", f"{counts['survived']:,}") for about, counts in rows]
    told = [text.format(**kept[name]) for name, text in FAULT_LINES.items() if name in kept]
    return "\n".join([*lines, "", " ".join(told)]).rstrip()


def tables(results: Path) -> str:
    """What stands between the marks of the README."""
    stored = [(run, result) for run in RUNS if (result := read_json(results / f"{run.name}.json"))]
    days = sorted({result["date"][:10] for _, result in stored})
    parts = [f"Measured {_when(days)} with the default settings; ± is half the width of the 95 % interval."]
    for mode, columns in COLUMNS.items():
        rows = [line for run, result in stored if run.mode == mode for line in _rows(run, result, columns)]
        if rows:
            parts.append("\n".join([_row("set", *columns), _row("---", *["---"] * len(columns)), *rows]))
    return "\n\n".join([*parts, *_speed(results.parents[1] / "bench" / "results")])


def _speed(results: Path) -> Iterator[str]:
    if peers := read_json(results / "peers.json"):
        ours = peers["rows"].pop("qa")
        yield (
            "How many times as fast qa is with the same encoder, reader and passages, and the answers of both, in one run on "
            f"{peers['machine']['cores']} cores: `python bench/peers.py FILE`, {peers['questions']} questions."
        )
        header = _row("beside", "indexing", "a question", "95th percentile", "EM, and qa's", "F1, and qa's")
        yield "\n".join([header, _row(*["---"] * 6), *(_beside(name, theirs, ours) for name, theirs in peers["rows"].items())])
    if encoding := read_json(results / "encoding.json"):
        yield "Encoding passages, beside sentence-transformers as it comes: `python bench/encoding.py`."
        header = _row("runtime", "times as fast", "of what the processor can multiply", "least cosine")
        rows = (
            _row(name, f"{row['times_reference']:.1f}", f"{row['share_of_limit']:.0%}", f"{row['least_cosine']:.4f}")
            for name, row in encoding["rows"].items()
        )
        yield "\n".join([header, _row(*["---"] * 4), *rows])


def _beside(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    times = [ours["passages_per_second"] / theirs["passages_per_second"], *(theirs[key] / ours[key] for key in ("p50_ms", "p95_ms"))]
    answers = [f"{theirs[key]:.3f}, {ours[key]:.3f}" for key in ("EM", "F1")]
    return _row(f"{name} ({theirs['version']})", *(f"{value:.1f}" for value in times), *answers)


def _rows(run: Declared, result: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[str]:
    intervals = result["intervals"]
    cells = [_cell(result["metrics"][name], intervals.get(name)) for name in columns.values()]
    yield _row(f"{run.about.format(**result)}: `{run.command}`", *cells)
    for kind in run.kinds:
        row = result["kinds"][kind]
        yield _row(KINDS[kind].format(**row), *(_cell(row[name], None) for name in columns.values()))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float, interval: Sequence[float] | None) -> str:
    """0.6642, [0.62, 0.71] -> '0.664 ± 0.045'."""
    return f"{value:.3f}" + (f" ± {(interval[1] - interval[0]) / 2:.3f}" if interval else "")


def _when(days: Sequence[str]) -> str:
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


if __name__ == "__main__":
    sys.exit(main())
