"""import: others' weights and SR images become runs, from checkpoint to page, by the real verbs."""

import csv
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from acutance import import_, paths
from acutance.cli import main
from acutance.errors import Refused
from acutance.models.espcn import ESPCN
from acutance.released import File, Place
from acutance.study import load
from synthetic import lay
from test_keys import lornatang

STUDY = """
title: Others
build: [others]
systems:
  mine: {model: {function: espcn, channels: 1}, released: mine, scales: [2]}
  theirs: {images: theirs, scales: [2]}
tracks:
  others:
    paper: gv
    tables: [table1]
    scales: [2]
    systems: [espcn]
    train: {datasets: [photographs-train], degradation: bicubic}
    test: {datasets: [photographs], degradation: bicubic}
    metrics: {psnr: psnr_float, ssim: ssim_float}
    ours: [bicubic, mine, theirs]
    deltas: {espcn: {recipe: brief}}
recipes: {brief: {base: espcn, steps: 2, milestones: [1], validate_every: 0}}
"""
WEIGHTS = {
    "about": "weights made here",
    "licence": "none",
    "cite": "nobody",
    "keys": "espcn-lornatang",
    "file": {"name": "mine.pth", "sources": ["http://127.0.0.1:1/mine.pth"]},
    "known": {"x2": {"photographs": {"psnr_float": 12.5}}},
}
IMAGES = {
    "about": "images made here",
    "licence": "none",
    "cite": "nobody",
    "pattern": "{name}_SR",
    "datasets": {"photographs": {"name": "theirs.zip", "sources": ["http://127.0.0.1:1/t.zip"]}},
}


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return ESPCN(2, channels=1).state_dict()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's description with a study of others' work, LR images and a mirror."""
    root = lay(tmp_path_factory.mktemp("project"))
    (root / "workflow/studies/others.yaml").write_text(STUDY)
    (root / "data/released/mine.yaml").write_text(yaml.safe_dump(WEIGHTS))
    (root / "data/released/theirs.yaml").write_text(yaml.safe_dump(IMAGES))
    mirror = root / "mirror"
    (mirror / "weights").mkdir(parents=True)
    torch.save({"state_dict": lornatang(weights()), "epoch": 3}, mirror / "weights" / "mine.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ACUTANCE_MIRROR", raising=False)
        call(root, "fetch", "photographs")
        call(root, "degrade", "photographs_bicubic_x2", "--workers", "1")
        call(root, "predict", "bicubic_x2_s0", "photographs", "--threads", "1")
    return root


def call(root: Path, *words: str, ok: bool = True) -> None:
    code = main(["--root", str(root), "--study", "others", *words])
    assert (code == 0) == ok


def found_run(root: Path, system: str) -> Any:
    return next(run for run in load(root, "others").runs if run.system == system)


def rows(path: Path) -> dict[tuple[str, str], str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["image"], row["metric"]): row["value"] for row in csv.DictReader(file)}


def evaluation(root: Path, system: str) -> Any:
    return next(e for e in load(root, "others").evaluations if e.run.system == system)


def test_others_work_becomes_runs_and_stands_in_tables_and_pages(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACUTANCE_MIRROR", str(root / "mirror"))
    # SR images of theirs: those that bicubic made, under their names.
    bicubic = evaluation(root, "bicubic")
    (root / "mirror/images").mkdir()
    with zipfile.ZipFile(root / "mirror/images/theirs.zip", "w") as archive:
        for picture in sorted((root / bicubic.sr).glob("*.png")):
            archive.write(picture, f"results/x2/{picture.stem}_SR.png")
            archive.writestr(f"results/x2/{picture.stem}_other.png", b"not looked at")

    call(root, "import", "mine_x2_s0")
    said = capsys.readouterr().out
    assert "21,284 parameters of espcn at x2; nobody gives its checksum, found" in said
    run = found_run(root, "mine")
    made = load_file(root / paths.WEIGHTS.format(run=run.id))
    assert all(torch.equal(made[k], v) for k, v in weights().items())
    record = json.loads((root / paths.RUN_RECORD.format(run=run.id)).read_text())
    assert record["imported"]["keys"] == "espcn-lornatang"
    assert len(record["imported"]["sha256"]) == 64
    assert not (root / paths.LOG.format(run=run.id)).exists()
    call(root, "import", "mine_x2_s0")
    assert "imported already" in capsys.readouterr().out

    call(root, "predict", "mine_x2_s0", "photographs", "--threads", "1")
    call(root, "import", "theirs_x2_s0")
    for system in ("bicubic", "mine", "theirs"):
        call(root, "score", f"{system}_x2_s0", "photographs", "--workers", "1")
    theirs = evaluation(root, "theirs")
    assert rows(root / theirs.scores) == rows(root / bicubic.scores)

    call(root, "tabulate")
    call(root, "report")
    page = (root / "reports/others/index.html").read_text(encoding="utf-8")
    assert "mine: weights of weights made here; theirs: SR images of images made here" in page
    mean = float(rows(root / evaluation(root, "mine").scores)[("mean", "psnr_float")])
    assert f"12.5 psnr_float on photographs; measured: {mean:.4f} in others" in page
    assert re.search(r"theirs_x2_s0@\w+</span><span class=\"small muted\">released<", page)
    call(root, "plan", "--runs")
    lines = capsys.readouterr().out
    assert re.search(r"mine_x2_s0@\w+ +done", lines)
    assert re.search(r"theirs_x2_s0@\w+ +released", lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "bicubic_x2_s0"), "nobody released it"),
        (("import", "espcn_x2_s0"), "nobody released it"),
        (("train", "mine_x2_s0"), "has nothing to train"),
        (("predict", "theirs_x2_s0", "photographs"), "use import"),
        (("predict", "--system", "theirs", "--lr", ".", "--scale", "2", "--out", "x"), "SR images"),
        (("import", "--system", "mine", "--scale", "2"), "--weights, --out missing"),
        (("import", "--system", "theirs", "--scale", "2", "--weights", "x", "--out", "y"),
         "has no weights"),
        (("import", "--system", "mine", "--scale", "2", "--weights", "x", "--out", "y",
          "--keys", "vdsr-authors"), "of other networks"),
        (("import", "--system", "mine", "--scale", "2", "--weights", "none.pth", "--out", "y"),
         "no such file"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(
    root: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call(root, *words, ok=False)
    assert said in capsys.readouterr().err


def test_a_plain_file_is_converted_and_its_style_found(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"params_ema": lornatang(weights())}, tmp_path / "foreign.pth")
    out = tmp_path / "made.safetensors"
    words = ("--system", "mine", "--scale", "2", "--weights", str(tmp_path / "foreign.pth"))
    call(root, "import", *words, "--out", str(out))
    assert "under 'params_ema', names by 'espcn-lornatang'" in capsys.readouterr().out
    assert all(torch.equal(load_file(out)[k], v) for k, v in weights().items())


def test_a_file_that_does_not_fit_names_every_key_and_leaves_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = lornatang(weights())
    held["sub_pixel.9.weight"] = held.pop("sub_pixel.0.weight")
    torch.save(held, tmp_path / "foreign.pth")
    out = tmp_path / "made.safetensors"
    words = ("--system", "mine", "--scale", "2", "--weights", str(tmp_path / "foreign.pth"))
    call(root, "import", *words, "--out", str(out), ok=False)
    said = capsys.readouterr().err
    assert "left over: sub_pixel.9.weight; missing: conv3.weight" in said
    assert "the best of" in said
    assert not out.exists()


def picture(path: Path, height: int, width: int) -> None:
    rng = np.random.default_rng(height * width)
    Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two originals, one of them no multiple of 2, and SR images of both in a mirror."""
    (tmp_path / "hr").mkdir()
    (tmp_path / "mirror/images/set").mkdir(parents=True)
    for name, side in (("a", 12), ("b", 13)):
        picture(tmp_path / f"hr/{name}.png", side, 10)
        picture(tmp_path / f"mirror/images/set/{name}_SR.png", 12, 10)
    return tmp_path


def bring(small: Path, members: str = "*", pattern: str = "{name}_SR") -> str:
    nowhere = (Place(url="http://127.0.0.1:1/set"),)
    file = File(name="set", sha256="", sources=nowhere, by_hand="")
    out, mirror = small / "out", small / "mirror"
    return import_.import_images(
        file, out, hr=small / "hr", scale=2, members=members, pattern=pattern,
        downloads=small / "downloads", mirror=mirror, say=lambda _: None,
    )  # fmt: skip


def test_images_come_out_as_they_are_under_our_names(small: Path) -> None:
    assert "2 SR images at x2, as released" in bring(small)
    for name in ("a", "b"):
        held = (small / f"mirror/images/set/{name}_SR.png").read_bytes()
        assert (small / f"out/{name}.png").read_bytes() == held


def test_images_may_lie_in_other_formats_and_among_others(small: Path) -> None:
    folder = small / "mirror/images/set"
    with Image.open(folder / "a_SR.png") as opened:
        opened.save(folder / "a_SR.bmp")
        pixels = np.asarray(opened)
    (folder / "a_SR.png").unlink()
    (folder / "a_bicubic.png").write_bytes(b"another method's")
    bring(small)
    with Image.open(small / "out/a.png") as opened:
        assert np.array_equal(np.asarray(opened), pixels)


@pytest.mark.parametrize("case", ["missing", "extra", "twice", "size", "damaged", "pattern"])
def test_images_that_cannot_be_aligned_are_refused_by_name(small: Path, case: str) -> None:
    folder, pattern = small / "mirror/images/set", "{name}_SR"
    if case == "missing":
        (folder / "b_SR.png").unlink()
        words = r"missing: b"
    elif case == "extra":
        picture(folder / "c_SR.png", 12, 10)
        words = r"of no image of the test set: c_SR\.png"
    elif case == "twice":
        picture(folder / "a_SR.bmp", 12, 10)
        words = r"ambiguous: a_SR\.bmp and a_SR\.png"
    elif case == "size":
        picture(folder / "b_SR.png", 10, 12)
        words = r"of another size: b_SR\.png 12 x 10 for 10 x 12"
    elif case == "damaged":
        (folder / "b_SR.png").write_bytes(b"\x89PNG")
        words = r"damaged: b_SR\.png"
    else:
        pattern = "{name}_LapSRN"
        words = r"missing: a, b"
    with pytest.raises(Refused, match=words):
        bring(small, pattern=pattern)
    assert not (small / "out").exists()


def test_a_glob_narrows_what_is_looked_at(small: Path) -> None:
    folder = small / "mirror/images/set"
    for scale in ("x2", "x4"):
        (folder / scale).mkdir()
        for name in ("a", "b"):
            (folder / scale / f"{name}_SR.png").write_bytes(
                (folder / f"{name}_SR.png").read_bytes()
            )
    for name in ("a", "b"):
        (folder / f"{name}_SR.png").unlink()
    with pytest.raises(Refused, match="ambiguous"):
        bring(small)
    bring(small, members="x2/*")
