from __future__ import annotations

import pytest

from qa.config import Config
from qa.errors import ConfigError
from qa.server.addresses import household, is_loopback, is_served_name, networks, origin_of, shared


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"])
def test_only_this_machine_reaches_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "[::]", "", "0", "10.1.2.3", "::ffff:10.1.2.3", "localhost.example.org", "127.0.0.1.nip.io"]
)
def test_others_reach_everything_else(host: str) -> None:
    assert not is_loopback(host)
    assert shared(Config().replace("ui.host", host))


def test_a_name_for_others_or_a_proxy_makes_a_page_for_others() -> None:
    assert not shared(Config())
    assert shared(Config().replace("server.hosts", ("qa.example.org",)))
    assert shared(Config().replace("server.proxies", ("127.0.0.1",)))


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:7860", "10.0.0.7", "qa.example.org", "QA.Example.org:443"])
def test_names_that_are_served(host: str) -> None:
    assert is_served_name(host, Config().replace("server.hosts", ("qa.example.org",)))


@pytest.mark.parametrize(
    "host", ["", "evil.example", "qa.example.org.evil.example", "127.0.0.1.nip.io", "localhost@evil.example", "evil.example:7860"]
)
def test_names_that_were_made_to_lead_here_are_not(host: str) -> None:
    assert not is_served_name(host, Config().replace("server.hosts", ("qa.example.org",)))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours: not believed
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what the client itself claimed stands before
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown, <script>", "10.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_of_named_proxies_alone(peer: str, forwarded: str, client: str) -> None:
    assert origin_of(peer, forwarded, networks(["10.0.0.0/8"], "server.proxies")) == client


def test_what_is_no_address_is_told() -> None:
    with pytest.raises(ConfigError, match="^server.proxies: 'nginx' does not appear to be"):
        networks(["nginx"], "server.proxies")


def test_a_customers_range_of_ipv6_is_one_household() -> None:
    assert household("2001:db8:1:2:3::4") == household("2001:db8:1:2:ffff::1") != household("2001:db8:1:3::1")
    assert household("192.0.2.1") == "192.0.2.1"
