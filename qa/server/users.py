"""The users of a page that is served to others: one JSON file, which only its owner may read, with a salted hash for each password."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from qa.errors import ConfigError, QAError

VERSION = 1
SHORTEST, LONGEST = 10, 1000  # characters of a password
NAME = re.compile(r"[A-Za-z0-9][\w.@-]{0,63}", re.ASCII)

Right = Literal["reader", "editor"]


@dataclass(frozen=True)
class User:
    """`password` is Argon2's hash. Sessions that began before `signed_out`, in seconds since 1970, are over."""

    name: str
    right: Right
    password: str
    signed_out: float = 0.0


class Users:
    """Thread-safe. Reads the file again whenever it has changed, so several servers may share it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._hasher = PasswordHasher()
        self._lock = threading.Lock()
        self._seen: object = None
        self._key, self._users = b"", dict[str, User]()

    def __iter__(self) -> Iterator[User]:
        self._look()
        return iter(sorted(self._users.values(), key=lambda user: user.name))

    def get(self, name: str) -> User | None:
        self._look()
        return self._users.get(name)

    @property
    def key(self) -> bytes:
        """What sessions are signed with."""
        self._look()
        return self._key

    def add(self, name: str, password: str, right: Right) -> bool:
        """A new user, or another password and right for one that is there; whether it is a new one."""
        check_name(name)
        check_password(password)
        with self._changing() as users:
            new = name not in users
            users[name] = User(name, right, self._hasher.hash(password))
        return new

    def remove(self, name: str) -> None:
        with self._changing() as users:
            if users.pop(name, None) is None:
                raise QAError(f"no user {name} in {self.file} (see: qa users list)")

    def sign_out(self, name: str, moment: float) -> None:
        """Ends all sessions of a user."""
        with self._changing() as users:
            if name in users:
                users[name] = replace(users[name], signed_out=moment)

    def check(self, name: str, password: str) -> User | None:
        """The user if the password is right. Takes as long for a name that is not there."""
        user = self.get(name)
        try:
            self._hasher.verify(user.password if user else self._nobody, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return None
        return user

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex())

    def _look(self) -> None:
        with self._lock:
            try:
                about = self.file.stat()
            except FileNotFoundError:
                self._seen, self._key, self._users = None, b"", {}
                return
            except OSError as error:
                raise ConfigError(f"{self.file} cannot be read: {error.strerror}") from None
            stamp = about.st_mtime_ns, about.st_size, about.st_ino
            if stamp != self._seen:
                check_private(self.file, about.st_mode)
                self._key, self._users = _read(self.file)
                self._seen = stamp

    @contextmanager
    def _changing(self) -> Iterator[dict[str, User]]:
        """The users, written back at the end unless something went wrong; one process at a time."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.file}.lock"):
                self._look()
                users = dict(self._users)
                yield users
                _write(self.file, self._key or secrets.token_bytes(32), users)
        except OSError as error:
            raise ConfigError(f"{self.file} cannot be written: {error.strerror}") from None


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise QAError(f"{name!r} cannot be a user's name: expected letters, digits and . _ @ -, at most 64")


def check_password(password: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise QAError(f"a password has {SHORTEST} to {LONGEST:,} characters, this one has {len(password):,}")


def check_private(file: Path, mode: int) -> None:
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(f"{file} can be read by others of this machine (make it private: chmod 600 {file})")


def _read(file: Path) -> tuple[bytes, dict[str, User]]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise ConfigError(f"{file} is of version {told['version']}, expected {VERSION} (use the qa that wrote it)")
        users = [_user(one) for one in told["users"]]
        return bytes.fromhex(told["key"]), {user.name: user for user in users}
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise ConfigError(f"{file} is damaged (remove it, and add the users again: qa users add NAME)") from None


def _user(told: dict[str, Any]) -> User:
    user = User(str(told["name"]), told["right"], str(told["password"]), float(told["signed_out"]))
    if user.right not in get_args(Right) or not NAME.fullmatch(user.name):
        raise ValueError
    return user


def _write(file: Path, key: bytes, users: dict[str, User]) -> None:
    """All or nothing; `mkstemp` makes a file that only its owner may read."""
    told = {"version": VERSION, "key": key.hex(), "users": [asdict(user) for user in users.values()]}
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(told, out, indent=2)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
