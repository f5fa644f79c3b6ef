"""params.yaml as mappings: read strictly, overlaid by a study, variants merged onto their bases."""

import re
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from acutance import paths
from acutance.errors import Refused, nearest

Section = Mapping[str, Any]
_KINDS: Section = {
    "str": "text",
    "int": "a whole number",
    "dict": "named entries",
    "list": "a list of texts",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*(_[a-z0-9+.-]+)*")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml
    """YAML as a careful person reads it: no key twice, and `1e-4` is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                raise Refused(f"line {line}: a name must be a word, found {key!r}")
            if key in seen:
                raise Refused(f"line {line}: '{key}' stands here a second time; remove one of them")
            seen.add(key)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return made


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read(path: Path) -> dict[str, Any]:
    """Reads a YAML file whose top level is a mapping.

    Raises:
        Refused: If the file is missing, is not YAML, or says a key twice; with its line.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (safe)
    except FileNotFoundError:
        how = "; --root names the project's folder" if path.name == paths.PARAMS else ""
        raise Refused(f"{path.name}: no such file in {path.parent}{how}") from None
    except OSError as error:
        raise Refused(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name}: not UTF-8 text ({error.reason})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise Refused(f"{path.name}: line {line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"{path.name}: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise Refused(f"{path.name}: wants named sections, found {type(content).__name__}")
    return content


def read_once(path: Path) -> dict[str, Any]:
    """Returns what `read` does, read anew only where the file has changed; not to be changed."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read_at(path, changed)


@cache
def _read_at(path: Path, changed: int) -> dict[str, Any]:  # noqa: ARG001 (it is the key)
    return read(path)


def merge(base: Section, delta: Section) -> dict[str, Any]:
    """Lays `delta` over `base`, key by key and level by level; `null` takes a key away.

    >>> merge({"losses": {"l2": 1}}, {"losses": {"l2": None, "l1": 1}})
    {'losses': {'l1': 1}}
    """
    merged = dict(base)
    for key, value in delta.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def entry(
    section: Section, name: str, *, place: str, deltas: Section | None = None
) -> dict[str, Any]:
    """Returns an entry merged onto its base, the base's base, and so on.

    Args:
        section: Name to entry.
        name: The entry that is wanted.
        place: What the section is called, for error messages.
        deltas: Name to a further delta, laid over the entry of that name wherever it stands in
            the chain: what is changed of a baseline is changed in its variants.

    Raises:
        Refused: If a name is unknown or the bases form a cycle.
    """
    chain: list[str] = []
    current: object = name
    while current is not None:
        if not isinstance(current, str) or current not in section:
            where = f"{place}.{chain[-1]}.base" if chain else place
            raise Refused(f"{where}: no entry '{current}' in {place}{nearest(current, section)}")
        if current in chain:
            raise Refused(f"{place}.{name}.base: a cycle: {' -> '.join([*chain, current])}")
        chain.append(current)
        current = mapping(section[current], f"{place}.{current}").get("base")
    merged: dict[str, Any] = {}
    for link in reversed(chain):
        merged = merge(merged, mapping(section[link], f"{place}.{link}"))
        if deltas and link in deltas:
            merged = merge(merged, mapping(deltas[link], f"{place}.{link}"))
    merged.pop("base", None)
    return merged


def mapping(value: object, place: str) -> dict[str, Any]:
    """Returns `value` if it is a mapping with words as keys; refuses it otherwise."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(f"{place}: wants named entries, found {value!r}")
    for key in value:
        if not isinstance(key, str):
            raise Refused(f"{place}: a name must be a word, found {key!r}; put it in quotes")
    return value


def listing(value: object, place: str, kind: type) -> tuple[Any, ...]:
    """Returns a list of `kind` without duplicates as a tuple; refuses anything else."""
    if not isinstance(value, list) or not value:
        raise Refused(f"{place}: wants a list that is not empty, found {value!r}")
    for item in value:
        if not isinstance(item, kind) or isinstance(item, bool):
            raise Refused(f"{place}: wants a list of {kind.__name__}, found {item!r} in it")
    twice = [item for item in value if value.count(item) > 1]
    if twice:
        raise Refused(f"{place}: '{twice[0]}' stands in it twice; remove one of them")
    return tuple(value)


def flag(entry: Section, key: str, place: str) -> bool:
    """Returns a switch of an entry, off where it is not given; refuses what is no true or false."""
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise Refused(f"{place}.{key}: wants true or false, found {value!r}")
    return value


def check_fields(
    entry: Any, required: Mapping[str, type], optional: Mapping[str, type], place: str
) -> None:
    """Refuses an entry with a missing, unknown or wrongly typed field."""
    if not isinstance(entry, dict):
        raise Refused(f"{place}: wants named fields, found {type(entry).__name__}")
    known = {**required, **optional}
    for name, value in entry.items():
        if name not in known:
            raise Refused(f"{place}: no field '{name}'{nearest(name, known)}")
        if not isinstance(value, known[name]) or (known[name] is dict and not value):
            raise Refused(f"{place}: {name}: wants {_KINDS[known[name].__name__]}, found {value!r}")
        if isinstance(value, list) and not all(isinstance(part, str) for part in value):
            raise Refused(f"{place}: {name}: wants {_KINDS['list']}, found {value!r}")
    for name in required:
        if name not in entry:
            raise Refused(f"{place}: {name} is missing")


def check_name(name: str, place: str) -> None:
    """Refuses a name that could not be part of a path, a shell word and a table label."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{place}: '{name}' cannot be a name; use lower-case letters, digits, + . - _"
        )
