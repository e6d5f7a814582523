"""Sessions without a table of them: a cookie says who signed in and when, signed with the key of the users' file.

Any server that has the file knows a session, and none is left when the user is removed, gets another password, or signs out.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from qa.server.users import User, Users


class Sessions:
    """`clock` gives seconds since 1970."""

    def __init__(self, users: Users, hours: float, clock: Callable[[], float] = time.time) -> None:
        self.users = users
        self.seconds = hours * 3600
        self.clock = clock

    def begin(self, user: User) -> str:
        """The token of a new session: "ann:1763800000.123:signature"."""
        began = f"{self.clock():.3f}"
        return f"{user.name}:{began}:{self._signature(user, began)}"

    def user(self, token: str) -> User | None:
        """Whose session this is, if it is one and not over."""
        name, _, rest = token.partition(":")
        began, _, signature = rest.partition(":")
        user = self.users.get(name)
        if user is None or not hmac.compare_digest(signature.encode(), self._signature(user, began).encode()):
            return None
        age = self.clock() - float(began)  # a number: it was signed
        return user if 0 <= age < self.seconds and float(began) > user.signed_out else None

    def end(self, user: User) -> None:
        """Ends all sessions of the user, in all browsers."""
        self.users.sign_out(user.name, self.clock())

    def _signature(self, user: User, began: str) -> str:
        """The hash of the password is signed too: a new password ends the sessions of the old one."""
        return hmac.new(self.users.key, f"{user.name}:{began}:{user.password}".encode(), hashlib.sha256).hexdigest()
