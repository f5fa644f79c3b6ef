"""Digests: what changes them, what does not, and that every Python agrees on them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from acutance.identity import closure, digest
from acutance.study import load

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, to be edited."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


def runs_of(package: Path, study: str = "papers") -> dict[str, str]:
    """Each run of a study by track and name, as this copy of the package calls it."""
    code = (
        "import json; from pathlib import Path; from acutance.study import load\n"
        f"study = load(Path({str(ROOT)!r}), {study!r})\n"
        "print(json.dumps({f'{t.name} {e.run.id.partition(chr(64))[0]}': e.run.id"
        " for t in study.tracks for e in t.evaluations}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def systems_that_moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {after[key].partition("_")[0] for key in before if before[key] != after[key]}


def test_comments_and_docstrings_rename_nothing(package: Path) -> None:
    before = runs_of(package)
    model = package / "acutance/models/espcn.py"
    of_class = '    """'
    text = model.read_text()
    assert text.startswith('"""')
    assert of_class in text
    text = text.replace('"""', '"""Said otherwise: ', 1).replace(of_class, of_class + "Or so: ", 1)
    model.write_text(text + "\n# a remark\n")
    assert runs_of(package) == before


def test_a_loss_renames_its_users_alone(package: Path) -> None:
    before = runs_of(package)
    edit(package / "acutance/losses/l1.py", "return ", "return 2 * ")
    users = {
        run.system
        for run in load(ROOT, "papers").runs
        if any(loss.function == "l1" for each in run.chain for loss in each.losses)
    }
    assert users > {"edsr", "edsr+gv", "vdsr-l1", "vdsr-l1+tv", "vdsr-l1+gv", "lapsrn", "spsr-g"}
    assert systems_that_moved(before, runs_of(package)) == users


def test_a_model_renames_its_users_alone(package: Path) -> None:
    before = runs_of(package)
    edit(package / "acutance/models/espcn.py", "import", "import math\nimport")
    assert runs_of(package) == before  # an import that nothing uses
    model = package / "acutance/models/espcn.py"
    edit(model, "def forward(", "def _unused(self) -> int:\n        return 1\n\n    def forward(")
    assert systems_that_moved(before, runs_of(package)) == {"espcn", "espcn+gv"}


def test_a_shared_part_renames_all_that_use_it_and_nothing_else(package: Path) -> None:
    before = runs_of(package)
    image = package / "acutance/image.py"
    image.write_text(image.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    assert runs_of(package) == before
    edit(package / "acutance/loops/restore.py", "FARTHEST = 1000", "FARTHEST = 999")
    moved = systems_that_moved(before, runs_of(package))
    assert "bicubic" not in moved
    assert "espcn" in moved


def test_words_in_messages_rename_nothing(package: Path) -> None:
    before = runs_of(package)
    edit(package / "acutance/errors.py", "; did you mean", "; perhaps")
    edit(package / "acutance/train.py", "Trains a run", "Fits a run")
    assert runs_of(package) == before


def test_a_statement_that_defines_nothing_counts_and_a_second_definition_too(
    package: Path,
) -> None:
    before = runs_of(package)
    model = package / "acutance/models/espcn.py"
    model.write_text(model.read_text() + "\nESPCN.forward = ESPCN.forward\n")
    once = runs_of(package)
    assert systems_that_moved(before, once) == {"espcn", "espcn+gv"}
    model.write_text(model.read_text() + "\nif True:\n    class ESPCN(ESPCN): ...\n")
    assert systems_that_moved(once, runs_of(package)) == {"espcn", "espcn+gv"}


def test_what_makes_the_pairs_and_puts_a_run_together_counts(package: Path) -> None:
    before = runs_of(package)
    edit(package / "acutance/pack.py", "side = max(scale,", "side = max(scale + 0,")
    packed = runs_of(package)
    fitted = {run.system for run in load(ROOT, "papers").runs if run.trained}
    trained = {run for run in before.values() if run.partition("_x")[0] in fitted}
    assert trained
    assert not trained & set(packed.values())
    edit(package / "acutance/train.py", "augment=recipe.augment", "augment=()")
    assert not set(packed.values()) & set(runs_of(package).values()) & trained


def test_annotations_and_words_of_errors_rename_nothing(package: Path) -> None:
    before = runs_of(package)
    edit(package / "acutance/losses/l2.py", "-> Tensor", '-> "Tensor"')
    pairs = package / "acutance/pairs.py"
    edit(pairs, "raise Refused(", "raise Refused('Alas: ' + ")
    assert runs_of(package) == before


def test_a_further_source_of_the_same_archive_renames_nothing() -> None:
    train = next(d for d in load(ROOT, "papers").tracks[0].train if not d.pictures)
    assert len(train.sources) > 1
    assert replace(train, sources=train.sources[:1]).id == train.id
    other = replace(train.sources[0], sha256="0" * 64)
    assert replace(train, sources=(other,)).id != train.id


def test_every_python_here_computes_the_same_digest() -> None:
    code = (
        "from acutance.identity import source_digest\n"
        "print(source_digest('loops.restore', 'restore'), source_digest('models.edsr', 'EDSR'))"
    )
    pythons = {shutil.which(f"python3.{minor}") for minor in range(11, 16)} | {sys.executable}
    found = {}
    for python in sorted(p for p in pythons if p):
        done = subprocess.run(
            [python, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:  # a version manager's stub of a Python that is not installed
            found[python] = done.stdout
    assert sys.executable in found
    assert len(set(found.values())) == 1


def test_a_digest_is_of_the_content_not_of_its_order() -> None:
    assert digest({"b": 1, "a": (2, 3)}) == digest({"a": [2, 3], "b": 1})
    assert digest({"a": 1}) != digest({"a": 1.5})
    assert digest("a", "b") != digest("ab")


def test_the_closure_reaches_through_files_and_stops_at_words() -> None:
    modules = {module for module, _ in closure("loops.restore", "restore")}
    assert {"loops.restore", "optim", "pairs"} <= modules
    assert not modules & {"errors", "files", "paths", "spec"}
