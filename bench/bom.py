"""Writes a bill of materials (CycloneDX 1.6, JSON) of what qa is made of on this Python and system: packages, and models with their hashes.

python bench/bom.py > bom.json
"""

from __future__ import annotations

import json
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from lock import CONSTRAINTS, LOCK, ROOT, Pin, read
from packaging.markers import Marker

MODELS = ROOT / "qa" / "models"


def main() -> None:
    json.dump(bill(), sys.stdout, indent=1)
    print()


def bill() -> dict[str, Any]:
    torch = [pin for pin in read(CONSTRAINTS.read_text(encoding="utf-8")) if pin.name == "torch"]  # no file of it is pinned
    pins = [pin for pin in torch + read(LOCK.read_text(encoding="utf-8")) if not pin.marker or Marker(pin.marker).evaluate()]
    parts = [_package(pin) for pin in pins] + [_model(manifest) for manifest in sorted(MODELS.rglob("manifest.json"))]
    seed = json.dumps(parts, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, seed).urn,
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "qa", "version": metadata.version("qa"), "bom-ref": "qa"}},
        "components": parts,
        "dependencies": [{"ref": "qa", "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def _package(pin: Pin) -> dict[str, Any]:
    address = f"pkg:pypi/{pin.name}@{pin.version}"
    part: dict[str, Any] = {"type": "library", "bom-ref": address, "name": pin.name, "version": pin.version, "purl": address}
    if pin.hashes:
        told = [{"alg": "SHA-256", "content": one.removeprefix("sha256:")} for one in pin.hashes]
        part["externalReferences"] = [
            {"type": "distribution", "url": f"https://pypi.org/project/{pin.name}/{pin.version}/#files", "hashes": told}
        ]
    if license_told := _license(pin.name):
        part["licenses"] = [{"expression": license_told}]
    return part


def _model(manifest: Path) -> dict[str, Any]:
    """A model that ships with the project: its files by their hashes."""
    name = manifest.parent.relative_to(MODELS).as_posix()
    hashes: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    files = [
        {"type": "file", "bom-ref": f"model/{name}/{file}", "name": file, "hashes": [{"alg": "SHA-256", "content": digest}]}
        for file, digest in sorted(hashes.items())
    ]
    return {"type": "machine-learning-model", "bom-ref": f"model/{name}", "name": name, "components": files}


def _license(name: str) -> str | None:
    """The SPDX expression of an installed package, where it tells one."""
    try:
        return metadata.metadata(name).get("License-Expression")
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
