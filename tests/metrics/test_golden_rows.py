"""Golden numbers: published bicubic rows, and what GV's released script says."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from declared import declared
from PIL import Image
from skimage import data

from acutance.calibrate import render
from acutance.calibrations import Chain
from acutance.image import list_images, read_image
from acutance.metrics.psnr import psnr
from acutance.metrics.ssim import ssim

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FOLDERS = {"set5": "Set5", "set14": "Set14", "bsd100": "BSD100"}
CHAINS = {
    "classic": Chain(channel="y", lr="double", clip="studio", grey="keep"),
    "float": Chain(channel="rgb", lr="uint8", clip="none", grey="rgb"),
    "rounded": Chain(channel="rgb", lr="uint8", clip="none", grey="rgb"),
    "spsr": Chain(channel="rgb", lr="double", clip="none", grey="rgb"),
    "spsr-8bit-lr": Chain(channel="rgb", lr="uint8", clip="none", grey="rgb"),
}


def rows(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def metric(protocol: str, name: str, scale: int):
    if protocol == "rounded":  # no paper's protocol: RCAN's, but with luma rounded
        return partial({"psnr": psnr, "ssim": ssim}[name], quantise="both", shave=scale)
    return declared(f"{name}_{protocol.removesuffix('-8bit-lr')}", scale)


GROUPS = sorted({(r["protocol"], r["dataset"], int(r["scale"])) for r in rows("bicubic.csv")})


@pytest.mark.parametrize(("protocol", "dataset", "scale"), GROUPS)
def test_bicubic_rows_to_the_last_digit(photographs, protocol, dataset, scale) -> None:
    wanted = {
        r["metric"]: r["value"]
        for r in rows("bicubic.csv")
        if (r["protocol"], r["dataset"], int(r["scale"])) == (protocol, dataset, scale)
    }
    values: dict[str, list[float]] = {name: [] for name in wanted}
    for path in list_images(photographs / FOLDERS[dataset]).values():
        sr, hr = render(read_image(path), scale, CHAINS[protocol])
        for name, found in values.items():
            found.append(metric(protocol, name, scale)(sr, hr))
    for name, value in wanted.items():
        digits = len(value.partition(".")[2])
        assert round(float(np.mean(values[name])), digits) == float(value), name


@pytest.mark.parametrize("row", rows("gv.csv"), ids=lambda r: f"{r['picture']}-{r['metric']}")
def test_gv_is_what_its_script_says(row) -> None:
    scale = int(row["scale"])
    hr = getattr(data, row["picture"])()[: int(row["height"]), : int(row["width"])]
    picture = Image.fromarray(hr).convert("RGB")
    small = (picture.width // scale, picture.height // scale)
    large = (small[0] * scale, small[1] * scale)
    bilinear = picture.resize(small, Image.Resampling.BILINEAR)
    bilinear = bilinear.resize(large, Image.Resampling.BILINEAR)
    sr = np.asarray(bilinear) * 1.1 - 12.3  # as a network gives it: fractions, below 0, above 255
    value = declared(row["metric"], scale)(sr, hr[: large[1], : large[0]])
    assert value == pytest.approx(float(row["value"]), rel=1e-12)
