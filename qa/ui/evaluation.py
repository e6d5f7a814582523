"""The evaluation tab: finished runs of `qa eval`, one of them, two compared, and their questions. It only reads.

Nothing that evaluates is imported before the tab is opened.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import gradio as gr

from qa.config import Config
from qa.errors import DataError, QAError
from qa.pipeline import Pipeline
from qa.ui import views
from qa.ui.backend import BUG
from qa.ui.pieces import QUICK, html_piece
from qa.ui.places import Place, button, place_from
from qa.ui.visitor import current_visitor, told

if TYPE_CHECKING:
    from qa.evaluation.runs import Run

log = logging.getLogger(__name__)


class Evaluation:
    """Build it inside its `gr.Tab`."""

    def __init__(self, config: Config, pipeline: Pipeline, tab: gr.Tab) -> None:
        self.config = config
        self.pipeline = pipeline
        place = gr.JSON(visible=False)  # static/page.js knows where one is, and puts it here
        shown = html_piece("evaluation", "select", value=views.empty("Looking for runs …"))
        # One view after the other, the last one asked for at the end: none that was slow to come covers a newer one.
        going = gr.on([tab.select, shown.select], self.go, place, shown, js="() => qa.going()", trigger_mode="always_last", **QUICK)
        going.then(None, None, None, js="() => { qa.moved() }")

    def go(self, place: object) -> str:
        return self.show(place_from(place))

    def show(self, place: Place) -> str:
        try:
            return self._drawn(place) if current_visitor().may_change else views.empty("Runs are for editors to see.")
        except QAError as error:
            return _problem(told(error, self.config))
        except Exception:
            log.exception("the evaluation tab failed")
            return _problem(BUG)

    def _drawn(self, place: Place) -> str:
        from qa.evaluation.indexes import eval_folder
        from qa.evaluation.journal import finished_runs
        from qa.ui import comparison_views, question_list_views, run_views

        if place.view == "runs":
            return run_views.runs(
                [(folder.name, result) for folder, result in finished_runs(eval_folder(self.config))], place, self._command
            )
        run = self._run(place.run)
        if place.view == "questions":
            return question_list_views.questions(run, place)
        if place.view == "question":
            return self._question(run, place)
        if place.view == "comparison":
            return comparison_views.comparison(run, self._run(place.against), place)
        return run_views.run(run)

    def _question(self, run: Run, place: Place) -> str:
        """A question of one run, or as two runs that are compared had it."""
        from qa.evaluation.stored import articles_of
        from qa.ui.comparison_views import differing
        from qa.ui.question_list_views import chosen
        from qa.ui.question_views import mentioned, question

        runs = [run, self._run(place.against)] if place.against else [run]
        order = differing(*runs) if place.against else [outcome.question.id for outcome in chosen(run, place)]
        ids = mentioned(runs, place.question)
        articles = {key: article for one in runs for key, article in articles_of(one, ids, self.config, self.pipeline.article).items()}
        return question(runs, place, order, articles)

    def _run(self, name: str) -> Run:
        """Only a folder that is there is looked into: names come from the browser."""
        from qa.evaluation.indexes import eval_folder
        from qa.evaluation.stored import stored_run

        folders = {folder.name: folder for folder in (eval_folder(self.config) / "runs").glob("*/")}
        if name not in folders:
            raise DataError(f"the run {name} is not there any more: only the newest are kept")
        return stored_run(folders[name])

    @property
    def _command(self) -> str:
        """The command whose runs are shown here."""
        path = self.config.index.path
        return "qa eval eval/" if path == Config.model_fields["index"].default.path else f"qa eval eval/ --index {path}"


def _problem(words: str) -> str:
    return f'<section class="runs">{button(Place(), "← Runs")}{views.notice(words)}</section>'
