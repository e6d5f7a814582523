"""The page `/docs`: the endpoints for programs with their parameters, schemas and an example each; `/docs/schemas.json` has the schemas.

Written from the signatures and docstrings in `qa.ui.api`, so that it cannot say anything else than what is served.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gradio.utils import get_function_description
from pydantic import Field, TypeAdapter, create_model
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute, Route

from qa.config import Config
from qa.render import escape
from qa.server.addresses import shared
from qa.ui.api import Api, Endpoint
from qa.ui.mcp import PATH as MCP_PATH

PATH = "/docs"
EXAMPLES: Mapping[str, Mapping[str, object]] = {
    "ask": {"question": "Where was the wreck of the Endurance found?", "since": "2022-01-01"},
    "search": {"question": "wreck of the Endurance", "limit": 3},
    "articles": {},
    "article": {"id": "moon-landing"},
}


def routes(config: Config, api: Api) -> list[BaseRoute]:
    described = schemas(api.endpoints)

    def page(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(config, described, str(request.base_url)))

    def as_json(request: Request) -> JSONResponse:
        return JSONResponse(described)

    return [Route(PATH, page), Route(f"{PATH}/schemas.json", as_json)]


def schemas(endpoints: Sequence[Endpoint]) -> dict[str, dict[str, Any]]:
    """name -> {"description", "parameters", "result"}, the last two as JSON schemas."""
    return {endpoint.__name__: _described(endpoint) for endpoint in endpoints}


def _described(endpoint: Endpoint) -> dict[str, Any]:
    description, meanings, _ = get_function_description(endpoint)
    signature = inspect.signature(endpoint, eval_str=True)
    fields: dict[str, Any] = {
        name: (parameter.annotation, Field(... if parameter.default is parameter.empty else parameter.default, description=meanings[name]))
        for name, parameter in signature.parameters.items()
    }
    parameters = create_model(endpoint.__name__, **fields).model_json_schema()
    result = TypeAdapter(signature.return_annotation).json_schema()
    return {"description": description, "parameters": parameters, "result": result}


def docs_page(config: Config, described: Mapping[str, Mapping[str, Any]], address: str) -> str:
    """`address` is where this server was reached, with a slash at the end."""
    sections = "\n".join(_section(name, about, address) for name, about in described.items())
    links = "".join(f'<li><a href="#{name}"><code>{name}</code></a></li>' for name in described)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(config.ui.title)}: for programs</title><link rel="stylesheet" href="qa-static/docs.css"></head>
<body><header><a href="./">← {escape(config.ui.title)}</a><h1>For programs</h1>
<p>What the page can be asked by programs. Everything here only reads.
The schemas as JSON: <a href="docs/schemas.json">schemas.json</a>.</p>
<nav aria-label="Endpoints"><ul>{links}</ul></nav></header>
<main><section><h2>How to call</h2><p>From Python by <code>gradio_client</code>, as below. By plain HTTP in two steps: post the parameters,
take the <code>event_id</code>, and read the result, a stream of events that ends with <code>event: complete</code> and a list with the
result in it, or <code>event: error</code> and the reason. A full queue answers with an error that says so.</p>
{_signing_in(config)}</section>
{sections}
{_mcp(config, address)}</main></body></html>"""


def _signing_in(config: Config) -> str:
    if not (shared(config) or config.server.sign_in):
        return ""
    return """<p>Name and password go along: <code>Client(address, auth=(name, password))</code>, <code>curl -u name:password</code>.
Who asks too often is told so, with status 429 and the seconds to wait in <code>Retry-After</code>.</p>"""


def _section(name: str, about: Mapping[str, Any], address: str) -> str:
    parameters = about["parameters"]
    required = parameters.get("required", [])
    rows = "".join(_row(key, schema, key in required) for key, schema in parameters["properties"].items())
    head = "<tr><th scope=col>Parameter</th><th scope=col>Type</th><th scope=col>Default</th><th scope=col>Meaning</th></tr>"
    filled = f'<div class="wide" tabindex="0"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    table = filled if rows else "<p>No parameters.</p>"
    result = escape(json.dumps(about["result"], indent=2))
    return f"""<section id="{name}"><h2><code>{name}</code></h2><p>{_prose(about["description"])}</p>{table}
<h3>Example</h3>{_code(_python(name, address))}{_code(_curl(name, address))}
<details><summary>Schema of the result</summary>{_code(result, escaped=True)}</details></section>"""


def _row(name: str, schema: Mapping[str, Any], required: bool) -> str:
    default = "required" if required else f"<code>{escape(json.dumps(schema.get('default')))}</code>"
    cells = (_type(schema), default, _prose(schema["description"]))
    return f"<tr><th scope=row><code>{name}</code></th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _type(schema: Mapping[str, Any]) -> str:
    """{"anyOf": [{"type": "number"}, {"type": "null"}]} -> "number or null" """
    kinds = [part.get("type", "object") for part in schema.get("anyOf", [schema])]
    return escape(" or ".join(kinds))


def _prose(text: str) -> str:
    """Text with `names` in it."""
    pieces = text.split("`")
    return "".join(f"<code>{escape(piece)}</code>" if n % 2 else escape(piece) for n, piece in enumerate(pieces))


def _python(name: str, address: str) -> str:
    arguments = "".join(f"{key}={value!r}, " for key, value in EXAMPLES[name].items())
    return f"""from gradio_client import Client

client = Client({address!r})
found = client.predict({arguments}api_name="/{name}")"""


def _curl(name: str, address: str) -> str:
    body = json.dumps(EXAMPLES[name])
    return f"""curl -s {address}gradio_api/call/v2/{name} -H 'Content-Type: application/json' -d '{body}'   # gives {{"event_id": ID}}
curl -s {address}gradio_api/call/{name}/ID"""


def _code(text: str, *, escaped: bool = False) -> str:
    return f'<pre tabindex="0"><code>{text if escaped else escape(text)}</code></pre>'


def _mcp(config: Config, address: str) -> str:
    where = f"{address.rstrip('/')}{MCP_PATH}"
    on, off = f"It is on, at <code>{escape(where)}</code> (streamable HTTP).", "It is off here: <code>qa serve --mcp</code>."
    return f"""<section id="mcp"><h2>For language models</h2>
<p>The same four as tools of a Model Context Protocol server. {on if config.ui.mcp else off}</p></section>"""
