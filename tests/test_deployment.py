"""Containers: the files agree with one another and with the settings, as far as can be told without building an image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from qa.config import Config, load_config
from qa.server.addresses import networks, within

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
NGINX = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]


def test_the_image_has_the_torch_of_make_app() -> None:
    pinned = re.compile(r"torch==[\d.]+")
    assert pinned.findall(DOCKERFILE) == pinned.findall((ROOT / "Makefile").read_text("utf-8"))


def test_all_that_the_image_copies_goes_to_the_builder() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_nginx_sends_to_the_pages_of_the_compose_file() -> None:
    sent_to = re.findall(r"server (\S+):(\d+) ", NGINX)
    assert sent_to == [(name, str(Config().ui.port)) for name in SERVICES if name.startswith("page")]


def test_the_settings_in_containers_are_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in re.findall(r"(QA_\w+__\w+)=(\S+)", DOCKERFILE.split("\nFROM ")[-1]):
        monkeypatch.setenv(name, value)
    for name, value in SERVICES["page1"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:\?[^}]*\}", "qa.example.org", value))
    config = load_config()
    assert config.server.hosts == ("qa.example.org",)
    assert config.index.path.parent == config.server.users.parent == Path(COMPOSE["x-page"]["volumes"][0].split(":")[1])


def test_pages_believe_nginx_and_nobody_else() -> None:
    trusted = networks([re.findall(r"[\d.]+", SERVICES["page1"]["environment"]["QA_SERVER__PROXIES"])[0]], "server.proxies")
    addresses = {name: service["networks"]["pages"]["ipv4_address"] for name, service in SERVICES.items() if "networks" in service}
    assert [name for name, address in addresses.items() if within(address, trusted)] == ["nginx"]


def test_a_page_has_the_time_to_answer_before_it_is_killed() -> None:
    assert float(COMPOSE["x-page"]["stop_grace_period"].removesuffix("s")) > Config().server.patience
