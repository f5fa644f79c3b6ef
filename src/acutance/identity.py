"""Digests: the ten hex digits in a path that cover everything which can change its bytes.

The source of a noun counts definition by definition: its public object, and whatever that uses,
directly or not, in whichever file of the package. Comments and docstrings do not count, nor does
the version of Python that parses the file.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_WORDS = (
    "calls",
    "errors",
    "files",
    "paths",
    "sets",
    "spec",
)  # what they hold moves no number or is in the digest
_Reference = tuple[str, str]  # module below the package ("models.espcn"), top-level name in it


def digest(*parts: object) -> str:
    """Returns ten hex digits of the SHA-256 of `parts`, which are put into canonical JSON.

    >>> digest({"b": 1, "a": (2, 3)}) == digest({"a": [2, 3], "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@cache
def source_digest(module: str, name: str) -> str:
    """Returns the digest of a definition and of all that it uses inside the package.

    Args:
        module: Below the package: `models.espcn`.
        name: A top-level name of it: `ESPCN`.
    """
    return digest([[*key, _canonical(node)] for key, node in closure(module, name)])


def closure(module: str, name: str) -> list[tuple[_Reference, ast.AST]]:
    """Returns the definitions that a definition uses, itself included, in a fixed order."""
    found: dict[_Reference, ast.AST] = {}
    waiting = [(module, name)]
    while waiting:
        reference = waiting.pop()
        if reference in found:
            continue
        if reference[0] in _WORDS:
            continue
        node = _source(reference[0]).definitions.get(reference[1])
        if node is not None:
            found[reference] = node
            waiting += _uses(reference[0], node)
    return sorted(found.items(), key=lambda item: item[0])


@dataclass(frozen=True, kw_only=True)
class _Source:
    """One file: its top-level definitions, and what it imports from the package."""

    definitions: dict[str, ast.AST]
    imports: dict[str, _Reference]


@cache
def _source(module: str) -> _Source:
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions: dict[str, ast.AST] = {}
    for node in tree.body:
        for name in _defined(node):
            definitions[name] = node
    return _Source(definitions=definitions, imports=dict(_imports(tree)))


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yields the names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


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


def _uses(module: str, node: ast.AST) -> Iterator[_Reference]:
    """Yields the definitions of the package that `node`, which stands in `module`, names."""
    source = _source(module)
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            target = source.imports.get(part.value.id)
            if target and not target[1]:
                yield target[0], part.attr
        elif isinstance(part, ast.Name):
            if part.id in source.definitions:
                yield module, part.id
            target = source.imports.get(part.id)
            if target and target[1]:
                yield target


def _canonical(value: object) -> object:
    """Returns a syntax tree as nested lists that every supported Python writes alike."""
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if not isinstance(value, ast.AST):
        return [type(value).__name__, repr(value)]
    parts: list[object] = [type(value).__name__]
    for field, content in ast.iter_fields(value):
        if field in ("ctx", "kind", "type_comment") or content is None:
            continue
        kept = _without_docstring(value, content) if field == "body" else content
        if kept != []:  # newer versions of Python add fields, empty where the feature is not used
            parts.append([field, _canonical(kept)])
    return parts


def _without_docstring(node: ast.AST, body: object) -> object:
    if not isinstance(body, list) or not body:
        return body
    documented = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    first = body[0]
    if documented and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:] if isinstance(first.value.value, str) else body
    return body
