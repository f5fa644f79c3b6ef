"""A small real study that was run as far as one training and its SR images."""

import shutil
from pathlib import Path

import pytest

from acutance.cli import main
from project import TINY
from synthetic import ROOT, lay


def acutance(root: Path, *words: str) -> int:
    return main(["--root", str(root), "--study", "tiny", *words])


def lay_tiny(root: Path) -> Path:
    """Describes the small study in a folder; nothing is made yet."""
    root.mkdir(exist_ok=True)
    lay(root)
    shutil.copy(ROOT / "workflow/devices.yaml", root / "workflow")
    (root / "workflow/studies/tiny.yaml").write_text(TINY)
    return root


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The small study, of which nothing is made."""
    return lay_tiny(tmp_path / "project")


@pytest.fixture(scope="session")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, run by its real verbs: data, one of two trainings, its SR images."""
    root = lay_tiny(tmp_path_factory.mktemp("half"))
    for words in (
        ("fetch", "photographs", "photographs-train"),
        ("degrade", "photographs_bicubic_x2"),
        ("pack", "photographs-train_bicubic_x2", "--workers", "1"),
        ("pack", "photographs_bicubic_x2", "--workers", "1"),
        ("train", "espcn_x2_s0", "--device", "cpu", "--threads", "1"),
        ("predict", "espcn_x2_s0", "photographs", "--device", "cpu", "--threads", "1"),
    ):
        assert acutance(root, *words) == 0
    return root


@pytest.fixture
def begun(half: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    return Path(shutil.copytree(half, tmp_path / "project"))
