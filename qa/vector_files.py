"""The files of a vector index, beside the store: `vectors-FINGERPRINT.json`, which vouches for the others, and what it names.

`vectors-FINGERPRINT-DIGEST.safetensors` holds a piece of it, or where its lists lie. These files are named by their content, never changed,
and removed when nothing needs them any more. All is written beside, synced and renamed, the manifest last. What is damaged is left out
when reading: it is made anew from the store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from qa.disk import replace_file
from qa.vector_lists import Lists, Numbers, Rows
from qa.vector_parts import Part, Piece, part_of, piece_of

FORMAT = 4  # of the manifest
ATTEMPTS = 5  # to read a manifest and its files while a writer exchanges them


@dataclass(frozen=True)
class Saved:
    """What files hold. `identity` is that of the store then, `passages` how many were there; what is damaged is left out."""

    identity: tuple[str, int]
    passages: int
    loose: Part
    listed: tuple[Part, ...] = ()
    lists: Lists | None = None


def read(folder: Path, fingerprint: str, to_search: bool) -> Saved | None:
    """None when there is no manifest, or none that holds. All that is in lists is one part; where nobody is `to_search`, one for each file,
    and vectors are not kept in memory."""
    for _ in range(ATTEMPTS):
        path = manifest_path(folder, fingerprint)
        manifest = _manifest(path)
        if manifest is None:
            return None
        found = _read_all(folder, fingerprint, manifest, to_search)
        if _manifest(path) == manifest:
            return found
    return None


def save(folder: Path, fingerprint: str, saved: Saved) -> None:
    """The manifest of parts that were `written`, and where the lists lie; what is not named any more goes."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "store": saved.identity[0],
        "generation": saved.identity[1],
        "passages": saved.passages,
        "loose": saved.loose.digest,
        "listed": [part.digest for part in saved.listed],
        "lists": _saved_lists(folder, fingerprint, saved.lists, saved.listed) if saved.lists else None,
    }
    path = manifest_path(folder, fingerprint)
    replace_file(path, json.dumps({**manifest, "sha256": _said(manifest)}, indent=1).encode())
    named = {_path(folder, fingerprint, digest) for digest in _named(manifest)}
    for leftover in set(folder.glob(f"vectors-{fingerprint}[-.]*")) - named - {path}:
        leftover.unlink(missing_ok=True)


def _saved_lists(folder: Path, fingerprint: str, lists: Lists, listed: Sequence[Part]) -> dict[str, Any]:
    sizes = sum((part.sizes for part in listed), np.zeros(len(lists.centres), np.int64))
    return {"digest": _write(folder, fingerprint, {"centres": lists.centres, "sizes": sizes}), "size": lists.size, "probes": lists.probes}


def written(folder: Path, fingerprint: str, lists: Lists | None, numbers: Numbers, blocks: Iterable[Rows]) -> Part:
    """A part with a file; what is searched is not kept."""
    if not len(numbers):
        return Part()
    piece = piece_of(lists, numbers, blocks)
    return Part(numbers, piece.sizes, digest=_write(folder, fingerprint, vars(piece)))


def saved_files(folder: Path) -> list[Path]:
    """Manifests and what they name, or named, in a folder."""
    return sorted(folder.glob("vectors-*"))


def fingerprints(folder: Path) -> list[str]:
    """Of the encoders that have files."""
    return sorted({path.stem.split("-")[1] for path in saved_files(folder)})


def faulty_files(folder: Path, fingerprint: str) -> list[Path]:
    """What is damaged or missing."""
    path = manifest_path(folder, fingerprint)
    manifest = _manifest(path)
    if manifest is None:
        return [path]
    return [_path(folder, fingerprint, digest) for digest in _named(manifest) if _arrays(folder, fingerprint, digest) is None]


def manifest_path(folder: Path, fingerprint: str) -> Path:
    return folder / f"vectors-{fingerprint}.json"


def _read_all(folder: Path, fingerprint: str, manifest: Mapping[str, Any], to_search: bool) -> Saved:
    def pieces(digests: Sequence[str]) -> Iterator[tuple[str, Piece]]:
        for digest in digests:
            if arrays := _arrays(folder, fingerprint, digest):
                yield digest, Piece(**arrays)

    def parts(lists: Lists | None, digests: Sequence[str], sizes: Numbers | None = None) -> list[Part]:
        if to_search:
            return [part_of(lists, (piece for _, piece in pieces(digests)), sizes)] if digests else []
        return [Part(piece.numbers, piece.sizes, digest=digest) for digest, piece in pieces(digests)]

    told = manifest["lists"]
    of_lists = _arrays(folder, fingerprint, told["digest"]) if told else None
    lists = Lists(of_lists["centres"], told["probes"], told["size"]) if of_lists else None
    listed = parts(lists, manifest["listed"], of_lists["sizes"]) if of_lists else []
    loose = parts(None, _loose(manifest))
    return Saved((manifest["store"], manifest["generation"]), manifest["passages"], loose[0] if loose else Part(), tuple(listed), lists)


def _loose(manifest: Mapping[str, Any]) -> list[str]:
    return [manifest["loose"]] if manifest["loose"] else []


def _named(manifest: Mapping[str, Any]) -> list[str]:
    return [*_loose(manifest), *manifest["listed"], *([manifest["lists"]["digest"]] if manifest["lists"] else [])]


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        said = {name: value for name, value in found.items() if name != "sha256"}
        return said if said["format"] == FORMAT and found["sha256"] == _said(said) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # missing, half written or damaged


def _said(manifest: Mapping[str, Any]) -> str:
    """Of all that it says: none of it can change without being noticed."""
    return _digest(json.dumps(manifest, sort_keys=True).encode())


def _write(folder: Path, fingerprint: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Their digest, which stands in the file's name. A file that is there already is left as it is."""
    data = save_arrays(dict(arrays))
    digest = _digest(data)
    if _arrays(folder, fingerprint, digest) is None:
        replace_file(_path(folder, fingerprint, digest), data)
    return digest


def _arrays(folder: Path, fingerprint: str, digest: str) -> dict[str, NDArray[Any]] | None:
    """None when the file is not the one that was written."""
    try:
        data = _path(folder, fingerprint, digest).read_bytes()
    except OSError:
        return None
    return load_arrays(data) if _digest(data) == digest else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _path(folder: Path, fingerprint: str, digest: str) -> Path:
    return folder / f"vectors-{fingerprint}-{digest[:16]}.safetensors"
