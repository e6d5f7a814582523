"""The library tab: what is in the index, filtered and sorted, with whole articles to read. Its filters apply to questions too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gradio as gr

from qa.config import Config
from qa.datatypes import ArticleSummary, Filters, Refusal
from qa.errors import QAError
from qa.pipeline import Pipeline
from qa.render import date_text, escape
from qa.server.addresses import shared
from qa.server.record import Record
from qa.ui import changes, feedback, views
from qa.ui.api import filters_from
from qa.ui.pieces import QUICK, html_piece
from qa.ui.sources import whole_article
from qa.ui.visitor import told, visitor_of

ANY = ""  # the first choice of a filter: it filters nothing
MOST_SHOWN = 200  # rows; more are counted, and searching narrows them down
MOST_REFUSED = 100
ORDERS = ("Newest first", "Oldest first", "Title", "Source", "Author")


class Library:
    """Build it inside a `gr.Tab`; `filters` are the four inputs that a question takes along."""

    def __init__(self, config: Config, pipeline: Pipeline, record: Record) -> None:
        self.config = config
        self.pipeline = pipeline
        self.record = record
        files = changes.takes_files(config)
        with gr.Row(elem_id="shelves"):
            with gr.Column(elem_id="catalogue", min_width=300):
                with gr.Row(elem_classes="controls"):
                    self.words = gr.Textbox(label="Find an article", placeholder="Title, author or source", scale=3)
                    self.order = gr.Dropdown(list(ORDERS), value=ORDERS[0], label="Order", scale=1, min_width=140)
                with gr.Row(elem_classes="controls"):
                    self.source = gr.Dropdown([("Any source", ANY)], value=ANY, label="Source", min_width=130)
                    self.author = gr.Dropdown([("Any author", ANY)], value=ANY, label="Author", min_width=130)
                    self.since = gr.Textbox(label="Published since", placeholder="YYYY-MM-DD", max_length=10, min_width=120)
                    self.until = gr.Textbox(label="Published until", placeholder="YYYY-MM-DD", max_length=10, min_width=120)
                with gr.Accordion("Add articles", open=False, visible=files) as self.adding:
                    self.uploads = gr.File(file_count="multiple", file_types=changes.SUFFIXES, label="Files", height=120, visible=files)
                    where = "Or the path of a file or folder on this machine" if files else "The path of a file or folder on the server"
                    self.folder = gr.Textbox(label=where, placeholder="~/articles")
                    self.add_button = gr.Button("Add to the index", variant="primary")
                    self.report = gr.HTML(elem_id="report", apply_default_css=False)
                self.refused = gr.HTML(elem_id="refused", apply_default_css=False)
                self.list = html_piece("list", "select")
            with gr.Column(elem_id="page", min_width=300):
                self.article = html_piece("whole", "delete", "like", value=views.empty("Choose an article to read it."))
        self.filters = [self.source, self.author, self.since, self.until]
        self.chosen = [self.words, self.order, *self.filters]
        self._listen()

    def _listen(self) -> None:
        looked = [self.words.change, self.order.change, *self.narrowed]
        gr.on(looked, self.show, self.chosen, self.list, trigger_mode="always_last", **QUICK)
        self.list.select(self.open, None, self.article, **QUICK).then(None, None, None, js="() => { qa.read() }")
        added = self.add_button.click(self.add, [self.uploads, self.folder], [self.report, self.uploads], api_visibility="private")
        removed = self.article.delete(self.remove, None, self.article, **QUICK)
        for changed in (added, removed):
            self.refresh_after(changed.then)

    def refresh_after(self, event: Callable[..., Any]) -> None:
        """Has an event bring the choices up to date, then the list, by what is chosen then: it may have changed meanwhile."""
        refreshed = event(self.refresh, None, [self.refused, self.source, self.author], **QUICK)
        refreshed.then(self.show, self.chosen, self.list, **QUICK)

    def add(self, uploads: list[str] | None, folder: str, request: gr.Request, progress: gr.Progress = gr.Progress()) -> tuple[str, None]:
        def at(stage: str, done: int, total: int) -> None:
            progress((done, total), desc=stage.capitalize())

        return changes.add(self.config, visitor_of(request), self.record, uploads, folder, at), None

    def remove(self, event: gr.EventData, request: gr.Request) -> str:
        return changes.remove(self.config, visitor_of(request), self.record, str(event._data.get("article")))

    @property
    def narrowed(self) -> list[Any]:
        """When the filters have new values; a date is taken when it is whole."""
        dates = [event for part in (self.since, self.until) for event in (part.submit, part.blur)]
        return [self.source.change, self.author.change, *dates]

    def refresh(self) -> tuple[Any, ...]:
        """What was refused and the choices of the filters, as the index is now."""
        try:
            articles, refused = self.pipeline.articles(), self.pipeline.refusals()
        except QAError:  # which `show` tells
            return gr.skip(), gr.skip(), gr.skip()
        sources = [("Any source", ANY), *_counted(a.source for a in articles)]
        authors = [("Any author", ANY), *_counted(a.author for a in articles if a.author)]
        return refusals(refused, folders=not shared(self.config)), gr.Dropdown(choices=sources), gr.Dropdown(choices=authors)

    def show(self, words: str, order: str, *chosen: str) -> str:
        try:
            filters = filters_from(*chosen)
            articles = self.pipeline.articles()
        except QAError as error:
            return views.notice(told(error, self.config))
        found = [article for article in articles if _matches(article, words, filters)]
        return catalogue(ordered(found, order), len(articles))

    def open(self, event: gr.EventData, request: gr.Request) -> str:
        visitor = visitor_of(request)
        try:
            article = self.pipeline.article(str(event._data.get("article")))
        except QAError as error:
            return views.notice(told(error, self.config))
        removable, judging = changes.allowed(self.config, visitor), feedback.allowed(self.config, visitor)
        return whole_article(article, None, removable=removable, judging=judging)


def _matches(article: ArticleSummary, words: str, filters: Filters) -> bool:
    text = f"{article.title} {article.author or ''} {article.source}".casefold()
    published = article.published
    return (
        all(word in text for word in (words or "").casefold().split())
        and filters.source in (None, article.source)
        and (filters.author or "").casefold() in (article.author or "").casefold()
        and (filters.since is None or (published is not None and published >= filters.since))
        and (filters.until is None or (published is not None and published <= filters.until))
    )


def ordered(articles: Sequence[ArticleSummary], order: str) -> list[ArticleSummary]:
    """Articles without a date or an author come last in the orders by them."""
    by_title = sorted(articles, key=lambda a: a.title.casefold())
    if order == "Source":
        return sorted(by_title, key=lambda a: a.source.casefold())
    if order == "Author":
        return sorted(by_title, key=lambda a: (not a.author, (a.author or "").casefold()))
    if order == "Title":
        return by_title
    newest = order != "Oldest first"
    dated = sorted((a for a in by_title if a.published), key=lambda a: str(a.published), reverse=newest)
    return dated + [a for a in by_title if not a.published]


def catalogue(articles: Sequence[ArticleSummary], total: int) -> str:
    rows = "".join(_row(article) for article in articles[:MOST_SHOWN])
    all_of = views.count(total, "article")
    count = f"{len(articles):,} of {all_of}" if len(articles) < total else all_of
    more = f", the first {MOST_SHOWN} shown" if len(articles) > MOST_SHOWN else ""
    return f'<p class="count" role="status">{count}{more}</p><ul class="catalogue">{rows}</ul>'


def refusals(refused: Sequence[Refusal], folders: bool = True) -> str:
    """What indexing could not read, folded up, with the reasons, and where it lies if `folders` may be told."""
    if not refused:
        return ""
    rows = "".join(_refused_row(one, folders) for one in refused[:MOST_REFUSED])
    more = f"<p>The first {MOST_REFUSED} are shown; <code>qa info</code> names all.</p>" if len(refused) > MOST_REFUSED else ""
    return f"""<details class="refused"><summary>{views.count(len(refused), "file or row", "files or rows")} could not be read</summary>
<ul>{rows}</ul>{more}<p>Nothing of these is searched. Mend or remove them and run <code>qa index</code> again.</p></details>"""


def _refused_row(refusal: Refusal, folders: bool) -> str:
    folder, slash, name = refusal.path.rpartition("/")
    where = f"<span>{escape(folder + slash)}</span>" if folders else ""
    return f"<li><b>{escape(name)}</b> {escape(refusal.reason)}{where}</li>"


def _counted(names: Iterable[str]) -> list[tuple[str, str]]:
    """The choices of a filter, with the number of articles: ("almanac.example (12)", "almanac.example")."""
    return [(f"{name} ({number:,})", name) for name, number in sorted(Counter(names).items())]


def _row(article: ArticleSummary) -> str:
    parts = [article.author, article.source, date_text(article.published), views.count(article.passages, "passage")]
    byline = " · ".join(escape(part) for part in parts if part)
    copy = '<span class="copy">a copy</span>' if article.copy_of else ""
    return f"""<li><button data-event="select" data-article="{escape(article.id)}"><b>{escape(article.title)}</b>{copy}
<span class="byline">{byline}</span></button></li>"""
