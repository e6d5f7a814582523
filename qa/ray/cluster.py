"""All that knows Ray: connecting to a cluster, actors on its nodes, and what Ray's errors mean."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from qa.config import Config
from qa.errors import ClusterError, ConfigError, QAError
from qa.ray.pool import Kind, Lost
from qa.ray.worker import Worker

SHARE = 0.5  # of a processor, for each of the two kinds of workers on it; when both want it, the system shares it out
STORE = 256 << 20  # bytes for what is on its way between workers, on a cluster of our own
SECONDS = 5.0  # for the cluster to take a connection

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # without it, Ray warns that it will be so one day
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",  # else Ray ends this very process a minute after the cluster has gone
}
OWN_SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on every system: has all of it listen on loopback alone
    "RAY_AUTH_MODE": "token",
}


class RayCluster:
    """Actors of a Ray cluster (qa/ray/pool.py says what they are for). `close` it."""

    def __init__(self, config: Config) -> None:
        self._address = config.index.ray_address or os.environ.get("RAY_ADDRESS", "")
        self._ray = _imported(own=not self._address)
        self._own = not self._ray.is_initialized()
        with self._errors():
            if self._own:
                self._connect()
            resources = self._ray.cluster_resources()
            self._head = self._ray.get_runtime_context().gcs_address
        self._worker = self._ray.remote(Worker)  # without retries of Ray's own: the pool sees to that
        processors = int(resources.get("CPU", 0))
        self._graphics = int(resources.get("GPU", 0)) if _may_use_graphics(config) else 0
        self.sizes: dict[Kind, int] = {"read": processors, "encode": self._graphics or processors}
        if not processors:
            self.close()
            raise ClusterError(f"the Ray cluster {self._where} has no processors to offer (add nodes to it: ray start --address=…)")

    def start(self, kind: Kind) -> Any:
        graphics = 1 if kind == "encode" and self._graphics else 0
        return self._worker.options(num_cpus=SHARE, num_gpus=graphics, scheduling_strategy="SPREAD").remote()

    def call(self, member: Any, method: str, argument: object) -> Any:
        return getattr(member, method).remote(argument)

    def wait(self, calls: Sequence[Any], seconds: float) -> list[Any]:
        ended, others = self._ray.wait(calls, num_returns=1, timeout=seconds)
        if ended and others:
            ended += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return list(ended)

    def result(self, call: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(call)
        except errors.RayTaskError as error:
            if not isinstance(error.cause, QAError):
                raise
            raise ClusterError(f"{error.cause} [on the node {error.ip}]") from None
        except errors.RayError as error:
            if isinstance(error, errors.RayActorError) and error.actor_init_failed:
                reason = str(error).strip().splitlines()[-1]
                raise ClusterError(f"a worker cannot start: {reason} (install the same qa on every node)") from None
            raise Lost from error

    def stop(self, member: Any) -> None:
        with contextlib.suppress(Exception):  # it is gone, as far as we can tell
            self._ray.kill(member)

    def check(self) -> None:
        """Whether somebody still listens at the cluster's head."""
        try:
            _knock(self._head)
        except OSError:
            raise ClusterError(
                f"the Ray cluster {self._where} cannot be reached any more; what was committed is kept "
                "(run qa index again when it is back, or without --engine ray)"
            ) from None

    def close(self) -> None:
        if self._own:
            with contextlib.suppress(Exception):  # whatever is left of a lost cluster to say helps nobody
                self._ray.shutdown()

    @property
    def _where(self) -> str:
        return f"at {self._address}" if self._address else "on this machine"

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address:
            if ":" in self._address:
                _knock(urlsplit(self._address if "//" in self._address else f"//{self._address}").netloc)
            self._ray.init(self._address, **quiet)
            return
        with socket.socket() as taken:  # Ray starts the dashboard's process even without one, to ask which cloud this is: not on this port
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self._ray.init(
                "local",
                include_dashboard=False,
                dashboard_host="127.0.0.1",
                dashboard_port=taken.getsockname()[1],
                object_store_memory=STORE,
                _node_ip_address="127.0.0.1",
                **quiet,
            )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What keeps us from connecting, in one line."""
        try:
            yield
        except Exception as error:  # Ray has no class of its own for these
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            remedy = "set index.ray_address or RAY_ADDRESS, or unset both for a cluster on this machine"
            if not self._address:
                remedy = "try again when this machine has less to do, or without --engine ray"
            missed = "reached" if self._address else "started"
            raise ClusterError(f"the Ray cluster {self._where} cannot be {missed}: {reason} ({remedy})") from None


def _imported(own: bool) -> Any:
    """Ray reads these settings once, when it is imported."""
    for name, value in {**SETTINGS, **(OWN_SETTINGS if own else {})}.items():
        os.environ.setdefault(name, value)
    if own:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else it would leave one in the home folder
    try:
        import ray
    except ImportError:
        raise ConfigError("--engine ray needs the package ray (pip install 'qa[ray]')") from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)  # what matters is raised as well
    return ray


def _may_use_graphics(config: Config) -> bool:
    return config.embedding.backend != "openvino" and config.embedding.device != "cpu" and config.embedding.precision != "int8"


def _knock(place: str) -> None:
    """OSError when nobody listens at host:port."""
    host, _, port = place.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
