"""For what looks after the server: `/healthz`, whether it lives; `/readyz`, whether it can answer; `/metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from qa.server.record import Record


def health_routes(record: Record, waits_for: Callable[[], str]) -> list[BaseRoute]:
    """`waits_for` names what is missing before questions can be answered, "" when nothing is."""

    def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:
        missing = waits_for()
        return JSONResponse({"ready": not missing, **({"waits_for": missing} if missing else {})}, 503 if missing else 200)

    def metrics(request: Request) -> Response:
        return Response(record.metrics(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
