"""The papers' bicubic rows: met to the last printed digit, and said so when not."""

import csv
import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

import made_up
from acutance import calibrations
from acutance.agreement import calibrated
from acutance.book import Book, open_book
from acutance.calibrate import HEAD, calibrate, render, run
from acutance.calibrations import Calibration, Chain
from acutance.errors import Refused
from acutance.image import quantise, write_png
from acutance.params import merge
from learnt import natural, raters

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"set5": "Set5", "set14": "Set14", "bsd100": "BSD100"}
KEPT = Chain(channel="y", lr="double", clip="studio", grey="keep")
RGB = Chain(channel="rgb", lr="double", clip="none", grey="rgb")


def book(delta: dict[str, Any] | None = None) -> Book:
    whole = open_book(ROOT, "papers")[0]
    return dataclasses.replace(whole, content=merge(whole.content, delta or {}))


def declared(name: str) -> Calibration:
    return next(c for c in calibrations.read(book()) if c.name == name)


@pytest.mark.parametrize(("name", "cells"), [("fd", 18), ("spsr", 6)])
def test_bicubic_rows_come_out_as_printed(photographs: Path, name: str, cells: int) -> None:
    places = {dataset: photographs / folder for dataset, folder in FOLDERS.items()}
    found = [a for a in calibrate(declared(name), places) if a.target.cell.metric != "lpips"]
    found = [a for a in found if a.target.cell.dataset in FOLDERS]
    assert len(found) == cells
    assert {a.row["dataset"] for a in found} == set(FOLDERS)
    for agreement in found:
        assert agreement.agrees, agreement.row


def test_a_set_that_is_absent_gets_a_reason_and_no_verdict() -> None:
    (first, *_) = calibrate(declared("spsr"), {})
    assert first.measured is None
    assert not first.agrees
    row = first.row
    assert (row["measured"], row["agrees"]) == ("", "")
    assert row["reason"] == "set5 is not here; fetch it"


def test_another_picture_differs(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", data.astronaut()[:64, :64])
    (first, *_) = calibrate(declared("spsr"), {"set5": tmp_path})
    assert first.measured is not None
    assert not first.agrees
    assert first.row["agrees"] == "false"


def test_the_verb_prints_what_is_measured_and_writes_a_row_per_cell(tmp_path: Path, capsys) -> None:
    (tmp_path / "data").mkdir()
    for part in ("data/manifests", "data/published", "data/released", "workflow", "params.yaml"):
        (tmp_path / part).symlink_to(ROOT / part)
    set5 = next(d for d in declared("fd").datasets if d.name == "set5")
    write_png(tmp_path / set5.hr / "a.png", data.astronaut()[:64, :64])
    found = run(tmp_path, "papers", tmp_path / "calibration.csv")
    with (tmp_path / "calibration.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == HEAD.split(",")
    # FD: 4 sets, 3 scales, 2 metrics; SPSR: 5 sets, 3 metrics in the paper and PI in the README
    assert len(rows) == len(found) == 4 * 3 * 2 + 5 * (3 + 1)
    assert [row["dataset"] for row in rows if row["measured"]] == ["set5"] * 8
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[:8]] == ["DIFFERS"] * 8
    lpips = "alexnet and lpips_alex are not here"
    assert set(lines[8:]) == {
        "10 numbers not measured: set14 is not here; fetch it",
        "10 numbers not measured: bsd100 is not here; fetch it",
        "10 numbers not measured: urban100 is not here; fetch it",
        "4 numbers not measured: general100 is not here; fetch it",
        f"1 number not measured: {lpips}; run `acutance fetch alexnet lpips_alex`",
        "1 number not measured: niqe and ma are not here; run `acutance fetch niqe ma`",
    }


def test_rows_whose_files_are_here_are_measured(tmp_path: Path) -> None:
    """The files are made up, so the numbers are not those that are printed."""
    write_png(tmp_path / "set5" / "a.png", data.astronaut()[:120, :120])
    write_png(tmp_path / "set14" / "b.png", data.astronaut()[:90, :120])
    places = {name: tmp_path / name for name in ("set5", "set14")}
    content = {"alexnet": made_up.alexnet(), "lpips_alex": made_up.lpips_alex()}
    content |= {"niqe": natural(tmp_path / "n.npz"), "ma": raters(tmp_path / "m.mat")}
    (tmp_path / "assets").mkdir()
    for name, path in content.items():
        shutil.copy(path, tmp_path / "assets" / f"{name}.{path.suffix}")
    entries = {
        name: {"name": f"{name}.{path.suffix}", "sha256": None, "git": None}
        for name, path in content.items()
    }
    asked = []
    for name, metric in (("spsr", "lpips"), ("spsr-readme", "pi")):
        found = calibrate(
            next(c for c in calibrations.read(book({"assets": entries})) if c.name == name),
            places,
            assets=tmp_path / "assets",
            bind=lambda calls: (
                asked.extend(calls)
                or [(call.name, call.bound(tmp_path / "assets")) for call in calls]
            ),
        )
        at = {a.target.cell.dataset: a for a in found if a.target.cell.metric == metric}
        first, second = at["set5"], at["set14"]
        assert first.measured is not None
        assert (first.agrees, first.reason) == (False, "")
        if metric == "lpips":
            assert second.measured not in (None, first.measured)
        else:  # 90 pixels less the shave are no block of NIQE's
            assert second.measured is None
            assert second.reason.startswith("1 of 1 images (b: an image of ")
    assert {call.name for call in asked} == {"psnr_spsr", "ssim_spsr", "lpips_spsr", "pi_spsr"}


def test_what_the_authors_print_elsewhere_stands_beside_the_cells_with_its_source() -> None:
    targets = declared("spsr-readme").targets
    assert [t.cell.value for t in targets] == ["7.3699", "7.0268", "7.0026", "7.9365", "6.9435"]
    for target in targets:
        assert target.cell.note.startswith("Maclory/SPSR@881e78111c41, README.md")


def test_the_report_says_what_is_measured_and_in_a_line_what_is_not(tmp_path: Path) -> None:
    write_png(tmp_path / "set5" / "a.png", data.astronaut()[:64, :64])
    both = [declared("spsr"), declared("spsr-readme")]
    rows = [a.row for each in both for a in calibrate(each, {"set5": tmp_path / "set5"})]
    shown = calibrated(rows)
    assert shown is not None
    (line,) = shown.lines
    assert (line.metrics, line.protocols) == ("PSNR / SSIM", "psnr_spsr, ssim_spsr")
    assert (shown.measured, shown.agree) == (2, 0)
    files = "set5: alexnet and lpips_alex are not here; run `acutance fetch alexnet lpips_alex`"
    assert shown.missing.startswith(f"18 of 20 numbers ({files}; set14, bsd100, general100,")
    assert "set5: niqe and ma are not here; run `acutance fetch niqe ma`" in shown.missing


@pytest.mark.parametrize(
    ("chain", "dtype"), [(KEPT, np.uint8), (RGB, np.float64)], ids=["classic", "spsr"]
)
@pytest.mark.parametrize("hr", [data.astronaut()[:50, :61], data.camera()[:50, :61]])
def test_render_gives_what_the_metric_compares(chain: Chain, dtype, hr) -> None:
    sr, whole = render(hr, 3, chain)
    assert whole.shape == ((48, 60) if chain is KEPT else (48, 60, 3))
    assert whole.dtype == np.uint8
    assert sr.shape == whole.shape
    assert sr.dtype == dtype
    assert 0 < np.abs(quantise(sr).astype(int) - whole).mean() < 12
    if chain is KEPT:
        assert sr.min() >= 16
        assert sr.max() <= 235


def test_rounding_the_small_image_moves_the_large_one_a_little() -> None:
    hr = data.astronaut()[:60, :60] // 2 + 64  # where nothing is clipped
    rounded, _ = render(hr, 3, dataclasses.replace(RGB, lr="uint8"))
    double, _ = render(hr, 3, RGB)
    # half a level, through two passes of weights whose absolute values sum to 1.25 at most
    assert 0 < np.abs(rounded - double).max() < 0.5 * 1.25**2


FD = "calibrations.fd"


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        ({"paper": "fdd"}, f"{FD}.paper: no paper 'fdd'; did you mean 'fd'?"),
        ({"table": "table3"}, f"{FD}.table: fd has no 'table3'; did you mean 'table2'?"),
        ({"system": "bicubc"}, f"{FD}.system: fd has no 'bicubc'; did you mean 'bicubic'?"),
        ({"cells": "cell.csv"}, f"{FD}.cells: fd has no 'cell.csv'; did you mean 'cells.csv'?"),
        ({"systm": "x"}, f"{FD}.systm: no such key; did you mean 'system'?"),
        ({"chain": {"lr": "doubel"}}, f"{FD}.chain.lr: found 'doubel'; did you mean 'double'?"),
        ({"chain": {"lr": None}}, f"{FD}.chain: a chain needs 'lr'"),
        ({"chain": {"window": 1}}, f"{FD}.chain.window: a chain has no 'window'"),
        ({"metrics": {"psnr": "psnr_clasic"}}, f"{FD}.metrics.psnr: no entry 'psnr_clasic'"),
        ({"metrics": {"lpips": "psnr_gv"}}, f"{FD}: the printed row has no lpips of set5 at x2"),
        ({"datasets": ["set55"]}, f"{FD}.datasets: no entry 'set55' in datasets"),
        ({"datasets": ["general100"]}, f"{FD}: the printed row has no psnr of general100 at x2"),
        ({"scales": [8]}, f"{FD}: the printed row has no psnr of set5 at x8; leave it out"),
        ({"scales": 2}, f"{FD}.scales: wants a list that is not empty, found 2"),
    ],
)
def test_mistakes_are_refused_with_their_place(delta, message: str) -> None:
    with pytest.raises(Refused) as error:
        calibrations.read(book({"calibrations": {"fd": delta}}))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
