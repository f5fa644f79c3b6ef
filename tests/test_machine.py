"""machine: what a result says of where it was made."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from acutance import machine


def test_commit_is_that_of_this_checkout() -> None:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True
    )
    assert machine.commit()["commit"] == head.stdout.strip()


def test_a_copy_inside_another_checkout_claims_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    copy = tmp_path / "machine.py"
    copy.write_text("")
    monkeypatch.setattr(machine, "__file__", str(copy))
    assert machine.commit() == {"commit": None, "dirty": None}


def test_versions_and_processor_are_named() -> None:
    versions = machine.versions()["versions"]
    assert versions["torch"] == torch.__version__
    assert versions["numpy"] == np.__version__
    assert machine.device_name(torch.device("cpu")).strip()
