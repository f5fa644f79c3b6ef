"""House style as tests: the tools' own checks, sizes, and no path of one machine in a file."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
LONGEST_LOOP = 80  # a training loop, or a network's forward, reads best in one piece


def kept() -> list[Path]:
    """Files that git keeps or would keep; without git, all of the source tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return [path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file()]
    folders = (ROOT / name for name in ("src", "tests", "workflow", "benchmarks"))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def python_files() -> list[Path]:
    return [path for path in kept() if path.suffix == ".py"]


def rules() -> list[str]:
    return [str(path) for path in kept() if path.name == "Snakefile" or path.suffix == ".smk"]


CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy", "--strict", "src", "workflow/environment.py"],
    "snakefmt": ["snakefmt", "--check", *rules()],
    "snakemake lint": ["snakemake", "--lint"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_tool_finds_nothing(check: str) -> None:
    tool, *words = CHECKS[check]
    done = subprocess.run(
        [BIN / tool, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function below its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    last = function.end_lineno or 0
    return last - body[0].lineno + 1 if body else 0


def allowed(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = path.parent.name == "loops" or function.name == "forward"
    return LONGEST_LOOP if whole else LONGEST_FUNCTION


def test_files_are_short() -> None:
    lengths = {p.relative_to(ROOT): len(p.read_bytes().splitlines()) for p in python_files()}
    assert {str(path): n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    long = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = body_lines(node)
                if lines > allowed(path, node):
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    places = "|".join(("wor" + "k", "roo" + "t", "hom" + "e", "User" + "s", "op" + "t"))
    pattern = re.compile(rf"(?<![\w.}}])/({places})/".encode())
    found = [str(path.relative_to(ROOT)) for path in kept() if pattern.search(path.read_bytes())]
    assert found == []
