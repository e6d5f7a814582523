"""Who caused an event of the page, or called an endpoint; and what the page may tell them of a problem."""

from __future__ import annotations

import logging

import gradio as gr
from gradio.context import LocalContext

from qa.config import Config
from qa.errors import ConfigError, ModelError, StoreError, UnknownArticle
from qa.server.addresses import shared
from qa.server.visitors import STRANGER, Visitor, present

log = logging.getLogger(__name__)

OPERATORS = (ConfigError, ModelError, StoreError)  # problems of whoever runs the server, with paths and commands in them
GONE = "There is no such article here, or no longer."
HIDDEN = "The articles cannot be reached just now; the server's log says why."


def visitor_of(request: gr.Request | None) -> Visitor:
    """Of an event, as the guard saw its request. One without a request has no rights."""
    state = request.request.state if request and request.request else None
    visitor = getattr(state, "visitor", STRANGER)
    return visitor if isinstance(visitor, Visitor) else STRANGER


def current_visitor() -> Visitor:
    """Of the event, or else of the request, that is being answered."""
    request = LocalContext.request.get(None)
    return visitor_of(request) if request else present.get()


def told(error: Exception, config: Config) -> str:
    """A problem as it is shown: to others, nothing of this machine is named."""
    if not shared(config) or not isinstance(error, OPERATORS):
        return str(error)
    if isinstance(error, UnknownArticle):
        return GONE
    log.warning("%s", error)
    return HIDDEN
