"""A name is a file: from a name in params.yaml to the one public object of a noun file.

What a name may be given (its arguments, their types and defaults), which scales a model can do and
what a loss asks for are read from the syntax tree, so params.yaml is checked without importing
torch. `load` imports the object itself.
"""

import ast
import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from acutance.errors import Refused, nearest
from acutance.values import Value, by_scale, checked

PACKAGE = Path(__file__).resolve().parent
_SINGULAR = {
    "critics": "critic",
    "games": "game",
    "degradations": "degradation",
    "losses": "loss",
    "loops": "loop",
    "metrics": "metric",
    "models": "model",
}
_DEVICE = "device"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A keyword-only parameter of a noun: what params.yaml may set."""

    name: str
    annotation: ast.expr
    required: bool
    default: Value = None


@dataclass(frozen=True, kw_only=True)
class Noun:
    """What the syntax tree of a noun file says about its public object.

    Attributes:
        kind: The folder of the file.
        function: Its name.
        public: What it is called in Python.
        asks: What it is called with: its positional parameters, but those that are files.
        assets: The files that it needs: its positional parameters of type `Path`.
        placed: Whether it is told where to compute: by a keyword `device`, which is the command
            line's to give and never params.yaml's.
        parameters: What params.yaml may set.
        constants: Literal constants in capitals.
    """

    kind: str
    function: str
    public: str
    asks: tuple[str, ...]
    assets: tuple[str, ...]
    placed: bool
    parameters: tuple[Parameter, ...]
    constants: Mapping[str, object]

    def parameter(self, name: str) -> Parameter | None:
        """Returns the parameter called `name`, or None."""
        return next((p for p in self.parameters if p.name == name), None)


def names(kind: str) -> tuple[str, ...]:
    """Returns the names that `kind` offers: its files, without those that start with `_`."""
    files = (PACKAGE / kind).glob("[!_]*.py")
    return tuple(sorted(file.stem for file in files))


def load(kind: str, function: str) -> object:
    """Imports a noun and returns its public object.

    Args:
        kind: A folder of nouns, e.g. `models`.
        function: A file in it, without `.py`.

    Raises:
        Refused: If there is no such file.
    """
    module = importlib.import_module(f"acutance.{kind}.{noun(kind, function).function}")
    return getattr(module, noun(kind, function).public)


@cache
def noun(kind: str, function: str) -> Noun:
    """Reads what a noun file offers, without importing it.

    Raises:
        Refused: If `kind` has no file of that name.
    """
    if function not in names(kind):
        raise Refused(f"no {_SINGULAR[kind]} '{function}'{nearest(function, names(kind))}")
    tree = _parsed(f"{kind}/{function}.py")
    constants = _constants(tree)
    listed = _strings(constants.get("__all__"))
    public = listed[0] if len(listed) == 1 else ""
    defined = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    found = next((node for node in defined if node.name == public), None)
    if found is None:
        raise Refused(f"{kind}/{function}.py: wants __all__ with the one name that it defines")
    if isinstance(found, ast.ClassDef):
        made, called = _method(found, "__init__"), _method(found, "forward", "__call__")
    else:
        made = called = found
    return Noun(
        kind=kind,
        function=function,
        public=public,
        asks=tuple(a.arg for a in _positional(called) if not _is_file(a)),
        assets=tuple(a.arg for a in _positional(made) if _is_file(a)),
        placed=any(a.arg == _DEVICE for a in made.args.kwonlyargs) if made else False,
        parameters=_parameters(made) if made else (),
        constants=constants,
    )


def bind(noun: Noun, given: Mapping[str, object], *, scale: int, place: str) -> dict[str, Value]:
    """Checks arguments from params.yaml against a noun's signature, for one scale.

    A by-scale map (`{x2: 8, x3: 16}`) gives the value of `scale`; in place of an integer the words
    `scale` and `scale+6` may stand.

    Args:
        noun: The noun they are for.
        given: Arguments as YAML gave them.
        scale: The scale they are resolved for.
        place: Where they stand in params.yaml, for error messages.

    Returns:
        The arguments to call the noun with; those left out keep the signature's default.

    Raises:
        Refused: If a name is unknown, a required one is missing, or a value has the wrong type.
    """
    what = f"{_SINGULAR[noun.kind]} '{noun.function}'"
    return check(noun.parameters, given, what=what, scale=scale, place=place)


def check(
    parameters: tuple[Parameter, ...],
    given: Mapping[str, object],
    *,
    what: str,
    scale: int,
    place: str,
) -> dict[str, Value]:
    """Checks a mapping from params.yaml against parameters, for one scale; see `bind`.

    Args:
        parameters: Names, types and which are required.
        given: The mapping as YAML gave it.
        what: What has these parameters, for error messages: `loss 'l1'`.
        scale: The scale the values are resolved for.
        place: Where the mapping stands in params.yaml, for error messages.
    """
    valid = [p.name for p in parameters]
    for name in given:
        if name not in valid:
            raise Refused(f"{place}.{name}: {what} has no '{name}'{nearest(name, valid)}")
    bound: dict[str, Value] = {}
    for parameter in parameters:
        where = f"{place}.{parameter.name}"
        if parameter.name in given:
            value = by_scale(given[parameter.name], scale, where)
            bound[parameter.name] = checked(parameter.annotation, value, scale, where)
        elif parameter.required:
            raise Refused(f"{place}: {what} needs '{parameter.name}'")
    return bound


@cache
def fields(cls: type, *, without: tuple[str, ...] = ()) -> tuple[Parameter, ...]:
    """Returns the fields of a dataclass whose annotations are strings, as parameters."""
    return tuple(
        Parameter(
            name=f.name,
            annotation=ast.parse(str(f.type), mode="eval").body,
            required=f.default is dataclasses.MISSING,
        )
        for f in dataclasses.fields(cls)
        if f.name not in without
    )


def _parsed(file: str) -> ast.Module:
    try:
        return ast.parse((PACKAGE / file).read_text(encoding="utf-8"), filename=file)
    except SyntaxError as error:
        raise Refused(f"{file}: line {error.lineno}: not Python: {error.msg}") from None


def _constants(tree: ast.Module) -> dict[str, object]:
    """Returns the module's literal constants in capitals, and `__all__`."""
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and (target.id == "__all__" or target.id.isupper()):
            try:
                found[target.id] = ast.literal_eval(value)
            except ValueError:
                continue  # computed: not for the spec to read
    return found


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _method(node: ast.ClassDef, *wanted: str) -> ast.FunctionDef | None:
    for name in wanted:
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == name:
                return part
    return None


def _positional(node: ast.FunctionDef | None) -> list[ast.arg]:
    return [a for a in node.args.args if a.arg != "self"] if node else []


def _is_file(argument: ast.arg) -> bool:
    return isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Path"


def _parameters(node: ast.FunctionDef) -> tuple[Parameter, ...]:
    found = []
    for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if a.arg == _DEVICE:
            continue
        annotation, default = a.annotation or ast.Name("str"), ast.literal_eval(d or "None")
        found.append(
            Parameter(name=a.arg, annotation=annotation, required=d is None, default=default)
        )
    return tuple(found)
