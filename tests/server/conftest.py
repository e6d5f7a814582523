from __future__ import annotations

from functools import partial

import pytest
from argon2 import PasswordHasher

import qa.server.users


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real hashes that cost little: what they cost is Argon2's matter."""
    cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(qa.server.users, "PasswordHasher", cheap)
