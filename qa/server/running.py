"""The HTTP server: it listens, and when it is stopped it takes no new questions, lets those under way be answered, and closes."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import uvicorn

from qa.config import Config
from qa.errors import ConfigError
from qa.server.guard import Guard

LEAVE_SECONDS = 5  # for connections that are still open when every question has been answered


class Server(uvicorn.Server):
    """`end_streams` has open pages let go of the server; it is called in the server's own event loop."""

    def __init__(self, guard: Guard, app: object, config: Config, end_streams: Callable[[], None]) -> None:
        files = config.server.certificate, config.server.key
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type]
                log_level="warning",
                proxy_headers=False,  # the guard does it
                server_header=False,
                ssl_certfile=files[0],
                ssl_keyfile=files[1],
                timeout_graceful_shutdown=LEAVE_SECONDS,
            )
        )
        self._guard = guard
        self._patience = config.server.patience
        self._end_streams = end_streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl+C and SIGTERM; the second one does not wait."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._guard.closing = True
        for server in self.servers:
            server.close()
        end = asyncio.get_running_loop().time() + self._patience
        while self._guard.answering and not self.force_exit and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        self._end_streams()
        await super().shutdown(sockets)


def end_process() -> NoReturn:
    """Ends it when the page is closed, without the interpreter's tidying up.

    That would abort the process where a thread is still inside a model's native code, such as one that makes example questions.
    All that matters was written by then.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Served:
    """A page that is being served, from a thread of its own. `local_url` is where this machine reaches it."""

    def __init__(self, server: Server, listening: socket.socket, local_url: str) -> None:
        self.local_url = local_url
        self._server = server
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server", daemon=True)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


def listen(config: Config) -> socket.socket:
    """A socket on `ui.host` and `ui.port`; a free port for 0."""
    host, port = config.ui.host.strip("[]"), config.ui.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot serve on {host}:{port}: {reason} (choose another port: qa serve --port 7861)") from None


def check_certificate(config: Config) -> None:
    """ConfigError now rather than a traceback later."""
    certificate, key = config.server.certificate, config.server.key
    if (certificate is None) != (key is None):
        raise ConfigError("server.certificate and server.key go together: set both, or neither")
    if certificate is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"server.certificate = {certificate} cannot be used with server.key = {key}: {error}") from None


def address_of(config: Config, listening: socket.socket) -> str:
    """http://127.0.0.1:7860/"""
    host = config.ui.host.strip("[]")
    name = "localhost" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    return f"{'https' if config.server.certificate else 'http'}://{name}:{listening.getsockname()[1]}/"
