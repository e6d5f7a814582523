"""Results as tables on a terminal. The whole of a result is its JSON; here is what one looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from qa.evaluation.summary import METRICS

KIND_COLUMNS = ("R@1", "R@5", "RR@10", "EM", "F1", "right", "answered")
SHOWN_FAILURES = 10
SIGNIFICANT = 0.05


def print_result(result: Mapping[str, Any], console: Console) -> None:
    """One run: what was asked, the metrics with their intervals, the kinds, and the questions that failed."""
    console.print(heading(result))
    table = Table("metric", box=None, pad_edge=False, header_style="bold")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, value in _told(result["metrics"]).items():
        low, high = result["intervals"].get(name, (None, None))
        table.add_row(name, number(value), f"{number(low)} … {number(high)}" if low is not None else "")
    console.print(table)
    if len(result["kinds"]) > 1:
        console.print(_kinds(result["kinds"]))
    console.print(costs(result))
    for failure in result["failed"][:SHOWN_FAILURES]:
        console.print(f"failed: {failure['id']}: {failure['error']}", style="red", markup=False)
    if len(result["failed"]) > SHOWN_FAILURES:
        console.print(f"… and {len(result['failed']) - SHOWN_FAILURES} more that failed", style="red")


def print_comparison(comparison: Mapping[str, Any], console: Console) -> None:
    """Two runs side by side: metrics, difference with interval and p, costs, and how many questions differ."""
    first, second = comparison["runs"]
    table = Table("", box=None, pad_edge=False, header_style="bold")
    for column in (first, second, "difference", "95 % interval", "p"):
        table.add_column(column, justify="right")
    for name, row in comparison["metrics"].items():
        low, high = row.get("interval") or (None, None)
        interval = f"{low:+.3f} … {high:+.3f}" if low is not None else ""
        p = row.get("p")
        style = "bold" if p is not None and p < SIGNIFICANT else ""
        values = (number(row["first"]), number(row["second"]), f"{row['difference']:+.3f}")
        table.add_row(name, *values, interval, "" if p is None else f"{p:.4f}", style=style)
    for name, (one, other) in comparison["costs"].items():
        table.add_row(name, number(one), number(other), "", "", "")
    console.print(table)
    differ = comparison["differ"]
    better = sum(row["better"] == second for row in differ)
    console.print(f"{len(differ)} questions differ: {better} better with {second}, {len(differ) - better} with {first}", markup=False)


def heading(result: Mapping[str, Any]) -> str:
    """'eval: 120 questions (25 unanswerable) over 24 articles, 180 passages'."""
    unanswerable = f" ({result['unanswerable']} unanswerable)" if result["unanswerable"] else ""
    corpus = f"{result['articles']} articles, {result['passages']} passages"
    return f"{result['dataset']}: {result['questions']} questions{unanswerable} over {corpus}"


def costs(result: Mapping[str, Any]) -> str:
    """'latency p50 31 ms, p95 60 ms; index 12.1 s, 48.2 passages/s, 1.9 MB'."""
    latency, index = result["latency_ms"], result["index"]
    built = f"{index['seconds']} s, {index['passages_per_second']} passages/s, " if index["seconds"] else ""
    return f"latency p50 {latency['p50']} ms, p95 {latency['p95']} ms; index {built}{index['bytes'] / 1e6:.1f} MB"


def number(value: float | None) -> str:
    """0.81234 -> '0.812', 12.0 -> '12', None -> '–'."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:,.0f}"


def _told(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name in METRICS if (value := metrics[name]) is not None}


def _kinds(kinds: Mapping[str, Mapping[str, float]]) -> Table:
    columns = [name for name in KIND_COLUMNS if any(name in row for row in kinds.values())]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("kind", no_wrap=True)
    for column in ("questions", *columns):
        table.add_column(column, justify="right")
    for kind, row in kinds.items():
        table.add_row(kind, str(row["questions"]), *(number(row.get(name)) for name in columns))
    return table
