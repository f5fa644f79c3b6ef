"""Checksums beside results: standard ones, and every damage is named before it is used."""

import subprocess
from pathlib import Path

import pytest

from acutance import sums
from acutance.errors import Refused

ODD = ("plain.png", "with  two spaces", "back\\slash", "line\nbreak", "é")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of every odd name, and its checksums beside it."""
    made = tmp_path / "a set@0123456789"
    (made / "deeper").mkdir(parents=True)
    for name in (*ODD, "deeper/one"):
        (made / name).write_bytes(name.encode() * 99)
    sums.write(made)
    return made


def damage(path: Path) -> None:
    """Flips one bit in the middle of a file; nothing else about it changes."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_sha256sum_reads_them(folder: Path) -> None:
    command = ["sha256sum", "--check", "--strict", f"{folder.name}.sha256"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(ODD) + 1


def test_what_is_whole_passes_and_a_hidden_file_of_an_engine_does_not_count(folder: Path) -> None:
    (folder / ".snakemake_timestamp").touch()
    sums.check(folder, "no remedy")


@pytest.mark.parametrize("name", [*ODD, "deeper/one"])
def test_one_flipped_bit_is_named_with_its_remedy(folder: Path, name: str) -> None:
    damage(folder / name)
    with pytest.raises(Refused, match=r"damaged, its SHA-256 is not the one in .*; do this") as why:
        sums.check(folder, "do this")
    assert f"/{name}: damaged" in str(why.value)


def test_a_file_too_few_or_too_many_is_named(folder: Path) -> None:
    (folder / "strange.png").touch()
    with pytest.raises(Refused, match=r"strange\.png: not one of the files"):
        sums.check(folder, "remove it")
    (folder / "strange.png").unlink()
    (folder / "plain.png").unlink()
    with pytest.raises(Refused, match=r"plain\.png: missing; remove it"):
        sums.check(folder, "remove it")


def test_only_what_is_asked_for_is_read(folder: Path) -> None:
    damage(folder / "plain.png")
    sums.check(folder, "remove it", only=["é"])
    with pytest.raises(Refused, match="absent: missing"):
        sums.check(folder, "remove it", only=["absent"])


def test_damaged_checksums_are_no_checksums(folder: Path) -> None:
    beside = sums.beside(folder)
    whole = beside.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\xff" * 99, whole.replace(b"  ", b" ")):
        beside.write_bytes(content)
        with pytest.raises(Refused):
            sums.check(folder, "remove it")


def test_one_file_has_its_own_and_what_has_none_is_taken_as_it_is(tmp_path: Path) -> None:
    scores = tmp_path / "set5@0123456789.csv"
    scores.write_text("image,metric,value\na,psnr,30.0\n")
    sums.check(scores, "remove it")
    sums.write(scores)
    sums.check(scores, "remove it")
    damage(scores)
    with pytest.raises(Refused, match=r"set5@0123456789\.csv: damaged"):
        sums.check(scores, "remove it")
