"""docs/faults.md: each row names tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
ROWS = [line for line in LIST.splitlines() if re.match(r"\| (?!what happens|-)", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_row_names_a_test_that_exists(row: str) -> None:
    fields = [field.strip() for field in row.strip("|").split(" | ")]
    assert len(fields) == 4
    assert all(fields)
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", fields[3])
    assert named
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
