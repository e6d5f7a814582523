"""The supply chain: what is pinned is above every known advisory, by hash, and listed; and a step that fails changes nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench"


@pytest.fixture
def bench(monkeypatch):
    """bench("lock") imports bench/lock.py."""
    monkeypatch.syspath_prepend(str(BENCH))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_no_version_is_older_than_an_advisory_admits() -> None:
    done = subprocess.run([sys.executable, str(BENCH / "audit.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_audit_finds_what_is_too_old(bench) -> None:
    audit = bench("audit")
    advisories = audit.load(audit.ADVISORIES)
    found = list(audit.faults(advisories, {"transformers": "5.2.0", "jinja2": "3.1.6", "pillow": "12.3.0"}))
    assert [re.match(r"transformers 5\.2\.0: (CVE-[\d-]+)", line)[1] for line in found] == ["CVE-2026-4372", "CVE-2026-5241"]
    accepted = [{key: value for key, value in one.items() if key != "accepted"} for one in advisories]
    assert len(list(audit.faults(accepted, {"pillow": "12.3.0"}))) == 1


def test_each_advisory_says_what_it_is(bench) -> None:
    audit = bench("audit")
    advisories = audit.load(audit.ADVISORIES)
    ids = [one["id"] for one in advisories]
    assert len(set(ids)) == len(ids)
    for one in advisories:
        assert re.fullmatch(r"(CVE|GHSA|PYSEC)-[\w-]+", one["id"])
        assert one["about"] and one["package"] == audit._normal(one["package"])
        audit.Version(one["fixed"])


def test_the_least_version_of_a_requirement(bench) -> None:
    project = {"dependencies": ["a>=2.1", "B_c[x]==3 ; python_version < '4'", "d"], "optional-dependencies": {"e": ["f>=1,<2"]}}
    assert bench("audit").floors(project) == {"a": "2.1", "b-c": "3", "d": "0", "f": "1"}


def test_the_lock_has_a_hash_for_everything_and_agrees_with_the_constraints(bench) -> None:
    lock = bench("lock")
    pins, tested = (lock.read(file.read_text(encoding="utf-8")) for file in (lock.LOCK, lock.CONSTRAINTS))
    assert len(pins) > 100
    assert all(pin.hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in pin.hashes) for pin in pins)
    assert {(pin.name, pin.version) for pin in pins} <= {(pin.name, pin.version) for pin in tested}
    assert not any(pin.name.startswith((*lock.GPU, "torch")) for pin in pins)


def test_what_the_tests_need_besides_is_locked_too(bench) -> None:
    lock = bench("lock")
    ours, besides, tested = (lock.read(file.read_text(encoding="utf-8")) for file in (lock.LOCK, lock.TEST_LOCK, lock.CONSTRAINTS))
    assert all(pin.hashes for pin in besides)
    named = {(pin.name, pin.version) for pin in ours + besides}
    assert named == {(pin.name, pin.version) for pin in tested if pin.name != "torch"}


def test_what_the_project_needs_is_locked(bench) -> None:
    lock, audit = bench("lock"), bench("audit")
    project = audit.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {audit._normal(audit.Requirement(line).name) for line in project["dependencies"]} - {"torch"}
    assert needed <= {audit._normal(pin.name) for pin in lock.read(lock.LOCK.read_text(encoding="utf-8"))}


def test_a_lock_is_read_with_markers_and_hashes(bench) -> None:
    lock = bench("lock")
    text = "# about\na==1.0 ; python_full_version < '3.11' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nb-c==2\n"
    assert lock.read(text) == [
        lock.Pin("a", "1.0", "python_full_version < '3.11'", ("sha256:aa", "sha256:bb")),
        lock.Pin("b-c", "2", "", ()),
    ]
    with pytest.raises(ValueError, match="no pinned version: c>=1"):
        lock.read("c>=1\n")


@pytest.mark.parametrize("uv", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho a==1\nexit 1\n", "#!/bin/sh\nexit 0\n"])
def test_versions_that_cannot_be_resolved_leave_the_files_as_they_are(uv, tmp_path, bench, monkeypatch) -> None:
    lock = bench("lock")
    monkeypatch.setattr(lock, "CONSTRAINTS", tmp_path / "constraints.txt")
    for name in ("LOCK", "TEST_LOCK"):
        monkeypatch.setattr(lock, name, tmp_path / "requirements.lock")
    (tmp_path / "constraints.txt").write_text("a==1\n")
    if uv:
        (tmp_path / "uv").write_text(uv)
        (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(tmp_path / "uv") if uv else None)
    with pytest.raises(SystemExit, match="nothing was changed"):
        lock.main()
    assert (tmp_path / "constraints.txt").read_text() == "a==1\n"
    assert not (tmp_path / "requirements.lock").exists()


def test_the_bill_of_materials_lists_packages_and_models() -> None:
    done = subprocess.run([sys.executable, str(BENCH / "bom.py")], capture_output=True, text=True, check=True)
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    parts = {part["name"]: part for part in bill["components"]}
    assert {"torch", "gradio", "lxml", "reader"} <= parts.keys()
    assert parts["lxml"]["purl"] == f"pkg:pypi/lxml@{parts['lxml']['version']}"
    assert parts["lxml"]["externalReferences"][0]["hashes"]
    assert [file["name"] for file in parts["reader"]["components"]].count("model.safetensors") == 1
    names = [part["bom-ref"] for part in bill["components"]]
    assert len(set(names)) == len(names)
