"""`qa feedback`: what readers marked on the page, listed, exported as an evaluation set, or deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qa.options import AsJson, ConfigFile, IndexFolder, settings_from
from qa.terminal import print_json, say

feedback = typer.Typer(no_args_is_help=True, help="What readers of the page marked right or wrong, as evaluation questions.")


@feedback.command("export")
def export_feedback(
    folder: Annotated[Path, typer.Argument(help="a new or empty folder, or one of an earlier export")],
    split: Annotated[str | None, typer.Option(metavar="dev|test", help="what the questions are for (default: not said)")] = None,
    config: ConfigFile = None,
    index: IndexFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write the marked questions, with all articles of the index, as a set for `qa eval` and `qa calibrate`."""
    from qa.evaluation.feedback import export

    if split not in (None, "dev", "test"):
        raise typer.BadParameter(f"{split!r} is neither dev nor test", param_hint="--split")
    report = export(folder, settings_from(config, index), split)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    if not report["questions"]:
        say("qa: nothing to export: no answer or refusal is marked right, and no words are selected (do it on the page: qa serve)")
        raise typer.Exit(1)


@feedback.command("list")
def list_feedback(config: ConfigFile = None, index: IndexFolder = None, as_json: AsJson = False) -> None:
    """List everything that was marked, oldest first; what was taken back later is `withdrawn`."""
    from qa.feedback import Feedback, judgement_json

    judgements = Feedback(settings_from(config, index).index.path).judgements()
    if as_json:
        print_json([judgement_json(judgement) for judgement in judgements])
    for judgement in [] if as_json else judgements:
        words = judgement.places[0].quote if judgement.verdict == "words" else judgement.answer
        said = _line(f"“{words}”" if words else "the articles don't say")
        print(f"{judgement.at[:16].replace('T', ' ')}  {judgement.verdict:9}  {_line(judgement.standalone_question)}  {said}")


@feedback.command("clear")
def clear_feedback(
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False, config: ConfigFile = None, index: IndexFolder = None
) -> None:
    """Delete everything that was marked, and the questions with it."""
    from qa.feedback import Feedback

    kept = Feedback(settings_from(config, index).index.path)
    if not yes:
        typer.confirm(f"Delete {len(kept.judgements())} marks from {kept.file}?", abort=True)
    print(f"{kept.clear()} deleted")


def _print_report(report: dict[str, Any]) -> None:
    if report["questions"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in report["kinds"].items())
        print(f"{report['questions']} questions ({kinds}) and {report['articles']} articles in {report['folder']}")
    for one in report["left_out"]:
        say(f"left out {_line(one['question'])}: {_line(one['reason'])}")
    for question in report["contradictions"]:
        say(f"readers contradict each other, and the latest counts: {_line(question)}")


def _line(text: str) -> str:
    """On one line, and without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
