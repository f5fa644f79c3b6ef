"""Pictures with the worst of names: on plain folders, and from a manifest to pages."""

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from acutance import datasets, verify
from acutance.cli import main
from acutance.errors import Refused
from acutance.image import list_images, read_image, write_png
from project import TINY, Project

NAMES = (
    *(
        "a b",
        "it's",
        'say "so"',
        "two\nlines",
        "tab\there",
        "中文 é",
        "$(touch hacked)",
        "`touch hacked`",
    ),
    *(
        "; touch hacked",
        "-rf",
        "--help",
        "*",
        "?[a]",
        "{wildcards.run}",
        "%s %n",
        "a,b",
        "\\",
        "a.b",
    ),
    *(
        "<script>alert(1)</script>".replace("/", "\u2215"),
        "\\write18{x}",
        "&amp;",
        "\x1b[2J",
        "x" * 250,
    ),
)
MANIFEST = "name,width,height,mode,sha256\n"

STUDY = TINY.replace("test: {datasets: [photographs]", "test: {datasets: [names]")
SET = """
datasets:
  names:
    role: test
    images: {images}
    licence: none
    sources: [{{url: "https://example.org/names.zip"}}]
"""


def picture(number: int) -> np.ndarray:
    rows, columns = np.mgrid[0:24, 0:20]
    waves = [np.sin((rows * (c + 1) + columns * (number + 1)) / 5) for c in range(3)]
    return (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def test_from_a_plain_folder_to_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hr, lr, sr = (tmp_path / name for name in ("hr", "lr", "sr"))
    for number, name in enumerate(NAMES):
        write_png(hr / f"{name}.png", picture(number))
    assert main(["degrade", "--hr", str(hr), "--scale", "2", "--out", str(lr)]) == 0
    common = ["--scale", "2", "--system", "bicubic"]
    assert main(["predict", *common, "--lr", str(lr), "--out", str(sr), "--device", "cpu"]) == 0
    assert set(list_images(sr)) == set(NAMES)
    capsys.readouterr()
    common = ["--scale", "2", "--metric", "psnr_float", "--workers", "2"]
    assert main(["score", "--hr", str(hr), "--sr", str(sr), *common]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines(keepends=True)))
    assert {row["image"] for row in rows} == {*NAMES, "mean"}
    assert {path.name for path in tmp_path.iterdir()} == {"hr", "lr", "sr"}


def test_what_is_said_of_such_a_name_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES:
        folder = tmp_path / "hr"
        folder.mkdir()
        (folder / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        out = str(tmp_path / "lr")
        assert main(["degrade", "--hr", str(folder), "--scale", "2", "--out", out]) == 2
        said = capsys.readouterr().err
        assert "cannot be read as a picture" in said
        assert len(said.splitlines()) == 1
        assert "\x1b" not in said
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["../out", "/out", "a/b", "", ".hidden", "a\0b"])
def test_a_manifest_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "set.csv").write_text(f'{MANIFEST}"{name}",1,1,RGB,{"0" * 64}\n')
    with pytest.raises(Refused, match=r"set\.csv: damaged manifest"):
        datasets._manifest(tmp_path / "set.csv")


@pytest.mark.workflow
def test_from_a_manifest_to_pages(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, rows = tmp_path / "mirror", []
    for number, name in enumerate(NAMES):
        write_png(mirror / "names" / f"{number}.png", picture(number))
        digest = verify.digest(picture(number))
        rows.append({"name": name, "width": 20, "height": 24, "mode": "RGB", "sha256": digest})
    with (project.folder / "data/manifests/names.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    study = project.folder / "workflow/studies/names.yaml"
    study.write_text(STUDY + SET.format(images=len(NAMES)))
    monkeypatch.setenv("ACUTANCE_MIRROR", str(mirror))
    project.snakemake("--config", "study=names")
    (scores,) = project.folder.glob("results/scores/espcn_x2_s0@*/names_*.csv")
    with scores.open(newline="") as file:
        assert {row["image"] for row in csv.DictReader(file)} == {*NAMES, "mean"}
    pages = {path.suffix for path in (project.folder / "reports/names").iterdir()}
    assert {".html", ".md", ".tex"} <= pages
    assert not list(project.folder.rglob("hacked"))
    (hr,) = project.folder.glob("data/hr/names@*/")
    assert {path.stem for path in hr.glob("*.png")} == set(NAMES)
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", f"{hr.name}.sha256"],
        cwd=hr.parent, capture_output=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert read_image(hr / f"{NAMES[0]}.png").shape == (24, 20, 3)
