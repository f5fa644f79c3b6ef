"""What the source never does: shells that read data, code that data brings, unchecked downloads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acutance import params

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")])
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
NEVER = {
    *("os.system", "os.popen", "os.spawnl", "os.execv", "eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "marshal.load"),
    *("shelve.open", "joblib.load", "dill.load", "torch.hub.load", "torch.jit.load"),
    *("yaml.load", "yaml.full_load", "yaml.unsafe_load", "tempfile.mktemp"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive"),
    *("urllib.request.urlopen", "urllib.request.urlretrieve", "urlopen", "urlretrieve"),
}
METHODS = {"extractall", "extract"}  # of archives, which write where a member says
NETWORK = {"requests", "urllib3", "http", "socket", "pooch", "httpx", "ftplib", "urllib.request"}
MAY_DOWNLOAD = {"transfer.py", "download.py"}
# A pickle of others is taken apart by a reader that runs nothing of it: see tests/test_foreign*.py.
INERT = {"inert.py", "legacy.py", "foreign.py"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_python_runs_nothing_that_data_say(path: Path) -> None:
    wrong = []
    for name, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
        given = {each.arg: ast.unparse(each.value) for each in call.keywords}
        safe = name == "yaml.load" and given == {"Loader": "_Loader"}  # see below
        if (name in NEVER and not safe) or (name.rpartition(".")[2] in METHODS and "." in name):
            wrong.append(f"{call.lineno}: {name}")
        if given.get("shell", "False") != "False":
            wrong.append(f"{call.lineno}: shell")
        if name == "torch.load" and given.get("weights_only") != "True":
            wrong.append(f"{call.lineno}: torch.load of more than weights")
        if name.endswith("np.load") and given.get("allow_pickle", "False") != "False":
            wrong.append(f"{call.lineno}: a pickle in {name}")
        if given.get("verify") == "False" and "get" in name:
            wrong.append(f"{call.lineno}: a connection that is not verified")
    assert wrong == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_one_module_alone_speaks_to_the_network_and_no_other_unpickles(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    if path.name == "slots.py":  # which asks its own machine's kernel
        assert "AF_INET" not in path.read_text(encoding="utf-8")
    elif path.name not in MAY_DOWNLOAD:
        assert not {name for name in found if name.split(".")[0] in NETWORK or name in NETWORK}
    if path.name not in INERT:
        assert not {name for name in found if name.split(".")[0] in ("pickle", "marshal", "shelve")}


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_quote_all_that_data_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    quoted = {"{params.acutance}", "{params.made}", "{threads}"}  # quoted, a digest, a number
    shells = re.findall(r"    shell:\n((?:        .*\n)+)", text)
    for shell in shells:
        for field in re.findall(r"(?<!\{)\{[^{}]+\}", shell):
            assert field in quoted or field.endswith(":q}"), f"{path.name}: {field}"
    assert not re.search(r"^\s+(script|run|notebook|wrapper):", text, re.M)
    assert text.count("    shell:\n") == len(shells)


def test_the_loader_of_yaml_makes_plain_values() -> None:
    assert issubclass(params._Loader, yaml.constructor.SafeConstructor)
    assert not issubclass(params._Loader, yaml.constructor.FullConstructor)


def test_what_is_downloaded_is_verified_by_a_checksum_or_its_pixels() -> None:
    users = {
        path.name
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module in ("acutance.download", "acutance.transfer")
        and {"download", "transfer"} & {alias.name for alias in node.names}
    }
    assert users == {"bundle.py", "download.py", "fetch.py", "obtain.py"}  # whose tests say how
