"""keys.yaml: mistakes in mappings are named with their place."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from acutance.errors import Refused
from acutance.keys import keys

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"from": "(", "to": "a"}, "no regular expression"),
        ({"from": "a"}, "either `to` or `equals`"),
        ({"from": "a", "to": "b", "equals": "mean"}, "either `to` or `equals`"),
        ({"from": "a", "to": r"\1"}, "asks for group 1"),
        ({"from": "a", "to": "b", "as": "kernle"}, "did you mean 'kernel'"),
        ({"from": "a", "to": "b", "times": "2"}, "wants a number"),
        ({"from": "(a)", "to": "b", "count": {2: {}}}, "no group 2"),
        ({"from": "(a)", "to": "b", "count": {1: {"every": 0}}}, "must not be 0"),
        ({"from": "(a)", "to": "b", "count": {1: {"first": "x"}}}, "whole number"),
        ({"from": "(a)", "to": "b", "count": {1: {"frist": 1}}}, "did you mean 'first'"),
        ({"form": "a", "to": "b"}, "no such key"),
    ],
)
def test_a_mistake_in_a_rule_is_named(tmp_path: Path, rule: dict[str, Any], words: str) -> None:
    folder = tmp_path / "data" / "released"
    folder.mkdir(parents=True)
    held = {"mine": {"models": ["vdsr"], "rules": [rule]}}
    (folder / "keys.yaml").write_text(yaml.safe_dump(held))
    with pytest.raises(Refused, match=re.escape(words)) as refused:
        keys(tmp_path, "mine", 2, "test")
    assert "rules[0]" in str(refused.value)


def test_an_unknown_mapping_is_named_with_the_nearest() -> None:
    with pytest.raises(Refused, match="did you mean 'lapsrn-port'"):
        keys(ROOT, "lapsrn-prot", 4, "systems.x")
