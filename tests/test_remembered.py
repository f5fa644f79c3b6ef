"""Digests of source, kept from one process to the next: found again, and never those of another."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "acutance"
ASK = """
import acutance.remembered
from acutance.identity import source_digest
print(source_digest('models.espcn', 'ESPCN'), source_digest('models.vdsr', 'VDSR'))
from acutance import identity
print(bool(identity._source.cache_info().misses))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the source that may be changed."""
    place = tmp_path / "src" / "acutance"
    shutil.copytree(PACKAGE, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def asked(package: Path, *options: str) -> tuple[list[str], bool]:
    """Two digests, and whether source was read for them."""
    done = subprocess.run(
        [sys.executable, *options, "-c", ASK],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    digests, read = done.stdout.splitlines()
    assert done.stderr == ""
    return digests.split(), read == "True"


def kept(package: Path) -> Path:
    return package / "__pycache__" / "digests.json"


def test_a_second_process_reads_no_source_and_finds_the_same(package: Path) -> None:
    first, read = asked(package)
    assert read
    assert asked(package) == (first, False)


def test_an_edit_is_seen_and_its_undoing_too(package: Path) -> None:
    first, _ = asked(package)
    file = package / "models" / "espcn.py"
    text = file.read_text()
    file.write_text(text.replace("tanh", "relu"))
    edited, read = asked(package)
    assert read
    assert edited[0] != first[0]
    assert edited[1] == first[1]
    file.write_text(text)
    assert asked(package) == (first, True)


@pytest.mark.parametrize("damage", ["cut", "flipped", "invented", "a folder"])
def test_what_is_damaged_is_computed_again(package: Path, damage: str) -> None:
    first, _ = asked(package)
    file = kept(package)
    line, _, text = file.read_text().partition("\n")
    if damage == "cut":
        file.write_text(line + "\n" + text[: len(text) // 2])
    elif damage == "flipped":
        file.write_text(line + "\n" + text.replace(first[0], "0123456789"))
    elif damage == "invented":
        file.write_text(json.dumps({"models.espcn:ESPCN": "0123456789"}))
    else:
        file.unlink()
        file.mkdir()
    assert asked(package) == (first, True)


def test_nothing_is_kept_where_python_keeps_nothing(package: Path) -> None:
    first, _ = asked(package, "-B")
    assert not kept(package).exists()
    assert asked(package, "-B") == (first, True)
