"""Digests: the ten hex digits in a path that cover everything which can change its bytes.

The source of a noun counts definition by definition: its public object, and whatever that uses,
directly or not, in whichever file of the package. Comments, docstrings, annotations and the
words of errors do not count, nor does the version of Python that parses the file.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from acutance.remembered import remembered

PACKAGE = Path(__file__).resolve().parent
# Modules that move no number: what they hold is words, plumbing, or in the digest as values.
_WORDS = (
    *("calls", "contests", "errors", "files", "parallel", "paths", "recipes", "resolve", "sets"),
    *("spec", "values"),
)
# Parts of a syntax tree that are said about code and are not code.
_SAID = ("annotation", "returns", "ctx", "kind", "type_comment", "type_params")
_Reference = tuple[str, str]  # module below the package ("models.espcn"), top-level name in it


def digest(*parts: object) -> str:
    """Returns ten hex digits of the SHA-256 of `parts`, which are put into canonical JSON.

    >>> digest({"b": 1, "a": (2, 3)}) == digest({"a": [2, 3], "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@remembered
def source_digest(module: str, name: str) -> str:
    """Returns the digest of a definition and of all that it uses inside the package.

    Args:
        module: Below the package: `models.espcn`.
        name: A top-level name of it: `ESPCN`.
    """
    return digest([[*key, _written(*key)] for key in closure(module, name)])


def closure(module: str, name: str) -> list[_Reference]:
    """Returns the definitions that a definition uses, itself included, in a fixed order.

    With a definition come the statements of its module that define nothing (named ""): they are
    carried out on import and may change what it does.
    """
    found: set[_Reference] = set()
    waiting = [(module, name)]
    while waiting:
        reference = waiting.pop()
        if reference in found or reference[0] in _WORDS:
            continue
        source = _source(reference[0])
        if reference[1] in source.definitions:
            found.add(reference)
            waiting += [(reference[0], ""), *_uses(*reference)]
        elif reference[1] in source.imports:  # handed on by a module that imported it itself
            waiting.append(source.imports[reference[1]])
    return sorted(found)


@dataclass(frozen=True, kw_only=True)
class _Source:
    """One file: the statements that define each top-level name, and what it imports of ours."""

    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, _Reference]


@cache
def _source(module: str) -> _Source:
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions: dict[str, list[ast.stmt]] = {}
    for node in _without_docstring(tree):
        for name in _defined(node):
            definitions.setdefault(name, []).append(node)
    return _Source(definitions=definitions, imports=dict(_imports(tree)))


def _defined(node: ast.stmt) -> list[str]:
    """Returns the names that a top-level statement defines, or the empty name for none."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [node.name]
    names = [
        part.id if isinstance(part, ast.Name) else part.name
        for part in ast.walk(node)
        if isinstance(part, ast.FunctionDef | ast.ClassDef)
        or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
    ]
    return list(dict.fromkeys(names)) or [""]


def _imports(tree: ast.AST) -> Iterator[tuple[str, _Reference]]:
    """Yields what a file calls the things it imports from the package, and where they are.

    A whole module (`from acutance import image`) has the empty name as its second part.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "acutance":
            below = (node.module or "").removeprefix("acutance").removeprefix(".")
            for alias in node.names:
                inner = f"{below}.{alias.name}".strip(".")
                found = (inner, "") if _is_module(inner) else (below, alias.name)
                yield alias.asname or alias.name, found


def _is_module(module: str) -> bool:
    path = PACKAGE.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@cache
def _uses(module: str, name: str) -> tuple[_Reference, ...]:
    """Returns the definitions of the package that a definition names."""
    source = _source(module)
    found: list[_Reference] = []
    for node in source.definitions[name]:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                target = source.imports.get(part.value.id)
                if target and not target[1]:
                    found.append((target[0], part.attr))
            elif isinstance(part, ast.Name):
                target = source.imports.get(part.id, (module, part.id))
                if target[1]:
                    found.append(target)
    return tuple(dict.fromkeys(found))


@cache
def _written(module: str, name: str) -> object:
    """Returns a definition as nested lists."""
    nodes = _source(module).definitions[name]
    return _canonical(nodes[0]) if len(nodes) == 1 else [_canonical(node) for node in nodes]


def _canonical(value: object) -> object:
    """Returns a syntax tree as nested lists that every supported Python writes alike."""
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if not isinstance(value, ast.AST):
        return [type(value).__name__, repr(value)]
    if isinstance(value, ast.Raise):  # that it stops counts, what it says does not
        value = value.exc.func if isinstance(value.exc, ast.Call) else value.exc
        return ["Raise", _canonical(value)]
    parts: list[object] = [type(value).__name__]
    for field, content in ast.iter_fields(value):
        if field in _SAID or content is None:
            continue
        kept = _without_docstring(value) if field == "body" else content
        if kept != []:  # newer versions of Python add fields, empty where the feature is not used
            parts.append([field, _canonical(kept)])
    return parts


def _without_docstring(node: ast.AST) -> list[ast.stmt]:
    body: list[ast.stmt] = node.body  # type: ignore[attr-defined]  # asked of what has one
    kinds = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    if isinstance(node, kinds) and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return body[1:]
    return body
