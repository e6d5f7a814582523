"""The files of a vector index, beside the store: `vectors-FINGERPRINT.json`, which vouches for the others, and what it names.

`vectors-FINGERPRINT.faiss` holds what is searched one by one and is written anew each time. Lists, and each part in lists, are in
files named by their content, `vectors-FINGERPRINT-DIGEST.faiss`, which are never changed, and removed when nothing needs them any more.
All is written beside, synced and renamed, the manifest last. What is damaged is left out when reading: it is made anew from the store.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from qa.disk import replace_by, replace_file
from qa.vector_parts import Lists, Part, flat_part

FORMAT = 3  # of the manifest
READERS = 2  # threads that read and hash
ATTEMPTS = 5  # to read a manifest and its files while a writer exchanges them

NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True)
class Saved:
    """What files hold. `identity` is that of the store then, `passages` how many were there; a part that is damaged is left out."""

    identity: tuple[str, int]
    passages: int
    loose: Part
    listed: tuple[Part, ...] = ()
    lists: Lists | None = None


def read(folder: Path, fingerprint: str, to_search: bool) -> Saved | None:
    """None when there is no manifest, or none that holds. Where nobody is `to_search`, parts in lists are not kept in memory."""
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
    """Parts in lists that have a file already, as `written` gives it to them, stay as they are."""
    listed = [part if part.digest else written(folder, fingerprint, part) for part in saved.listed]
    lists = saved.lists
    if lists is not None and not lists.digest:
        lists = replace(lists, digest=_write_named(folder, fingerprint, lists.faiss_index))
    replace_by(_loose_path(folder, fingerprint), partial(_write, saved.loose.faiss_index))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "store": saved.identity[0],
        "generation": saved.identity[1],
        "passages": saved.passages,
        "loose": _digest_of(saved.loose.faiss_index),
        "listed": [part.digest for part in listed],
        "lists": {"digest": lists.digest, "size": lists.size} if lists is not None else None,
    }
    replace_file(manifest_path(folder, fingerprint), json.dumps({**manifest, "sha256": _said(manifest)}, indent=1).encode())
    named = {_named_path(folder, fingerprint, digest) for digest in [*manifest["listed"], lists.digest if lists else ""]}
    for leftover in set(folder.glob(f"vectors-{fingerprint}-*.faiss")) - named:
        leftover.unlink(missing_ok=True)


def written(folder: Path, fingerprint: str, part: Part) -> Part:
    """The part without what is searched, now that it has a file."""
    return replace(part, faiss_index=None, digest=_write_named(folder, fingerprint, part.faiss_index))


def saved_files(folder: Path) -> list[Path]:
    """Manifests and FAISS files of a folder."""
    return sorted([*folder.glob("vectors-*.faiss"), *folder.glob("vectors-*.json")])


def fingerprints(folder: Path) -> list[str]:
    """Of the encoders that have files."""
    return sorted({path.stem.split("-")[1] for path in saved_files(folder)})


def faulty_files(folder: Path, fingerprint: str) -> list[Path]:
    """What is damaged or missing."""
    path = manifest_path(folder, fingerprint)
    manifest = _manifest(path)
    if manifest is None:
        return [path]
    files = {_loose_path(folder, fingerprint): manifest["loose"]}
    files |= {_named_path(folder, fingerprint, digest): digest for digest in [*manifest["listed"], *_of_lists(manifest)]}
    return [file for file, digest in files.items() if _read_file(file, digest) is None]


def manifest_path(folder: Path, fingerprint: str) -> Path:
    return folder / f"vectors-{fingerprint}.json"


def _read_all(folder: Path, fingerprint: str, manifest: Mapping[str, Any], to_search: bool) -> Saved:
    identity = manifest["store"], manifest["generation"]
    data = _read_file(_loose_path(folder, fingerprint), manifest["loose"])
    loose = _part(data) if data is not None else flat_part(NOTHING, [])
    lists = None
    for digest in _of_lists(manifest):
        data = _read_file(_named_path(folder, fingerprint, digest), digest)
        lists = Lists(_index(data), manifest["lists"]["size"], digest) if data is not None else None

    def read_part(digest: str) -> Part | None:
        data = _read_file(_named_path(folder, fingerprint, digest), digest)
        part = None if data is None else replace(_part(data), digest=digest)
        return part if part is None or to_search else replace(part, faiss_index=None)

    with ThreadPoolExecutor(READERS) as pool:
        listed = tuple(filter(None, pool.map(read_part, manifest["listed"] if lists is not None else ())))
    return Saved(identity, manifest["passages"], loose, listed, lists)


def _of_lists(manifest: Mapping[str, Any]) -> list[str]:
    return [manifest["lists"]["digest"]] if manifest["lists"] else []


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


def _read_file(path: Path, digest: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if _digest(data) == digest else None


def _write_named(folder: Path, fingerprint: str, index: Any) -> str:
    digest = _digest_of(index)
    replace_by(_named_path(folder, fingerprint, digest), partial(_write, index))
    return digest


def _part(data: bytes) -> Part:
    import faiss

    index = _index(data)
    return Part(faiss.vector_to_array(index.id_map), index)


def _index(data: bytes) -> Any:
    import faiss

    return faiss.read_index(faiss.PyCallbackIOReader(io.BytesIO(data).read))  # type: ignore[attr-defined]


def _write(index: Any, file: BinaryIO) -> None:
    import faiss

    faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]


def _digest_of(index: Any) -> str:
    """Of the bytes that are written, some at a time: all of them would take as much memory again."""
    import faiss

    digest = hashlib.sha256()
    faiss.write_index(index, faiss.PyCallbackIOWriter(lambda data: digest.update(data) or len(data)))  # type: ignore[attr-defined, func-returns-value]
    return digest.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _loose_path(folder: Path, fingerprint: str) -> Path:
    return folder / f"vectors-{fingerprint}.faiss"


def _named_path(folder: Path, fingerprint: str, digest: str) -> Path:
    return folder / f"vectors-{fingerprint}-{digest[:16]}.faiss"
