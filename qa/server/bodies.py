"""What events send, as far as the guard has to know it: JSON, in which Gradio takes certain tables for files."""

from __future__ import annotations

import json
import re

FILE = "gradio.FileData"
ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # C:\\ is a path


class Unreadable(ValueError):
    """Not JSON, or nested without end."""


def parsed(body: bytes) -> object:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        raise Unreadable from None


def names_address(sent: object) -> bool:
    """Whether a file is given by an address anywhere in it. Gradio would fetch it, from wherever it is, before the event begins."""
    left = [sent]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            meta, path = one.get("meta"), one.get("path")
            if isinstance(meta, dict) and meta.get("_type") == FILE and isinstance(path, str) and ADDRESS.match(path):
                return True
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return False
