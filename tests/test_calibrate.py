"""The papers' bicubic rows: met to the last printed digit, and said so when not."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from acutance import calibrations
from acutance.book import Book, open_book
from acutance.calibrate import HEAD, calibrate, render, run
from acutance.calibrations import Calibration, Chain
from acutance.errors import Refused
from acutance.image import quantise, write_png
from acutance.params import merge

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
    found = [a for a in calibrate(declared(name), places) if a.target.cell.dataset in FOLDERS]
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


def test_the_verb_prints_a_line_and_writes_a_row_per_cell(tmp_path: Path, capsys) -> None:
    (tmp_path / "data").mkdir()
    for part in ("data/manifests", "data/published", "data/released", "workflow", "params.yaml"):
        (tmp_path / part).symlink_to(ROOT / part)
    set5 = next(d for d in declared("fd").datasets if d.name == "set5")
    write_png(tmp_path / set5.hr / "a.png", data.astronaut()[:64, :64])
    found = run(tmp_path, "papers", tmp_path / "calibration.csv")
    with (tmp_path / "calibration.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == HEAD.split(",")
    assert len(rows) == len(found) == 24 + 10  # FD: 4 sets, 3 scales; SPSR: 5 sets; 2 metrics each
    assert [row["dataset"] for row in rows if row["measured"]] == ["set5"] * 8
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 34
    assert sum("DIFFERS" in line for line in lines) == 8
    assert sum("not measured: urban100 is not here; fetch it" in line for line in lines) == 8


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
