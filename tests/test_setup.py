"""Set-up: three descriptions of one environment in step, and a `make` that says what is missing."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec

import acutance

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# Where conda-forge and bioconda call a package otherwise than PyPI does.
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}

# Not imported by the package: commands, Snakemake's ways to clusters, the photographs of the demo,
# and what is imported by name once torchvision is seen to work.
PLUGINS = {f"snakemake-executor-plugin-{cluster}" for cluster in ("slurm", "cluster-generic")}
PROGRAMS = {"dvc", "snakemake", "scikit-image", "lpips"} | PLUGINS


def direct() -> dict[str, Requirement]:
    """What pyproject.toml asks for by name, with the tests' own, under normal names."""
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    return {canonicalize_name(r.name): r for r in map(Requirement, wanted)}


def pins() -> dict[str, str]:
    """requirements.txt as name and version."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pinned}


def conda_specs() -> dict[str, MatchSpec]:
    """environment.yml without its pip section and Python, by conda's names; each spec parsed."""
    specs = [MatchSpec(line) for line in CONDA["dependencies"] if isinstance(line, str)]
    by_name = {spec.name.normalized: spec for spec in specs}
    return {name: spec for name, spec in by_name.items() if name not in {"python", "pip"}}


def test_every_pin_is_a_name_and_a_version_that_any_build_and_index_can_meet() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert len(pinned) > 100
    assert [p for p in pinned if not re.fullmatch(r"[\w.-]+==[\w.]+", p)] == []
    assert len(pins()) == len(pinned)


def test_pyproject_names_one_version_of_everything_but_torch() -> None:
    loose = [str(r) for r in direct().values() if not re.fullmatch(r"==[\w.]+", str(r.specifier))]
    assert loose == ["torch<2.14,>=2.11"]


def test_the_package_depends_on_what_it_imports_and_on_nothing_else() -> None:
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    homes = packages_distributions()
    foreign = imported - sys.stdlib_module_names - {"acutance"}
    used = {canonicalize_name(homes[name][0]) for name in foreign}
    wanted = {canonicalize_name(Requirement(r).name) for r in PROJECT["dependencies"]}
    assert used - wanted == set()
    assert wanted - used - PROGRAMS == set()


@pytest.mark.parametrize("name", sorted(direct()))
def test_pin_agrees_with_pyproject(name: str) -> None:
    assert direct()[name].specifier.contains(pins()[name])


def test_conda_environment_names_the_same_packages() -> None:
    assert sorted(conda_specs()) == sorted(CONDA_NAMES.get(name, name) for name in direct())


@pytest.mark.parametrize("name", sorted(direct()))
def test_conda_environment_has_the_same_version(name: str) -> None:
    spec = conda_specs()[CONDA_NAMES.get(name, name)]
    assert spec.version == f"=={pins()[name]}"


def test_conda_environment_has_a_python_that_pyproject_allows_and_acutance_itself() -> None:
    python = next(line for line in CONDA["dependencies"] if str(line).startswith("python="))
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python[7:])
    assert CONDA["dependencies"][-1] == {"pip": ["--editable ."]}
    assert CONDA["channels"] == ["conda-forge", "bioconda", "nodefaults"]


def test_citation_agrees_with_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (acutance.__version__, PROJECT["license"])
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_make_command_in_the_readme_is_a_target() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", readme, re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z]+)", code))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test"} <= named
    assert sorted(named - set(re.findall(r"(?m)^([a-z]+):", makefile))) == []


def test_the_demo_names_a_profile_and_a_study_that_exist() -> None:
    asked = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    named = r"snakemake --profile (\S+) .*--config study=(\w+)"
    [(profile, study)] = re.findall(named, asked.stdout)
    assert (ROOT / profile / "config.yaml").is_file()
    assert (ROOT / "workflow" / "studies" / f"{study}.yaml").is_file()


# --- make, on a small project of the same shape ------------------------------------------------

# A build backend that needs no package: what `make environment` installs here, without a network.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    info, name = "acutance-0.dist-info", "acutance-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        about = "Metadata-Version: 2.1\\nName: acutance\\nVersion: 0\\nProvides-Extra: test\\n"
        wheel.writestr(f"{info}/METADATA", about)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
SMALL = """[build-system]
requires = {requires}
build-backend = "backend"
backend-path = ["."]
[project]
name = "acutance"
version = "0"
"""


def small_project(folder: Path, requires: str = "[]") -> Path:
    (folder / "workflow").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "workflow" / "environment.py", folder / "workflow")
    (folder / "requirements.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
    (folder / "pyproject.toml").write_text(SMALL.format(requires=requires), encoding="utf-8")
    return folder


def make(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`make environment` in `folder`, with no way to any package index."""
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/", "HOME": "/"}
    inherited = {"PATH": os.environ["PATH"], "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}
    return subprocess.run(
        ["make", "environment", f"PYTHON={sys.executable}", *words],
        cwd=folder,
        env={**inherited, **nowhere, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_installs_once_and_again_only_for_another_pin_or_after_a_kill(tmp_path: Path) -> None:
    project = small_project(tmp_path / "clone")
    first = make(project)
    assert (first.returncode, first.stderr) == (0, "")
    assert "Making .venv" in first.stdout
    assert "Installing" in first.stdout
    for touched in ("requirements.txt", "pyproject.toml", "Makefile"):
        (project / touched).touch()
    assert make(project).stdout == ""
    (project / "requirements.txt").write_text("torch==2.12.0\n", encoding="utf-8")
    repinned = make(project).stdout
    assert "Installing" in repinned
    assert "Making" not in repinned
    assert make(project).stdout == ""
    (project / ".venv" / "unfinished").touch()  # what a kill during an install leaves
    assert "Making .venv" in make(project).stdout
    project.rename(tmp_path / "moved")  # the commands in .venv/bin hold the old place
    assert "Making .venv" in make(tmp_path / "moved").stdout


def test_make_without_a_network_says_so_and_is_not_done(tmp_path: Path) -> None:
    project = small_project(tmp_path, '["no-such-backend-needed==1"]')
    for _ in range(2):
        done = make(project)
        assert done.returncode != 0
        assert "Ready" not in done.stdout
        told = [line for line in done.stderr.splitlines() if not line.startswith("make")]
        assert len(told) == 1
        assert "the package index cannot be reached; check the network" in told[0]
        assert "PIP_INDEX_URL" in told[0]
        assert not (project / ".venv" / "stamp").exists()


def test_make_with_an_old_python_names_what_it_found_and_the_remedy(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n', encoding="utf-8"
    )
    old.chmod(0o755)
    done = make(small_project(tmp_path / "clone"), f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed, found Python 3.9.2; install one" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_make_finds_no_python_at_all_and_says_the_remedy(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh", "head"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    done = subprocess.run(
        ["make", "environment"],
        cwd=small_project(tmp_path / "clone"),
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr


def test_system_torch_is_refused_where_there_is_none(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    project = small_project(tmp_path / "clone")
    done = make(project, f"PYTHON={bare / 'bin' / 'python'}", "SYSTEM_TORCH=1")
    assert "SYSTEM_TORCH=1, but" in done.stderr
    assert "has no torch of its own; name the Python that has" in done.stderr
    assert not (project / ".venv").exists()


def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", ROOT / "workflow/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PIP_SAYS = {
    "ERROR: ... OSError: [Errno 28] No space left on device": "disk is full",
    "error: command 'gcc' failed: No such file or directory": "apt install build-essential",
    "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1": "no wheel",
    "WARNING: Retrying (...) after connection broken by 'NameResolutionError(...)'\n"
    "ERROR: No matching distribution found for dvc==3.67.1": "check the network and https_proxy",
    "ERROR: No matching distribution found for torch==2.13.0": "has no torch==2.13.0 for this",
    "something\nERROR: ResolutionImpossible: for help visit": "ERROR: ResolutionImpossible",
    "Configuration file could not be loaded.\nWhile reading from 'pip.conf' [line 4]\n": "[line 4]",
    "": "without a word",
}


@pytest.mark.parametrize("said", PIP_SAYS)
def test_what_pip_says_is_told_in_one_line(said: str) -> None:
    line = environment().diagnose(said)
    assert PIP_SAYS[said] in line
    assert "\n" not in line
