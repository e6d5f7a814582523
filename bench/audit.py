"""Compares versions with the known advisories in advisories.toml: those installed, those pinned, and the least that pyproject.toml admits.

No network is asked, so the file is as good as whoever added to it last; `pip-audit -r requirements.lock` asks a database. Exit code 1
when a version is older than the one that mends an advisory, unless the advisory says why it is accepted.

    python bench/audit.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from lock import CONSTRAINTS, LOCK, ROOT, read
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ADVISORIES = Path(__file__).with_name("advisories.toml")


def main() -> None:
    advisories = load(ADVISORIES)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = [f"{where}: {fault}" for where, versions in _places(project) for fault in faults(advisories, versions)]
    accepted = [f"accepted: {one['id']} ({one['package']} < {one['fixed']}): {one['accepted']}" for one in advisories if "accepted" in one]
    print(*accepted, *told, f"{len(advisories)} advisories, {len(told)} versions to be raised", sep="\n")
    sys.exit(1 if told else 0)


def load(file: Path) -> list[dict[str, Any]]:
    """The advisories; each has `id`, `package`, `fixed` and `about`, and `accepted` where we stay below `fixed`."""
    return list(tomllib.loads(file.read_text(encoding="utf-8"))["advisory"])


def faults(advisories: list[dict[str, Any]], versions: Mapping[str, str]) -> Iterator[str]:
    """What is too old among package -> version."""
    for one in advisories:
        version = versions.get(one["package"])
        if version is not None and Version(version) < Version(one["fixed"]) and "accepted" not in one:
            yield f"{one['package']} {version}: {one['id']}, {one['about']}; mended in {one['fixed']}"


def floors(project: Mapping[str, Any]) -> dict[str, str]:
    """package -> the least version that the project's own requirements admit; "0" where they name none."""
    extras = project.get("optional-dependencies", {})
    wanted = map(Requirement, [*project["dependencies"], *(line for lines in extras.values() for line in lines)])
    return {_normal(one.name): next((part.version for part in one.specifier if part.operator in (">=", "==", "~=")), "0") for one in wanted}


def _places(project: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    yield "installed", {_normal(one.metadata["Name"]): one.version for one in metadata.distributions()}
    for file in (CONSTRAINTS, LOCK):
        pins = sorted(read(file.read_text(encoding="utf-8")), key=lambda pin: Version(pin.version), reverse=True)
        yield file.name, {_normal(pin.name): pin.version for pin in pins}  # of several, the oldest
    yield "pyproject.toml", floors(project)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
