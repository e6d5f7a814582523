"""Settings: where each comes from, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.config import Config, load_config, origins, settings_table
from qa.errors import ConfigError

LIST = 'a list of names, or of tables such as {model = "…", query_prompt = "…", passage_prompt = "…"}'


@pytest.fixture
def toml(tmp_path: Path):
    def write(text: str, name: str = "settings.toml") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def fault(file: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_hold_where_nothing_is_set():
    assert load_config() == Config()
    assert set(origins().values()) == {"default"}


def test_the_order_is_default_file_environment(toml, monkeypatch):
    file = toml("[index]\npath = 'here'\nlock_seconds = 3\n[ui]\nport = 8000\n")
    monkeypatch.setenv("QA_INDEX__PATH", "there")
    config = load_config(file)
    assert (config.index.path, config.index.lock_seconds, config.ui.port, config.ui.host) == (Path("there"), 3.0, 8000, "127.0.0.1")
    found = origins(file)
    assert [found[f"index.{key}"] for key in ("path", "lock_seconds", "store")] == ["QA_INDEX__PATH", str(file), "default"]


def test_the_file_is_the_option_else_the_variable_else_qa_toml(toml, monkeypatch):
    toml("[ui]\nport = 1", "qa.toml")
    assert load_config().ui.port == 1
    monkeypatch.setenv("QA_CONFIG", str(toml("[ui]\nport = 2", "variable.toml")))
    assert load_config().ui.port == 2
    assert load_config(toml("[ui]\nport = 3", "option.toml")).ui.port == 3


def test_a_file_that_was_asked_for_must_exist(tmp_path, monkeypatch):
    assert fault(tmp_path / "no.toml").startswith(f"configuration file not found: {tmp_path / 'no.toml'} (give")
    monkeypatch.setenv("QA_CONFIG", "gone.toml")
    assert fault().startswith("configuration file not found: gone.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[embeding]\nmodel = 'x'", "unknown setting embeding in FILE; did you mean embedding? (see: qa config)"),
        ("[embedding]\nmodle = 'x'", "unknown setting embedding.modle in FILE; did you mean embedding.model? (see: qa config)"),
        ("[zzz]\nqqq = 1", "unknown setting zzz in FILE (see: qa config)"),
        ("model = 'x'", "unknown setting model in FILE; did you mean reader.model? (see: qa config)"),
        ("embedding = 3", "embedding = 3 in FILE is not accepted: expected a table of settings (see: qa config)"),
        (
            "[ui]\nport = 'x'",
            "ui.port = 'x' in FILE is not accepted: expected a whole number at least 0 and at most 65535 (see: qa config)",
        ),
        (
            "[ui]\nport = 70000",
            "ui.port = 70000 in FILE is not accepted: expected a whole number at least 0 and at most 65535 (see: qa config)",
        ),
        ("[ui]\nallow_changes = 'maybe'", "ui.allow_changes = 'maybe' in FILE is not accepted: expected true or false (see: qa config)"),
        (
            "[reader]\nthreshold = 'x'",
            "reader.threshold = 'x' in FILE is not accepted: expected a number at least 0 and at most 1 (see: qa config)",
        ),
        ("[index]\npath = 5", "index.path = 5 in FILE is not accepted: expected a path (see: qa config)"),
        ("[index]\nstore = 'none'", "index.store = 'none' in FILE is not accepted: expected one of 'sqlite', 'milvus' (see: qa config)"),
        ("[embedding]\nothers = 'x'", f"embedding.others = 'x' in FILE is not accepted: expected {LIST} (see: qa config)"),
        (
            "[embedding]\nothers = [{model = 'x', size = 5}]",
            f"embedding.others = 5 in FILE is not accepted: expected {LIST} (see: qa config)",
        ),
        ("[embedding]\nmodel = 7", "embedding.model = 7 in FILE is not accepted: expected text (see: qa config)"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_found_and_what_is_accepted(toml, text, told):
    file = toml(text)
    assert fault(file) == told.replace("FILE", str(file))


def test_a_file_that_is_not_toml_is_named(toml, tmp_path):
    file = toml("[ui\nport = 1")
    assert fault(file).startswith(f"{file} is not valid TOML: ")
    file.write_bytes(b"\xff\xfe\0")
    assert fault(file).startswith(f"{file} is not valid TOML: ")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("QA_UI__PROT", "1", "unknown setting ui.prot in the environment variable QA_UI__PROT; did you mean ui.port? (see: qa config)"),
        (
            "QA_UI__PORT__X",
            "1",
            "unknown setting ui.port__x in the environment variable QA_UI__PORT__X; did you mean ui.port? (see: qa config)",
        ),
        ("QA_INDEX", "/a/folder", "unknown setting index in the environment variable QA_INDEX; did you mean index.path? (see: qa config)"),
        (
            "QA_UI__PORT",
            "x",
            "ui.port = 'x' in the environment variable QA_UI__PORT is not accepted: "
            "expected a whole number at least 0 and at most 65535 (see: qa config)",
        ),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, toml, variable, value, told):
    toml("[ui]\nport = 1", "qa.toml")
    monkeypatch.setenv(variable, value)
    assert fault() == told


def test_variables_of_other_programs_are_left_alone(monkeypatch):
    monkeypatch.setenv("QA_HOME", "x")
    monkeypatch.setenv("QAX__Y", "x")
    assert load_config() == Config()


def test_a_tilde_is_the_home_folder(toml, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(toml("[index]\npath = '~/index'\n")).index.path == tmp_path / "index"
    assert Config().replace("reader.calibration", "~/c.json").reader.calibration == tmp_path / "c.json"


def test_one_setting_is_replaced_and_the_original_stays():
    config = Config()
    other = config.replace("index.path", "elsewhere")
    assert (other.index.path, config.index.path) == (Path("elsewhere"), Path("index/default"))
    assert other.replace("retrieval.dense_weight", "0.25").retrieval.dense_weight == 0.25
    assert other.embedding is config.embedding


def test_a_wrong_replacement_is_told():
    with pytest.raises(ConfigError, match=r"^unknown setting index.pth in the options; did you mean index.path\?"):
        Config().replace("index.pth", "x")
    with pytest.raises(ConfigError, match=r"^ui.port = -1 in the options is not accepted: expected a whole number"):
        Config().replace("ui.port", -1)


def test_other_models_are_names_or_tables_with_their_own_prompts_and_share_the_rest(toml):
    file = toml("[embedding]\nquery_prompt = 'ask: '\nbatch_size = 7\nothers = ['a', {model = 'b', passage_prompt = 'read: '}]")
    listed = load_config(file).embedding.each()
    assert [(one.model, one.query_prompt, one.passage_prompt, one.batch_size) for one in listed] == [
        ("all-MiniLM-L6-v2", "ask: ", None, 7),
        ("a", None, None, 7),
        ("b", None, "read: ", 7),
    ]


def test_other_models_in_the_environment_are_json(monkeypatch):
    monkeypatch.setenv("QA_EMBEDDING__OTHERS", '["a", {"model": "b"}]')
    assert [one.model for one in load_config().embedding.others] == ["a", "b"]
    monkeypatch.setenv("QA_EMBEDDING__OTHERS", "a")
    assert fault() == 'a list in an environment variable is written in JSON, such as ["name", "folder"] (set: QA_EMBEDDING__OTHERS)'


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        Config().index.path = Path("x")  # type: ignore[misc]


def test_every_setting_has_help_and_a_default_that_is_in_force():
    config = Config()
    for setting in settings_table():
        section, _, key = setting.name.partition(".")
        assert setting.help and setting.accepts
        assert getattr(getattr(config, section), key) == setting.default
