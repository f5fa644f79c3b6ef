"""Two folders to numbers, and numbers to CSV."""

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from acutance.errors import Refused
from acutance.image import quantise, write_float_tif, write_png
from acutance.metrics.psnr import psnr
from acutance.metrics.ssim import ssim
from acutance.rows import read_scores
from acutance.score import score_folders, write_scores

ROOT = Path(__file__).resolve().parents[1]
HR = data.astronaut()[100:141, 200:235]
SR = quantise(HR + np.random.default_rng(0).normal(0, 5, HR.shape))
METRICS = [("psnr_x", psnr), ("ssim_x", ssim)]


def rgb_error(sr, hr) -> float:
    return psnr(sr, hr, channel="rgb", quantise="none")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    hr, sr = tmp_path / "hr", tmp_path / "sr"
    for name, picture, result in (("woman", HR, SR), ("baby", HR[::-1], SR[::-1]), ("a", HR, HR)):
        write_png(hr / f"{name}.png", picture)
        write_png(sr / f"{name}.png", result)
    return hr, sr


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_rows_by_metric_then_image_then_mean(folders, workers) -> None:
    rows = score_folders(*folders, METRICS, 2, workers=workers)
    assert [row[:2] for row in rows] == [
        (image, metric)
        for metric in ("psnr_x", "ssim_x")
        for image in ("a", "baby", "woman", "mean")
    ]
    values = {row[:2]: row[2] for row in rows}
    assert values["woman", "psnr_x"] == psnr(SR, HR)
    assert values["baby", "ssim_x"] == ssim(SR[::-1], HR[::-1])
    assert values["a", "psnr_x"] == values["mean", "psnr_x"] == math.inf
    assert values["mean", "ssim_x"] == pytest.approx(
        (1 + ssim(SR, HR) + ssim(SR[::-1], HR[::-1])) / 3, abs=1e-15
    )


def test_csv_brings_the_same_numbers_back(folders, tmp_path: Path) -> None:
    rows = score_folders(*folders, METRICS, 2)
    write_scores(rows, tmp_path / "deep" / "scores.csv")
    found = read_scores(tmp_path / "deep" / "scores.csv")
    assert found == {
        metric: {image: v for image, m, v in rows if m == metric and image != "mean"}
        for metric, _ in METRICS
    }
    stream = io.StringIO()
    write_scores(rows, stream)
    assert stream.getvalue() == (tmp_path / "deep" / "scores.csv").read_text()
    assert stream.getvalue().startswith("image,metric,value,reason\na,psnr_x,inf,\n")


def test_float_tif_is_measured_unrounded(folders) -> None:
    hr, sr = folders
    (sr / "woman.png").unlink()
    fractions = (SR + np.float32(0.25)) * np.float32(1.1)
    write_float_tif(sr / "woman.tif", fractions)
    rows = score_folders(hr, sr, [("psnr_gv", rgb_error)], 2)
    assert ("woman", "psnr_gv", rgb_error(fractions, HR)) in rows


def test_rows_and_columns_that_no_lr_pixel_covers_are_left_out(folders) -> None:
    hr, sr = folders  # 35 x 41 at scale 3: 33 x 39
    write_png(sr / "woman.png", SR[:39, :33])
    rows = score_folders(hr, sr, [("psnr", psnr)], 3)
    assert ("woman", "psnr", psnr(SR[:39, :33], HR[:39, :33])) in rows
    expected = r"woman\.png: is 33 x 39, HR is 35 x 41; at scale 2 SR is 34 x 40"
    with pytest.raises(Refused, match=expected):
        score_folders(hr, sr, [("psnr", psnr)], 2)
    write_png(hr / "woman.png", HR[:20])
    with pytest.raises(Refused, match="is 33 x 39, HR is 35 x 20"):
        score_folders(hr, sr, [("psnr", psnr)], 3)


def test_a_shaved_or_empty_sr_is_not_compared_shifted(folders) -> None:
    hr, sr = folders
    write_png(sr / "woman.png", SR[1:-1, 1:-1])
    with pytest.raises(Refused, match=r"woman\.png: is 33 x 39, HR is 35 x 41; .* SR is 32 x 40"):
        score_folders(hr, sr, [("psnr", psnr)], 4)
    write_png(hr / "woman.png", HR[:2, :2])
    write_png(sr / "woman.png", SR[:1, :1])
    with pytest.raises(Refused, match=r"woman\.png: is 1 x 1, HR is 2 x 2; .* SR is 0 x 0"):
        score_folders(hr, sr, [("psnr", psnr)], 3)


def test_folders_that_do_not_pair_up_are_refused(folders) -> None:
    hr, sr = folders
    (sr / "woman.png").rename(sr / "womann.png")
    with pytest.raises(Refused, match="no SR image of 'woman'; did you mean 'womann'"):
        score_folders(hr, sr, METRICS, 2)
    (sr / "womann.png").unlink()
    (sr / "baby.png").unlink()
    with pytest.raises(Refused, match=r"no SR image of 'baby' \(2 are missing\); there is none"):
        score_folders(hr, sr, METRICS, 2)
    for path in sr.iterdir():
        path.unlink()
    with pytest.raises(Refused, match="sr: no pictures in it"):
        score_folders(hr, sr, METRICS, 2)
    for name in ("a", "baby", "woman", "extra"):
        write_png(sr / f"{name}.png", SR)
    with pytest.raises(Refused, match=r"'extra' has no HR image in .*/hr \(1 have none\)"):
        score_folders(hr, sr, METRICS, 2)
    for path in [*sr.iterdir()]:
        path.rename(sr / f"{path.stem}_x2_SR_by_another_tool.png")
    with pytest.raises(Refused, match="found 'a_x2_SR_by_another_tool' and 3 more without HR"):
        score_folders(hr, sr, METRICS, 2)


def test_what_a_metric_refuses_is_named(folders) -> None:
    hr, sr = folders
    write_png(sr / "baby.png", SR[..., 0])
    with pytest.raises(Refused, match=r"sr/baby\.png: SR is grey, HR is in colour"):
        score_folders(hr, sr, METRICS, 2)
    (sr / "baby.png").write_bytes(b"no picture")
    with pytest.raises(Refused, match=r"sr/baby\.png: cannot be read as a picture"):
        score_folders(hr, sr, METRICS, 2)


def test_an_image_called_mean_is_refused(folders) -> None:
    hr, sr = folders
    for folder in folders:
        write_png(folder / "mean.png", HR)
    with pytest.raises(Refused, match="an image called 'mean' cannot be told from the mean"):
        score_folders(hr, sr, METRICS, 2)


@pytest.mark.parametrize("metric", ["psnr_float", "lpips_spsr"])
def test_torch_starts_only_where_a_metric_needs_it(folders, metric: str) -> None:
    """And what `--device` says is looked at there alone: here no GPU of that number is."""
    hr, sr = map(str, folders)
    command = ["--root", str(ROOT), "score", "--hr", hr, "--sr", sr, "--scale", "2"]
    command += ["--device", "cuda:99", "--metric", metric]
    code = f"import sys; from acutance.cli import main; code = main({command!r})"
    code += "; print('torch' in sys.modules, code)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if metric == "psnr_float":
        assert done.stdout.endswith("False 0\n")
    else:
        assert done.stdout == "True 2\n"
        assert "--device: found 'cuda:99'; usable here: auto, cpu" in done.stderr
