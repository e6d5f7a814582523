"""Settings: one table of names, defaults, units and help, read from `qa.toml` and the environment.

Order, later wins: defaults, the file (`--config`, else `QA_CONFIG`, else `./qa.toml` if it is there), environment variables
`QA_SECTION__KEY`, command-line options. A wrong name or value stops with what was found and what is accepted.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError, TomlConfigSettingsSource

from qa.errors import ConfigError

DEFAULT_FILE = Path("qa.toml")
ENV_PREFIX = "QA_"


HomePath = Annotated[Path, AfterValidator(Path.expanduser)]  # ~ is the home folder, as in a shell


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OtherModel(Section):
    """An embedding model beside the one that answers. Text stands for its name alone."""

    model: str
    query_prompt: str | None = None
    passage_prompt: str | None = None


Other = Annotated[OtherModel, BeforeValidator(lambda found: {"model": found} if isinstance(found, str) else found)]


class Embedding(Section):
    model: str = Field("all-MiniLM-L6-v2", description="a bundled name, a folder, or a Hugging Face name (sentence-transformers)")
    query_prompt: str | None = Field(None, description="put before each question; unset: what the model declares")
    passage_prompt: str | None = Field(None, description="put before each passage; unset: what the model declares")
    backend: Literal["auto", "torch", "openvino"] = Field("auto", description="runtime that encodes; auto: openvino on CPUs if it can")
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="number format while encoding; auto: bfloat16 on openvino where the CPU has it; int8: openvino, calibrated on the "
        "first passages that are indexed (needs the extra qa[int8] once)",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    batch_size: int = Field(32, ge=1, description="passages encoded at a time")
    others: tuple[Other, ...] = Field((), description="more models, to compare with and to switch to on the page")

    def each(self) -> tuple[Embedding, ...]:
        """The settings of every listed model, the configured one first."""
        return (self, *(self.model_copy(update=other.model_dump()) for other in self.others))


class Passages(Section):
    size: int = Field(200, ge=16, le=8192, description="most tokens in a passage, by the encoder's own tokenizer")
    overlap: int = Field(40, ge=0, description="tokens of whole sentences repeated when a paragraph is cut in two")


class Retrieval(Section):
    dense_weight: float = Field(0.6, ge=0, le=1, description="share of the dense score in the fused one; 0: full text only")
    passages: int = Field(8, ge=1, le=1000, description="passages handed to the reader")
    candidates: int = Field(100, ge=1, le=10_000, description="passages taken from each search before fusion")
    reranker: str | None = Field(None, description="cross-encoder that orders the first hits anew: a folder or a Hugging Face name")
    reranked: int = Field(20, ge=1, le=1000, description="hits that the reranker orders")


class Reader(Section):
    model: str = Field(
        "span", description="span: our own model; sentence: the best sentence, without one; else a reader's folder or Hugging Face name"
    )
    backend: Literal["auto", "torch", "openvino"] = Field("auto", description="runtime of a reader model; auto: openvino if it can")
    threshold: float | None = Field(None, ge=0, le=1, description="least confidence at which an answer is shown; unset: the calibration's")
    calibration: HomePath | None = Field(None, description="file that `qa calibrate` wrote; unset: the one that ships for the reader")
    alternatives: int = Field(4, ge=0, le=50, description="other answers listed below the first")


class Index(Section):
    path: HomePath = Field(Path("index/default"), description="folder of the index; on a server, its name is that of the folder")
    store: Literal["sqlite", "milvus"] = Field(
        "sqlite", description="what keeps the articles; sqlite: a file in the folder; milvus: a server (needs the extra qa[milvus])"
    )
    uri: str = Field("http://127.0.0.1:19530", description="address of the Milvus server")
    token: SecretStr = Field(SecretStr(""), description="user:password, or a key, for that server")
    database: str = Field("default", description="database there")
    max_file_mb: int = Field(64, ge=1, description="MiB; larger files are refused (JSONL is read row by row, up to 16 times that)")
    max_characters: int = Field(2_000_000, ge=1000, description="characters; a longer article is refused")
    max_seconds: float = Field(60.0, ge=1, le=3600, description="seconds that a file, or a row of JSONL, may take to be read")
    max_memory_mb: int = Field(2048, ge=256, le=2**20, description="MiB for the process that reads files (not on Windows and macOS)")
    ray_address: str = Field("", description="Ray cluster for qa index --engine ray; unset: RAY_ADDRESS, else one on this machine")
    lock_seconds: float = Field(10.0, ge=0, description="seconds to wait for another process that is writing the index")


class Ui(Section):
    host: str = Field("127.0.0.1", description="address to serve on; anything but loopback shows the page to others")
    port: int = Field(7860, ge=0, le=65535, description="port to serve on; 0 takes a free one")
    title: str = Field("Ask your articles", description="heading of the page")
    allow_changes: bool = Field(False, description="let people add and remove articles on the page")
    mcp: bool = Field(False, description="offer the four reading endpoints to language models at /mcp (needs the extra qa[mcp])")
    feedback: bool = Field(True, description="let people mark answers; where users sign in, editors alone")


class Server(Section):
    users: HomePath = Field(Path("users.json"), description="file of the users (qa users add); needed to serve to others")
    sign_in: bool = Field(False, description="ask for name and password even where only this machine reaches the page")
    session_hours: float = Field(12.0, gt=0, le=720, description="hours until one has to sign in again")
    hosts: tuple[str, ...] = Field((), description="names by which others reach the page, such as qa.example.org; serves to others")
    proxies: tuple[str, ...] = Field((), description="addresses of proxies whose X-Forwarded-For is believed; serves to others")
    certificate: HomePath | None = Field(None, description="file of the certificate (PEM) to serve by https")
    key: HomePath | None = Field(None, description="file of its private key")
    questions: int = Field(30, ge=1, description="questions that a user may ask in a minute, where users sign in")
    changes: int = Field(10, ge=1, description="changes that an editor may make in a minute")
    folders: tuple[HomePath, ...] = Field((), description="folders from which editors may add articles; unset: none")
    log: HomePath | None = Field(None, description="file that says who did what; unset: standard error where users sign in, else nowhere")
    log_questions: bool = Field(False, description="have the questions in that file, too")
    metrics: tuple[str, ...] = Field(("127.0.0.1", "::1"), description="addresses that may read /metrics without signing in")
    patience: float = Field(30.0, ge=0, description="seconds that questions under way have when the server is stopped")


class Config(BaseSettings):
    """Every setting in force. Frozen: `config.replace("index.path", folder)` gives another one."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    embedding: Embedding = Embedding()
    passages: Passages = Passages()
    retrieval: Retrieval = Retrieval()
    reader: Reader = Reader()
    index: Index = Index()
    ui: Ui = Ui()
    server: Server = Server()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def replace(self, name: str, value: object) -> Config:
        """A copy with `section.key` set to `value` (text is read as in the environment)."""
        section, _, key = name.partition(".")
        _check_name(section, key, "the options")
        part = getattr(self, section)
        try:
            changed = type(part).model_validate({**part.model_dump(), key: value})
        except ValidationError as error:
            raise ConfigError(_explain(error, "the options", section)) from None
        return self.model_copy(update={section: changed})


class Setting(NamedTuple):
    """One row of the table: `name` is `section.key`, `accepts` is in plain words."""

    name: str
    default: Any
    accepts: str
    help: str


def load_config(file: str | os.PathLike[str] | None = None) -> Config:
    """Settings from `file` (see the module docstring for the default) with the environment on top."""
    path = config_file(file)
    variables = {}
    for section, key, variable in _environment_names():
        _check_name(section, key, f"the environment variable {variable}")
        variables[f"{section}.{key}"] = f"the environment variable {variable}"

    class FromFile(Config):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        loaded = FromFile()
    except ValidationError as error:
        name = ".".join(map(str, error.errors()[0]["loc"][:2]))
        raise ConfigError(_explain(error, variables.get(name, str(path)))) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror} (give another file to --config or QA_CONFIG)") from None
    except SettingsError:  # a list or table in a variable is JSON
        names = ", ".join(variable.removeprefix("the environment variable ") for variable in variables.values())
        raise ConfigError(f'a list in an environment variable is written in JSON, such as ["name", "folder"] (set: {names})') from None
    except ValueError as error:  # TOML that does not parse; tomllib's error is a ValueError
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    return Config.model_construct(**{name: getattr(loaded, name) for name in Config.model_fields})


def config_file(file: str | os.PathLike[str] | None) -> Path | None:
    """The configuration file that applies, or None. One that was asked for must exist."""
    asked = file or os.environ.get("QA_CONFIG")
    if not asked:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not Path(asked).is_file():
        raise ConfigError(f"configuration file not found: {asked} (give an existing TOML file to --config or QA_CONFIG)")
    return Path(asked)


def settings_table() -> Iterator[Setting]:
    """All settings in the order of the file. It feeds `qa config` and the README."""
    for section, part in Config.model_fields.items():
        for key, info in part.annotation.model_fields.items():  # type: ignore[union-attr]
            default = info.get_default()
            yield Setting(f"{section}.{key}", default, _accepts(info), info.description or "")


def origins(file: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """`section.key` -> where its value came from: "default", the file's name or the variable's name."""
    found = {setting.name: "default" for setting in settings_table()}
    path = config_file(file)
    if path:
        in_file = TomlConfigSettingsSource(Config, toml_file=path)()
        found.update({f"{section}.{key}": str(path) for section, keys in in_file.items() for key in keys})
    found.update({f"{section}.{key}": variable for section, key, variable in _environment_names()})
    return found


def _environment_names() -> Iterator[tuple[str, str, str]]:
    """Variables such as QA_INDEX__PATH -> ("index", "path", "QA_INDEX__PATH"). QA_INDEX alone is a section without a key."""
    for variable in sorted(os.environ):
        section, mark, key = variable[len(ENV_PREFIX) :].lower().partition("__")
        if variable.upper().startswith(ENV_PREFIX) and (mark or section in Config.model_fields):
            yield section, key, variable


def _check_name(section: str, key: str, where: str) -> None:
    names = [setting.name for setting in settings_table()]
    name = f"{section}.{key}".rstrip(".")
    if name not in names:
        raise ConfigError(f"unknown setting {name} in {where}{_nearest(name, names)} (see: qa config)")


def _nearest(name: str, names: list[str]) -> str:
    inside = [other for other in names if other.startswith(f"{name}.")]  # a section was taken for a setting: its first is meant
    close = inside or difflib.get_close_matches(name, names, 1, 0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _explain(error: ValidationError, where: str, section: str = "") -> str:
    """The first fault of a validation as one line: setting, value found, what is accepted."""
    fault = error.errors()[0]
    place = ((section,) if section else ()) + fault["loc"]
    name = ".".join(map(str, place[:2]))
    table = {setting.name: setting for setting in settings_table()}
    if fault["type"] == "extra_forbidden" and len(place) <= 2:
        names = list(table) + list(Config.model_fields)
        return f"unknown setting {name} in {where}{_nearest(name, names)} (see: qa config)"
    accepts = table[name].accepts if name in table else "a table of settings"
    return f"{name} = {fault['input']!r} in {where} is not accepted: expected {accepts} (see: qa config)"


def _accepts(info: Any) -> str:
    if get_origin(info.annotation) is tuple and Other not in get_args(info.annotation):
        return "a list of texts"
    if get_origin(info.annotation) is tuple:
        return 'a list of names, or of tables such as {model = "…", query_prompt = "…", passage_prompt = "…"}'
    choices = [repr(choice) for choice in get_args(info.annotation) if isinstance(choice, str)]
    if choices:
        return "one of " + ", ".join(choices)
    kinds = {int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}
    kind = next((kinds[kind] for kind in (info.annotation, *get_args(info.annotation)) if kind in kinds), "text")
    bounds = [f"{sign} {value}" for mark in info.metadata for sign, value in _bounds(mark)]
    return " ".join([kind, " and ".join(bounds)]).strip()


def _bounds(mark: Any) -> Iterator[tuple[str, Any]]:
    if getattr(mark, "ge", None) is not None:
        yield "at least", mark.ge
    if getattr(mark, "le", None) is not None:
        yield "at most", mark.le
