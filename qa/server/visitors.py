"""Who is asking: a user who signed in, or whoever sits at this machine. Every event that changes something asks `may_change` itself."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from qa.server.users import Right


@dataclass(frozen=True)
class Visitor:
    """`name` is "" where nobody signs in."""

    name: str = ""
    right: Right = "reader"
    address: str = ""

    @property
    def may_change(self) -> bool:
        return self.right == "editor"


STRANGER = Visitor()
present: ContextVar[Visitor] = ContextVar("visitor", default=STRANGER)  # of the request that is being answered


def admit(scope: MutableMapping[str, Any], visitor: Visitor) -> None:
    """From here on the request is this visitor's."""
    scope["state"] = {**scope.get("state", {}), "visitor": visitor}
    present.set(visitor)
