"""The recipe of the container: what it copies is what the installation reads."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "workflow/container/Containerfile"
METADATA = "from setuptools import build_meta as b; b.prepare_metadata_for_build_editable('made')"


def test_what_is_copied_is_enough_to_install_from(tmp_path: Path) -> None:
    for line in RECIPE.read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY "):
            *names, to = shlex.split(line)[1:]
            for name in names:
                place = tmp_path / to / (Path(name).name if to.endswith("/") else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, place)
    (tmp_path / "made").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", METADATA], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (metadata,) = tmp_path.glob("made/*.dist-info/METADATA")
    assert "Name: acutance" in metadata.read_text(encoding="utf-8")
    told = subprocess.run(
        ["make", "help"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "make environment" in told
    assert (tmp_path / "workflow/environment.py").is_file()
