"""What a metric costs: ratios, each of two things measured side by side.

    python benchmarks/metrics.py [--device cuda] [--rounds 5]

Images are photographs that ship inside scikit-image, beside a noisy copy. Weights, forests and
statistics of nature are made up: they cost what true ones cost, and no value is printed. The first
table is one core: each metric against decoding the PNG that it measures, and against what else
computes it here: scikit-image, the package `lpips` called as it is. The second is NIQE and Ma's
features of the same image by NumPy and by PyTorch on `--device`. The third is `score` of a folder:
one image at a time against as many as there are cores.
"""

import argparse
import io
import os
import re
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from resize import picture, side_by_side
from skimage.metrics import structural_similarity

from acutance import ma, niqe
from acutance.arrays import there
from acutance.forest import Forest
from acutance.image import Bytes, luma, quantise, write_png
from acutance.metrics.lpips import lpips
from acutance.metrics.ssim import ssim
from acutance.score import score_folders
from acutance.vision import with_torchvision

SIZES = ((512, 512), (768, 1024))
NATURAL = niqe.Natural(mean=np.zeros(niqe.FEATURES), covariance=np.eye(niqe.FEATURES))
PICTURES = 8
Tasks = dict[str, Callable[[], Any]]


def made_up() -> ma.Raters:
    """Returns forests as large as those of regRF_train: 500 trees of some hundred nodes."""
    nodes, trees = 511, 500
    number = np.tile(np.arange(1, nodes + 1)[:, None], (1, trees))
    inner = 2 * number + 1 <= nodes
    draw = np.random.default_rng(0)
    forests = [
        Forest(
            left=2 * number * inner,
            right=(2 * number + 1) * inner,
            feature=draw.integers(1, count + 1, number.shape) * inner,
            threshold=draw.random(number.shape),
            value=draw.random(number.shape),
        )
        for count in ma.GROUPS
    ]
    return ma.Raters(forests=tuple(forests), weights=np.ones(4))


def networks(folder: Path) -> tuple[Any, Path, Path]:
    """Returns the package's LPIPS with random weights, and those weights as two files."""
    package: Any = with_torchvision("lpips")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = package.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False).eval()
    trunk, heads = {}, {}
    for key, value in network.state_dict().items():
        if key.startswith("net."):
            trunk[re.sub(r"^net\.slice\d+", "features", key)] = value
        elif key.startswith("lin") and not key.startswith("lins."):
            heads[key] = value
    torch.save(trunk, folder / "trunk.pth")
    torch.save(heads, folder / "heads.pth")
    return network, folder / "trunk.pth", folder / "heads.pth"


def rows(title: str, unit: str, tasks: Tasks, rounds: int) -> None:
    """Prints the milliseconds of each task, and how often `unit` fits into it."""
    found = side_by_side(tasks, rounds)
    print(title)
    for name, seconds in found.items():
        print(f"  {name:34} {seconds * 1e3:8.1f} ms   {seconds / found[unit]:6.2f} x {unit}")


def one_core(hr: Bytes, files: tuple[Any, Path, Path], rounds: int) -> None:
    """Prints what each metric of one image costs."""
    sr = quantise(hr + np.random.default_rng(0).normal(0, 8, hr.shape))
    buffer = io.BytesIO()
    Image.fromarray(sr).save(buffer, "png")
    network, trunk, heads = files
    planes = [luma(image) for image in (sr, hr)]
    plane, raters = quantise(planes[0]), made_up()

    def scikit() -> float:
        return structural_similarity(
            *planes, data_range=255, gaussian_weights=True, use_sample_covariance=False
        )

    def package() -> float:
        pair = [torch.from_numpy(x / 127.5 - 1).float().permute(2, 0, 1)[None] for x in (sr, hr)]
        with torch.inference_mode():
            return float(network(*pair))

    tasks: Tasks = {
        "decoding the PNG": lambda: np.asarray(Image.open(io.BytesIO(buffer.getvalue()))),
        "ssim": partial(ssim, sr, hr, quantise="none"),
        "  scikit-image's of the same luma": scikit,
        "lpips": partial(lpips, sr, hr, trunk, heads),
        "  the package's": package,
        "niqe": partial(niqe.niqe, plane, NATURAL),
        "ma": partial(ma.ma, plane, raters),
    }
    rows(f"One core, {hr.shape[1]} x {hr.shape[0]}", "decoding the PNG", tasks, rounds)


def both(hr: Bytes, device: str, rounds: int) -> None:
    """Prints NIQE's and Ma's features by NumPy on one core and by PyTorch on a device."""
    plane = quantise(luma(hr))
    for name, function in (("niqe", niqe.features), ("ma", ma.features)):

        def moved(function: Callable[..., Any] = function) -> None:
            function(there(plane, device))  # what comes home waits for the device

        tasks: Tasks = {"NumPy": partial(function, plane), f"PyTorch on {device}": moved}
        rows(f"Features of {name}, {hr.shape[1]} x {hr.shape[0]}", "NumPy", tasks, rounds)


def folder(hr: Bytes, root: Path, rounds: int) -> None:
    """Prints `score` of a folder, one image at a time and on all cores."""
    for number in range(PICTURES):
        for name in ("hr", "sr"):
            write_png(root / name / f"{number}.png", np.roll(hr, 37 * number, axis=1))
    raters, cores = made_up(), len(os.sched_getaffinity(0))
    metrics = [("ma", lambda sr, _: ma.ma(quantise(luma(sr)), raters))]
    score = partial(score_folders, root / "hr", root / "sr", metrics, 4)
    tasks: Tasks = {
        f"{cores} images at a time": partial(score, workers=cores),
        "one image at a time": partial(score, workers=1),
    }
    title = f"`score` of {PICTURES} images of {hr.shape[1]} x {hr.shape[0]}: ma"
    rows(title, f"{cores} images at a time", tasks, rounds)


def main() -> None:
    """Reads the options and prints all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu:0", help="PyTorch's, for the second table")
    parser.add_argument("--rounds", type=int, default=5, help="of which the fastest counts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cores = os.sched_getaffinity(0)
    pictures = [np.ascontiguousarray(picture()[:height, :width]) for height, width in SIZES]
    with tempfile.TemporaryDirectory() as name:
        files = networks(Path(name))
        os.sched_setaffinity(0, {min(cores)})
        for hr in pictures:
            one_core(hr, files, options.rounds)
        for hr in pictures:
            both(hr, options.device, options.rounds)
        os.sched_setaffinity(0, cores)
        folder(pictures[0], Path(name), options.rounds)


if __name__ == "__main__":
    main()
