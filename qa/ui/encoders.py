"""The header's list of embedding models, and the tab that shows what two of them find for one question.

Comparing only reads and is for everybody; switching and building change what the server does and are allowed as adding articles is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import gradio as gr

from qa.errors import QAError
from qa.pipeline import Pipeline
from qa.server.record import Record
from qa.server.visitors import Visitor
from qa.ui import encoder_views, honesty, views
from qa.ui.api import filters_from
from qa.ui.backend import BUG
from qa.ui.changes import allowed
from qa.ui.pieces import html_piece
from qa.ui.switching import Encoders
from qa.ui.visitor import told, visitor_of

log = logging.getLogger(__name__)

COMPARED = 10  # hits of each


class EncoderList:
    """What "Models" in the header shows and does."""

    def __init__(self, encoders: Encoders, record: Record) -> None:
        self._encoders = encoders
        self._record = record
        self._presses = 0

    @property
    def changing(self) -> bool:
        """Whether the list will soon have something new to tell."""
        return self._encoders.building is not None

    def html(self, visitor: Visitor) -> str:
        return encoder_views.disclosure(self._encoders.rows(), allowed(self._encoders.config, visitor), self._presses)

    def use(self, event: gr.EventData, request: gr.Request) -> None:
        """Answer with the model whose button was pressed, or begin to build its vectors."""
        try:
            self._use(int(event._data["encoder"]), visitor_of(request))
        except QAError as error:
            raise gr.Error(told(error, self._encoders.config), print_exception=False) from None
        except Exception:
            log.exception("switching failed")
            raise gr.Error(BUG, print_exception=False) from None
        finally:
            self._presses += 1

    def _use(self, number: int, visitor: Visitor) -> None:
        if not allowed(self._encoders.config, visitor):
            raise QAError("the model cannot be changed here: ui.allow_changes = true lets editors do it")
        self._encoders.use(number)
        self._record.did(visitor, "switched", model=self._encoders.rows()[number].name)

    def listen(self, header: gr.HTML, look: Callable[..., object], seen: list[gr.components.Component]) -> None:
        """`look` draws `seen` anew, the header among it."""
        used = header.apply(self.use, None, None, show_progress="hidden", api_visibility="private")
        used.then(look, None, seen, queue=False, show_progress="hidden", api_visibility="private")


class Comparison:
    """Build it inside its `gr.Tab`; `filters` are the inputs of the library's."""

    def __init__(self, encoders: Encoders, pipeline: Pipeline, filters: list[gr.components.Component]) -> None:
        self._encoders = encoders
        self._pipeline = pipeline
        names = [(row.name, row.number) for row in encoders.rows()]
        several = len(names) > 2
        with gr.Column(elem_id="comparison"):
            with gr.Row(elem_classes="controls"):
                question = gr.Textbox(label="A question for both models", placeholder="What do both find?", submit_btn="Compare", scale=3)
                left = gr.Dropdown(names, value=0, label="Left", visible=several, min_width=160, scale=1)
                right = gr.Dropdown(names, value=names[min(1, len(names) - 1)][1], label="Right", visible=several, min_width=160, scale=1)
            shown = html_piece("compared", value=views.empty("The hits of both models appear here, side by side."))
        gr.on(
            [question.submit, left.input, right.input],
            self.show,
            [question, left, right, *filters],
            shown,
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
        )

    def show(self, question: str, left: int, right: int, *filters: str) -> Iterator[str]:
        if not (question or "").strip():
            yield views.empty("The hits of both models appear here, side by side.")
            return
        yield '<p class="working" role="status"><span class="dot busy"></span>Searching with both models …</p>'
        try:
            chosen = filters_from(*filters)
            encoders = [self._encoders.encoder(number) for number in (left, right)]
            columns = self._pipeline.compare(question, encoders, COMPARED, chosen)
            names = [self._encoders.rows()[number].name for number in (left, right)]
            yield encoder_views.side_by_side(question, names, columns, honesty.words_of(chosen))
        except QAError as error:
            yield views.notice(told(error, self._encoders.config))
        except Exception:
            log.exception("a comparison failed")
            yield views.notice(BUG)
