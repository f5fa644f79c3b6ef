"""What every noun file keeps: a whole header, one public name, arguments that are all named."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "acutance"
NOUNS = ("degradations", "models", "critics", "games", "losses", "loops", "metrics")
FILES = sorted(file for noun in NOUNS for file in (PACKAGE / noun).glob("[!_]*.py"))
SHARED = sorted(file for noun in NOUNS for file in (PACKAGE / noun).glob("_[!_]*.py"))
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{7,40}, \S+")
LICENCE = re.compile(r"Apache|MIT|BSD|GPL|licence")


def label(file):
    return f"{file.parent.name}/{file.name}"


def tree(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def public(file):
    """The names in `__all__`."""
    for node in tree(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def definitions(file):
    """Functions and classes of a module, methods too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in ast.walk(tree(file)) if isinstance(node, kinds)]


def part(text, name):
    """What stands under `name` in a header."""
    return re.search(rf"\n{name}:(.*?)(?=\n(?:Paper|Code|Here):|\Z)", text, re.S)[1].strip()


def found(file):
    """The definition that `__all__` names."""
    return next(node for node in tree(file).body if getattr(node, "name", "") in public(file))


def test_there_are_nouns():
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=label)
def test_one_public_name_that_is_the_file(file):
    assert len(public(file)) == 1
    assert public(file)[0].lower().replace("_", "") == file.stem.replace("_", "")
    defined = [n.name for n in tree(file).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    assert [name for name in defined if not name.startswith("_")] == public(file)


@pytest.mark.parametrize("file", FILES, ids=label)
def test_header_is_complete(file):
    header = ast.get_docstring(tree(file))
    first, *rest = header.splitlines()
    assert re.fullmatch(r"[^:]+: .+\.", first), "first line: '<Name>: <what> (<origin>).'"
    text = "\n".join(rest)
    places = [text.find(f"\n{part}") for part in ("Paper:", "Code: ", "Here: ")]
    assert all(place >= 0 for place in places), "Paper, Code, Here"
    assert places == sorted(places)
    paper, code, here = (part(text, name) for name in ("Paper", "Code", "Here"))
    assert re.search(r"arXiv|doi[: ]|https://|none", paper), "a number to find the paper by"
    assert code.endswith("."), "what it was checked against, in a sentence"
    assert here.startswith("departs in "), "departs in <nothing | what and why>"
    if REPOSITORY.match(code):
        assert LICENCE.search(code), "the licence of the code it follows"


@pytest.mark.parametrize("file", FILES + SHARED, ids=label)
def test_no_catch_all_arguments(file):
    for node in definitions(file):
        if not isinstance(node, ast.ClassDef):
            assert node.args.kwarg is None, f"{node.name}: **{node.args.kwarg.arg}"
    if file in FILES:
        made = (
            [found(file), *found(file).body]
            if isinstance(found(file), ast.ClassDef)
            else [found(file)]
        )
        for node in made:
            if isinstance(node, ast.FunctionDef):
                assert node.args.vararg is None, f"{node.name}: *{node.args.vararg.arg}"


@pytest.mark.parametrize("file", FILES, ids=label)
def test_the_public_object_says_what_it_takes(file):
    node = found(file)
    doc = ast.get_docstring(node)
    assert doc
    made = node
    if isinstance(node, ast.ClassDef):
        made = next((part for part in node.body if getattr(part, "name", "") == "__init__"), None)
    if made is None:  # takes nothing
        return
    for argument in (*made.args.args, *made.args.kwonlyargs):
        if argument.arg != "self":
            assert re.search(rf"^\s*{argument.arg}: ", doc, re.M), f"Args: {argument.arg}"
            assert argument.annotation is not None, argument.arg


@pytest.mark.parametrize("file", FILES + SHARED, ids=label)
def test_size(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300
