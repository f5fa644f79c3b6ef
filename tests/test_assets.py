"""Files that losses and metrics read: refused at plan time, empty cells with the reason, scores."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from skimage.io import imsave

import made_up
from acutance import published
from acutance.cli import main
from acutance.errors import Refused
from acutance.files import checksums
from acutance.measured import Measured
from acutance.obtain import keep
from acutance.released import file
from acutance.study import load
from acutance.tabulate import table_rows

ROOT = Path(__file__).resolve().parents[1]
BY_HAND = {
    "name": "made-up.pth",
    "by_hand": "https://example.org/made-up",
    "licence": "none",
    "cite": "nobody",
}


@pytest.fixture
def project(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Makes a project whose demo has an asset that no program can fetch, and what is given."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "workflow" / "studies", tmp_path / "workflow" / "studies")
    for folder in ("manifests", "published", "released"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / folder).symlink_to(ROOT / "data" / folder)

    def made(changes: dict[str, Any]) -> Path:
        content["assets"]["made-up"] = BY_HAND
        for section, entries in changes.items():
            for name, entry in entries.items():
                content[section][name] = content[section].get(name, {}) | entry
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return tmp_path

    return made


def test_a_training_without_its_file_is_refused_at_plan_time(project: Any) -> None:
    losses = {"l2": 1, "perceptual": {"weight": 1, "vgg19": "made-up"}}
    root = project({"systems": {"espcn": {"losses": losses}}})
    with pytest.raises(Refused) as refused:
        load(root, "demo")
    for part in ("losses.perceptual: needs 'made-up.pth'", BY_HAND["by_hand"], "into data/assets"):
        assert part in str(refused.value)
    (root / "data" / "assets").mkdir()
    (root / "data" / "assets" / "made-up.pth").write_bytes(b"x")
    runs = [run for run in load(root, "demo").runs if run.losses and run.system == "espcn"]
    assert [run.assets[0].name for run in runs] == ["made-up"] * len(runs)
    assert runs


BLANK = """
build: [blank]
tracks:
  blank:
    paper: gv
    tables: [table1]
    systems: [espcn]
    scales: [2]
    train: {datasets: [photographs-train], degradation: bicubic}
    test: {datasets: [photographs], degradation: bicubic}
    metrics: {psnr: psnr_float, ssim: odd}
"""


def test_a_metric_without_its_file_is_left_out_and_its_cells_say_why(project: Any) -> None:
    root = project({})
    content = yaml.safe_load((root / "params.yaml").read_text())
    content["metrics"]["odd"] = {"function": "lpips", "trunk": "made-up", "heads": "lpips_alex"}
    (root / "params.yaml").write_text(yaml.safe_dump(content))
    (root / "workflow" / "studies" / "blank.yaml").write_text(BLANK)
    [track] = load(root, "blank").tracks
    assert {m.name for e in track.evaluations for m in e.metrics} == {"psnr_float"}
    paper = published.read(root / "data" / "published" / "gv")
    rows = list(table_rows(paper, "table1", Measured(track, root)))
    own = [r for r in rows if (r["system"], r["dataset"]) == ("espcn", "photographs")]
    why = {row["metric"]: row["reason"] for row in own}
    assert why["psnr"].startswith("not computed yet")
    assert why["ssim"].startswith("ssim is not measured without 'made-up.pth', which no program")
    assert all(row["rebuilt"] == "" for row in own)


def test_score_reads_the_file_that_the_entry_names(project: Any, capsys: Any) -> None:
    root = project({})
    content = yaml.safe_load((root / "params.yaml").read_text())
    content["assets"]["made-up-heads"] = BY_HAND | {"name": "heads.pth"}
    trunk, heads = "made-up", "made-up-heads"
    content["metrics"]["odd"] = {"function": "lpips", "trunk": trunk, "heads": heads}
    (root / "params.yaml").write_text(yaml.safe_dump(content))
    picture = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    for folder in ("hr", "sr"):
        (root / folder).mkdir()
        imsave(root / folder / "a.png", picture, check_contrast=False)
    command = ["--root", str(root), "--study", "demo", "score", "--hr", str(root / "hr")]
    command += ["--sr", str(root / "sr"), "--scale", "2", "--metric", "odd"]
    assert main(command) != 0
    assert "acutance fetch made-up" in capsys.readouterr().err
    (root / "data" / "assets").mkdir()
    shutil.copy(made_up.alexnet(), root / "data" / "assets" / "made-up.pth")
    shutil.copy(made_up.lpips_alex(), root / "data" / "assets" / "heads.pth")
    assert main(command) == 0
    assert "a,odd,0.0" in capsys.readouterr().out


def test_a_file_is_kept_once_and_only_the_promised_one(tmp_path: Path) -> None:
    content = b"weights"
    promised = hashlib.sha256(content).hexdigest()[:8]
    mirror = tmp_path / "mirror"
    (mirror / "weights").mkdir(parents=True)
    wanted = file({"name": "w.pth", "sha256": promised, "by_hand": "https://example.org"}, "here")
    out, downloads = tmp_path / "assets" / "w.pth", tmp_path / "downloads"
    (mirror / "weights" / "w.pth").write_bytes(b"others")
    with pytest.raises(Refused, match="not with the promised"):
        keep(wanted, out, mirror=mirror, downloads=downloads)
    assert not out.exists()
    (mirror / "weights" / "w.pth").write_bytes(content)
    keep(wanted, out, mirror=mirror, downloads=downloads)
    assert out.read_bytes() == content
    assert "here already" in keep(wanted, out, mirror=None, downloads=downloads)
    out.write_bytes(b"spoilt")
    with pytest.raises(Refused, match="Remove it"):
        keep(wanted, out, mirror=mirror, downloads=downloads)


def test_a_file_is_known_by_its_name_in_git(tmp_path: Path) -> None:
    """Where its authors keep it in a repository, and nobody gives another checksum."""
    entry = {"name": "m.mat", "by_hand": "https://example.org"}
    empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # `git hash-object /dev/null`
    (tmp_path / "m.mat").write_bytes(b"")
    assert checksums(tmp_path / "m.mat") == (hashlib.sha256(b"").hexdigest(), empty)
    wanted = file(entry | {"git": empty}, "here")
    said = keep(wanted, tmp_path / "out.mat", mirror=tmp_path, downloads=tmp_path)
    assert "nobody gives its checksum" not in said
    assert wanted.identity == [empty]
    (tmp_path / "m.mat").write_bytes(b"x")
    with pytest.raises(
        Refused, match=r"its git name begins with .*, not with the promised e69de29"
    ):
        keep(wanted, tmp_path / "other.mat", mirror=tmp_path, downloads=tmp_path)
    with pytest.raises(Refused, match=r"here\.git: wants 40 digits 0-9 a-f, found 'e69de29'"):
        file(entry | {"git": "e69de29"}, "here")


def test_the_heads_of_lpips_come_out_of_its_package(tmp_path: Path) -> None:
    entry = yaml.safe_load((ROOT / "params.yaml").read_text())["assets"]["lpips_alex"]
    shipped = {key: entry[key] for key in ("name", "sha256", "sources")}
    said = keep(file(shipped, "here"), tmp_path / "alex.pth", mirror=None, downloads=tmp_path / "d")
    assert "package lpips" in said
