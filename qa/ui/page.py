"""The Gradio page: layout, and what each event does.

The conversation lives in the browser and comes along with every event (see `qa.ui.conversation`); this module asks the backend, has
the quotes checked and lets `qa.ui.views` draw. It keeps no state of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr

from qa.config import Config
from qa.datatypes import Response
from qa.errors import QAError
from qa.server.addresses import shared
from qa.server.record import Record
from qa.server.visitors import Visitor
from qa.ui import changes, feedback, views
from qa.ui.api import Api, add_endpoints, filters_from, outcome, user_of
from qa.ui.asked import LONGEST_QUESTION, to_ask
from qa.ui.backend import BUG, Backend
from qa.ui.conversation import Conversation, citation_of, faults, from_browser, to_browser
from qa.ui.encoders import Comparison, EncoderList
from qa.ui.evaluation import Evaluation
from qa.ui.export import export
from qa.ui.library import Library
from qa.ui.pieces import QUICK, html_piece
from qa.ui.sources import cards, quotes_of, whole_article
from qa.ui.switching import Encoders
from qa.ui.visitor import told, visitor_of

log = logging.getLogger(__name__)

LOADING_SECONDS = 2  # how often an open page looks at the state while models load, and afterwards
READY_SECONDS = 6


def build_page(config: Config, backend: Backend, api: Api, record: Record) -> gr.Blocks:
    """The page, not yet served."""
    encoders = Encoders(config, backend)
    models = EncoderList(encoders, record)
    encoders.start()
    on = Events(config, backend, models, record)
    with gr.Blocks(title=config.ui.title, analytics_enabled=False, fill_width=True) as page:
        header = html_piece("header", "apply")
        kept = gr.JSON(visible=False)  # the conversation, which the browser sends along
        file = gr.JSON(visible=False)  # an export on its way to the browser
        mark = gr.JSON(visible=False)  # what became of a mark, on its way there
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Ask"), gr.Row(elem_id="ask", equal_height=False):
                with gr.Column(elem_id="talk", min_width=300):
                    history = html_piece("history", "select", "download", value=views.history())
                    chat = html_piece("chat", "submit", "select", "like")
                    welcome = html_piece("welcome", "submit")
                    chosen = html_piece("chosen", "clear")
                    question = gr.Textbox(
                        elem_id="question",
                        label="Question",
                        placeholder="Ask your articles",
                        lines=1,
                        max_lines=6,
                        max_length=LONGEST_QUESTION,
                        submit_btn="Ask",
                        autofocus=True,
                    )
                with gr.Column(elem_id="beside", min_width=300):
                    sources = html_piece("sources", "select", value=cards(0, None, {}))
                    article = html_piece("article", "like")
            with gr.Tab("Library") as shelf:
                library = Library(config, backend.pipeline, record)
            with gr.Tab("Evaluation", visible=not shared(config)) as measured:
                Evaluation(config, backend.pipeline, measured)
            with gr.Tab("Compare", visible=len(encoders.settings) > 1):
                Comparison(encoders, backend.pipeline, library.filters)

        asked = gr.on(
            [question.submit, chat.submit, welcome.submit],
            on.answer,
            [question, kept, *library.filters],
            [question, kept, chat, sources, article],
            show_progress="hidden",
            api_visibility="private",
        )
        # Gradio drops what is asked before this event has ended, and it ends a moment after the answer is shown: "Ask" comes back then.
        asked.then(None, kept, question, js="conversation => qa.answered(conversation)")
        question.stop(None, cancels=[asked]).then(on.stopped, kept, chat, **QUICK)
        opened = gr.on([chat.select, sources.select], on.open, kept, [sources, article], **QUICK)
        opened.then(None, None, None, js="() => { qa.opened() }")
        judged = gr.on([chat.like, article.like, library.article.like], on.judge, kept, mark, **QUICK)
        judged.then(None, mark, None, js="mark => { qa.feedback.judged(mark) }")
        history.select(on.restore, None, [kept, chat, sources, article], **QUICK)
        history.download(on.export, kept, file, **QUICK).then(None, file, None, js="file => { qa.save(file) }")

        gr.on(library.narrowed, on.filters, library.filters, chosen, trigger_mode="always_last", **QUICK)
        chosen.clear(lambda: ("", "", "", "", ""), None, [*library.filters, chosen], **QUICK)
        library.refresh_after(shelf.select)

        if shared(config):
            page.load(on.rights, None, [library.adding, library.folder, measured], **QUICK)
        timer = gr.Timer(LOADING_SECONDS)
        gr.on([page.load, timer.tick], on.look, None, [header, welcome, timer], **QUICK)
        models.listen(header, on.look, [header, welcome, timer])
        add_endpoints(api)
    return page


class Events:
    """One method an event: values from the browser in, values for the browser out."""

    def __init__(self, config: Config, backend: Backend, models: EncoderList, record: Record) -> None:
        self.config = config
        self.record = record
        self.backend = backend
        self.models = models
        self.pipeline = backend.pipeline

    def rights(self, request: gr.Request) -> tuple[gr.Accordion, gr.Textbox, gr.Tab]:
        """What only editors see of a page that is served to others. What it does asks for their right again."""
        visitor = visitor_of(request)
        adds = changes.may_add(self.config, visitor)
        example = gr.Textbox(placeholder=str(self.config.server.folders[0])) if adds and self.config.server.folders else gr.skip()
        return gr.Accordion(visible=adds), example, gr.Tab(visible=visitor.may_change)

    def look(self, request: gr.Request) -> tuple[str, str, gr.Timer]:
        """The header and the examples as they are now."""
        state, visitor = self.backend.state, visitor_of(request)
        seconds = LOADING_SECONDS if state.loading or state.problem or self.models.changing else READY_SECONDS
        header = views.header(self.config.ui.title, state, self.models.html(visitor), visitor.name)
        return header, views.welcome(self.backend.suggestions), gr.Timer(seconds)

    def answer(
        self, typed: str, kept: object, source: str, author: str, since: str, until: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Answer what was typed, or the question of the button that was pressed; says how far it is meanwhile."""
        pressed = event._data if isinstance(event._data, dict) else {}
        question = str(pressed.get("question", typed or "")).strip()[:LONGEST_QUESTION]
        visitor = visitor_of(request)
        if not question:
            yield gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
            return
        past = Conversation()
        try:
            past = from_browser(kept)
            ask = to_ask(question, pressed, past, filters_from(source, author, since, until))
            for step in self.backend.ask(ask, user_of(request)):
                if isinstance(step, Response):
                    self.record.asked(visitor, question, outcome(step), step)
                    yield self._answered(past.add(step), visitor)
                else:
                    yield _busy(), gr.skip(), self._log(past, visitor, views.pending(question, step)), gr.skip(), gr.skip()
        except QAError as error:
            self.record.asked(visitor, question, "failed")
            yield gr.skip(), gr.skip(), self._log(past, visitor, views.failed(question, told(error, self.config))), gr.skip(), gr.skip()
        except Exception:
            log.exception("a question failed")
            self.record.asked(visitor, question, "failed")
            yield gr.skip(), gr.skip(), self._log(past, visitor, views.failed(question, BUG)), gr.skip(), gr.skip()

    def _answered(self, conversation: Conversation, visitor: Visitor) -> tuple[Any, ...]:
        return gr.skip(), to_browser(conversation), self._log(conversation, visitor), self._sources(conversation, -1), ""

    def stopped(self, kept: object, request: gr.Request) -> str:
        return self._log(from_browser(kept), visitor_of(request))

    def open(self, kept: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """The sources of an answer and, if a citation was pressed, its article at that place."""
        conversation, number = from_browser(kept), int(event._data.get("citation", 0))
        index = int(event._data["exchange"])
        return self._sources(conversation, index), self._article(conversation, index, number, visitor_of(request))

    def restore(self, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Show a conversation from the browser's history, or an empty one."""
        conversation = from_browser(event._data.get("conversation"))
        return to_browser(conversation), self._log(conversation, visitor_of(request)), self._sources(conversation, -1), ""

    def export(self, kept: object, event: gr.EventData) -> dict[str, str]:
        return export(from_browser(kept), str(event._data.get("format")))

    def judge(self, kept: object, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        visitor = visitor_of(request)
        shown = feedback.judge(self.config, visitor, self.pipeline.article, kept, event._data)
        if "verdict" in shown:
            self.record.did(visitor, "marked", verdict=shown["verdict"])
        return shown

    def filters(self, *chosen: str) -> str:
        try:
            return views.filters_line(filters_from(*chosen))
        except QAError as error:
            return views.filters_problem(str(error))

    def _log(self, conversation: Conversation, visitor: Visitor, pending: str = "") -> str:
        checked = [faults(response, self.pipeline.article) for response in conversation.exchanges]
        return views.conversation(conversation, checked, pending=pending, judging=feedback.allowed(self.config, visitor))

    def _sources(self, conversation: Conversation, index: int) -> str:
        if not conversation.exchanges:
            return cards(0, None, {})
        response = conversation.exchanges[index]
        return cards(index % len(conversation.exchanges), response, faults(response, self.pipeline.article))

    def _article(self, conversation: Conversation, index: int, number: int, visitor: Visitor) -> str:
        response = conversation.exchanges[index]
        citation = citation_of(response, number)
        if citation is None:
            return ""
        fault = faults(response, self.pipeline.article).get(number)
        if fault:
            return views.notice(fault)
        others = quotes_of(conversation, citation.article_id)
        judging = feedback.allowed(self.config, visitor)
        return whole_article(self.pipeline.article(citation.article_id), citation, others, judging=judging)


def _busy() -> gr.Textbox:
    return gr.Textbox(value="", submit_btn=False, stop_btn="Stop")
