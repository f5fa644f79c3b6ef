"""params.yaml spoilt at random: it is accepted, or refused in one line, and nothing else."""

import copy
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from acutance import params
from acutance.errors import Refused
from acutance.study import load

ROOT = Path(__file__).resolve().parent.parent
MUTATIONS = 300
PARTS = 10
SEED = 7
VALUES: tuple[Any, ...] = (
    *(None, 5, -1, 0, True, "x", "", "a\nb", [], {}, [1], ["a"], [[1]], [None], [{}]),
    *({"a": 1}, {1: 2}, {"x2": 1}, {"a\nb": 1}, float("nan"), float("inf"), 1e30, 10**400),
)


class Plain(yaml.SafeDumper):
    """Writes what is used twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Yields every container with every key or index into it."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))  # type: ignore[arg-type]
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):  # type: ignore[index]
            yield from places(value[key])  # type: ignore[index]


def spoil(content: dict[str, Any], draw: random.Random) -> str:
    """Changes one place, and says how."""
    container, key = draw.choice(list(places(content)))
    kind = draw.choice(("set", "set", "set", "delete", "rename"))
    if kind == "rename" and isinstance(container, dict):
        container[f"{key}{draw.choice(('x', '_', chr(10), '/'))}"] = container.pop(key)
        return f"rename {key!r}"
    if kind == "delete":
        del container[key]
        return f"delete {key!r}"
    container[key] = draw.choice(VALUES)
    return f"{key!r} = {container[key]!r}"


@pytest.mark.parametrize("part", range(PARTS))
def test_a_spoilt_file_is_accepted_or_refused_in_one_line(tmp_path: Path, part: int) -> None:
    shutil.copytree(ROOT / "workflow" / "studies", tmp_path / "workflow" / "studies")
    (tmp_path / "data").mkdir()
    for folder in ("manifests", "published", "released"):
        (tmp_path / "data" / folder).symlink_to(ROOT / "data" / folder)
    original = params.read(ROOT / "params.yaml")
    messages: dict[str, str] = {}
    for number in range(part, MUTATIONS, PARTS):
        content = copy.deepcopy(original)
        how = spoil(content, random.Random(SEED + number))  # noqa: S311 (no secret)
        (tmp_path / "params.yaml").write_text(yaml.dump(content, Dumper=Plain, sort_keys=False))
        try:
            load(tmp_path, "demo")
        except Refused as refused:
            messages[str(refused)] = how
        except Exception as error:
            raise AssertionError(how) from error
    assert messages
    assert {m: how for m, how in messages.items() if len(m.splitlines()) != 1} == {}
    assert {m: how for m, how in messages.items() if not m.startswith("params.yaml: ")} == {}
