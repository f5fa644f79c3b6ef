"""Values of params.yaml against annotations of a signature, read from its syntax tree."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping

from acutance.errors import Refused, nearest

Value = bool | int | float | str | tuple[int | float | str, ...] | None

_SCALE = re.compile(r"x[0-9]{1,2}")


def scales(value: object) -> frozenset[int] | None:
    """Returns the scales of a by-scale map; None for any other value."""
    if not isinstance(value, Mapping) or not value:
        return None
    if not all(isinstance(key, str) and _SCALE.fullmatch(key) for key in value):
        return None
    return frozenset(int(key[1:]) for key in value)


def by_scale(value: object, scale: int, place: str) -> object:
    """Returns the entry of a by-scale map (`{x2: 8, x3: 16}`) for `scale`; other values as is."""
    found = scales(value)
    if found is None or not isinstance(value, Mapping):
        return value
    if f"x{scale}" not in value:
        raise Refused(f"{place}: no value for scale {scale}; found {', '.join(map(str, value))}")
    return value[f"x{scale}"]


def checked(annotation: ast.expr, value: object, scale: int, place: str) -> Value:
    """Returns `value` as the annotation wants it, or refuses it."""
    if isinstance(annotation, ast.BinOp):  # X | None
        if value is None:
            return None
        return checked(annotation.left, value, scale, place)
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        if annotation.value.id == "Literal":
            return _choice(annotation, value, place)
        return _tuple(annotation, value, scale, place)
    return _plain(ast.unparse(annotation), value, scale, place)


def _choice(annotation: ast.Subscript, value: object, place: str) -> Value:
    written = ast.literal_eval(annotation.slice)
    choices: tuple[Value, ...] = written if isinstance(written, tuple) else (written,)
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    words = [str(c) for c in choices]
    raise Refused(f"{place}: found {_shown(value)}{nearest(value, words)}")


def _tuple(annotation: ast.Subscript, value: object, scale: int, place: str) -> Value:
    if not isinstance(value, list | tuple):
        raise Refused(f"{place}: wants a list, found {_shown(value)}")
    inner = annotation.slice
    each = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    variadic = len(each) == 2 and isinstance(each[1], ast.Constant) and each[1].value is Ellipsis
    kinds = [each[0]] * len(value) if variadic else list(each)
    if len(kinds) != len(value):
        raise Refused(f"{place}: wants {len(kinds)} values, found {len(value)}")
    parts = [checked(kinds[i], part, scale, f"{place}[{i}]") for i, part in enumerate(value)]
    return tuple(part for part in parts if isinstance(part, int | float | str))


def _plain(wanted: str, value: object, scale: int, place: str) -> Value:
    if wanted == "int" and isinstance(value, str):
        word, _, rest = value.replace(" ", "").partition("+")
        if word == "scale" and (rest.isdigit() or not rest):
            return scale + int(rest or 0)
    if wanted == "bool" and isinstance(value, bool):
        return value
    if wanted == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if wanted == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= sys.float_info.max:  # infinity, no number, or beyond a double
            raise Refused(f"{place}: wants a finite number, found {_shown(value)}")
        return float(value)
    if wanted == "str" and isinstance(value, str):
        return value
    words = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a word"}
    raise Refused(f"{place}: wants {words.get(wanted, wanted)}, found {_shown(value)}")


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)
