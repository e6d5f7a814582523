"""Nothing that is loaded can run code: no pickle, no code of a model's, no XML that fetches or unfolds, no shell."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import qa

PACKAGE = Path(qa.__file__).parent
FILES = sorted([*PACKAGE.rglob("*.py"), PACKAGE.parent / "app.py"])

# What these can do is to be done by nothing of ours. `json`, safetensors and SQLite are enough.
MODULES = frozenset(
    "pickle cPickle _pickle dill cloudpickle joblib marshal shelve dbm copyreg code codeop imp runpy multiprocessing "
    "xml xmlrpc defusedxml bs4 telnetlib ftplib".split()
)
CALLS = frozenset(
    "eval exec compile __import__ torch.load torch.hub.load joblib.load pandas.read_pickle np.fromfile numpy.load np.load np.loadtxt "
    "yaml.load yaml.load_all yaml.full_load yaml.unsafe_load os.system os.popen os.execv os.spawnv tempfile.mktemp "
    "etree.fromstring etree.parse etree.XML etree.iterparse etree.XMLParser importlib.import_module".split()
)
ARGUMENTS = {"trust_remote_code": True, "shell": True, "allow_pickle": True, "weights_only": False, "verify": False,
             "resolve_entities": True, "load_dtd": True, "no_network": False, "huge_tree": True}  # fmt: skip
LOADERS = ("from_pretrained", "SentenceTransformer", "CrossEncoder")  # load models, safely if told to
ALONE = {  # the only places for these
    "read_index": set(),
    "Popen": {"reading_process.py"},
    "run": set(),
}


def faults(source: str, name: str = "a.py") -> Iterator[str]:
    """What a file of the package must not have, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno}: imports {alias.name}" for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] in MODULES:
            yield f"{node.lineno}: imports {node.module}"
        elif isinstance(node, ast.Call):
            yield from (f"{node.lineno}: {fault}" for fault in _call_faults(node, name))


def _call_faults(node: ast.Call, name: str) -> Iterator[str]:
    called = ast.unparse(node.func)
    last = called.rpartition(".")[2]
    told = {word.arg: word.value for word in node.keywords if word.arg}
    if called in CALLS:
        yield f"calls {called}"
    for argument, value in ARGUMENTS.items():
        if argument in told and not (isinstance(told[argument], ast.Constant) and told[argument].value is not value):
            yield f"calls {called} with {argument}"
    if (called.startswith("subprocess.") or last in ("read_index", "Popen")) and name not in ALONE.get(last, set()):
        yield f"calls {called}"
    if last in LOADERS:
        if ast.unparse(told.get("trust_remote_code", ast.Constant(True))) != "False":
            yield f"calls {called} without trust_remote_code=False"
        text = ast.unparse(node)
        safe = "use_safetensors=True" in text or "'use_safetensors': True" in text
        if not safe and not called.startswith(("AutoTokenizer.", "AutoConfig.")):  # neither has weights
            yield f"calls {called} without use_safetensors"


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE.parent)) for file in FILES])
def test_the_package_loads_nothing_that_can_run_code(file: Path) -> None:
    assert list(faults(file.read_text(encoding="utf-8"), file.name)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from marshal import loads",
        "import shelve as s",
        "import xml.etree.ElementTree as tree",
        "from xml.dom import minidom",
        "eval('1')",
        "exec(text)",
        "torch.load(file)",
        "yaml.load(text, Loader=yaml.Loader)",
        "np.load(file)",
        "AutoModel.from_pretrained(name)",
        "AutoModel.from_pretrained(name, trust_remote_code=True, use_safetensors=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=trusted, use_safetensors=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=False)",
        "SentenceTransformer(name)",
        "subprocess.run('ls', shell=True)",
        "subprocess.run(['ls'])",
        "os.system('ls')",
        "faiss.read_index(path)",
        "tempfile.mktemp()",
        "etree.XMLParser(resolve_entities=True)",
        "etree.fromstring(data)",
        "requests.get(url, verify=False)",
    ],
)
def test_the_walk_finds(source: str) -> None:
    assert list(faults(source))


def test_the_walk_lets_pass_what_is_safe() -> None:
    safe = """
import json, yaml
yaml.safe_load(text)
model.eval()
AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
AutoModel.from_pretrained(folder, local_files_only=True, trust_remote_code=False, use_safetensors=True)
SentenceTransformer(folder, trust_remote_code=False, model_kwargs={"use_safetensors": True})
"""
    assert list(faults(safe)) == []


# Objects made by pickle are asked for by name, and code that is compiled or run is told of: Python says so to whoever listens.
WATCHED = """
import sys
from pathlib import Path

def refuse(event, arguments):
    ours = event == "subprocess.Popen" and "qa.reading_process" in str(arguments)
    if event in ("pickle.find_class", "os.system", "subprocess.Popen") and not ours:
        print("FOUND", event, arguments, flush=True)

sys.addaudithook(refuse)
from qa.config import Config
from qa.indexer import index_paths
from qa.pipeline import Pipeline

config = Config().replace("index.path", "index").replace("reader.model", "span")
index_paths(config, [Path("articles")])
print(Pipeline(config).ask("When was the bridge opened?").answer)
"""


@pytest.mark.model
@pytest.mark.timeout(300)  # two models are exported
def test_nothing_is_unpickled_and_no_other_program_started_from_file_to_answer(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "bridge.md").write_text("# The bridge\n\nThe bridge was opened in the rain on the third of May 1932.\n")
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "FOUND" not in done.stdout
    assert "1932" in done.stdout
