"""Addresses: whether others reach the page, under which names it answers, and where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from qa.config import Config
from qa.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is served on `host`. A name other than localhost may lead anywhere."""
    address = _address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def shared(config: Config) -> bool:
    """Whether others reach the page: by its address, or through a proxy or a name that is made for them."""
    return not is_loopback(config.ui.host) or bool(config.server.hosts or config.server.proxies)


def networks(texts: Iterable[str], setting: str) -> tuple[Network, ...]:
    """Addresses and ranges such as 10.0.0.0/8."""
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise ConfigError(f"{setting}: {error} (expected addresses such as 10.0.0.7, or ranges such as 10.0.0.0/8)") from None


def within(host: str, known: Sequence[Network]) -> bool:
    address = _address(host)
    return address is not None and any(address in network for network in known)


def is_served_name(host: str, config: Config) -> bool:
    """Whether a Host header names this page. Another site's name that was made to lead here ("DNS rebinding") does not; an address
    cannot be made to."""
    name = urlsplit(f"//{host}").hostname or "" if "@" not in host else ""
    return _address(name) is not None or name in {"localhost", config.ui.host.lower(), *(host.lower() for host in config.server.hosts)}


def origin_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The address that a request comes from: of "client, proxy 1, proxy 2" the last that is no proxy of ours."""
    if not within(peer, proxies):
        return peer
    hops = [hop.strip() for hop in forwarded.split(",") if _address(hop.strip())]
    return next((hop for hop in reversed(hops) if not within(hop, proxies)), peer)


def household(host: str) -> str:
    """Whom a limit by address is for: one customer of a network has a whole range of IPv6."""
    address = _address(host)
    return str(ipaddress.ip_network((address, 64), strict=False)) if isinstance(address, ipaddress.IPv6Address) else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
