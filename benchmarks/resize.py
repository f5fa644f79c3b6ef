"""How fast HR pictures become LR pictures: ratios, each of two things measured side by side.

    python benchmarks/resize.py [--basicsr CHECKOUT]

The picture is 2040 x 1404 (DIV2K's usual size), made of photographs that ship inside scikit-image.
The first table is one core: the degradation alone against decoding the PNG alone, and against the
port of MATLAB's imresize in a checkout of BasicSR, if one is given. The second is all cores:
`degrade` of a folder against reading and writing the same files without any arithmetic.
"""

import argparse
import importlib.util
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data

from acutance.degradations.imresize import imresize
from acutance.degrade import degrade_folder
from acutance.image import Bytes, read_image

SCALES = (2, 3, 4)
ROUNDS = 9
PICTURES = 12


def picture() -> Bytes:
    """Returns uint8 (1404, 2040, 3): photographs side by side."""
    parts = [data.astronaut(), data.coffee()[:400], data.chelsea()[:300], data.rocket()[:400]]
    rows = [np.concatenate([part] * 6, axis=1)[:, :2040] for part in parts]
    return np.ascontiguousarray(np.concatenate(rows)[:1404])


def side_by_side(tasks: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Returns the least seconds of each task; the tasks take turns, so all meet the same noise."""
    least = dict.fromkeys(tasks, float("inf"))
    for turn in range(rounds + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if turn:  # the first is for warming up
                least[name] = min(least[name], time.perf_counter() - start)
    return least


def peer(checkout: Path) -> Callable[[Bytes, int], Any]:
    """Returns BasicSR's imresize as its data scripts use it: float32 in [0, 1], then rounded."""
    file = checkout / "basicsr" / "utils" / "matlab_functions.py"
    spec = importlib.util.spec_from_file_location("matlab_functions", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SystemExit(f"{file}: no such file; give --basicsr a checkout of BasicSR")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def shrink(hr: Bytes, scale: int) -> Any:
        small = module.imresize(hr.astype(np.float32) / 255, 1 / scale)
        return (small * 255).round().clip(0, 255).astype(np.uint8)

    return shrink


def one_core(hr: Bytes, other: Callable[[Bytes, int], Any] | None) -> None:
    """Prints seconds per image of the degradation, of its peer and of decoding."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    buffer = io.BytesIO()
    Image.fromarray(hr).save(buffer, "png")  # Pillow's default, as data sets are published
    print(f"One core, {hr.shape[1]} x {hr.shape[0]}, ms per image (least of {ROUNDS})")
    for scale in SCALES:
        tasks: dict[str, Callable[[], Any]] = {
            "imresize": lambda scale=scale: imresize(hr, scale),
            "PNG decoding": lambda: np.asarray(Image.open(io.BytesIO(buffer.getvalue()))),
        }
        if other is not None:
            tasks["BasicSR"] = lambda scale=scale: other(hr, scale)
        found = side_by_side(tasks)
        for name in list(found)[1:]:
            print(
                f"  x{scale}  imresize {found['imresize'] * 1e3:5.1f}   {name:12} "
                f"{found[name] * 1e3:6.1f}   ratio {found[name] / found['imresize']:4.1f}"
            )


def all_cores(hr: Bytes) -> None:
    """Prints seconds of `degrade` on a folder, with the arithmetic and without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hr").mkdir()
        for number in range(PICTURES):
            turned = np.roll(hr, 97 * number, axis=1)
            Image.fromarray(turned).save(folder / "hr" / f"{number:04}.png")
        cores = len(os.sched_getaffinity(0))
        print(f"All {cores} cores, {PICTURES} PNG files to PNG files, ms per image")
        sample = read_image(folder / "hr" / "0000.png")
        for scale in SCALES:
            ready = imresize(sample, scale)  # encoding costs what LR pixels cost, so keep real ones
            tasks: dict[str, Callable[[], Any]] = {
                "degrade": lambda scale=scale: degrade_folder(
                    folder / "hr", folder / f"lr_x{scale}", imresize, scale
                ),
                "copy": lambda scale=scale, ready=ready: degrade_folder(
                    folder / "hr", folder / f"copy_x{scale}", lambda *_: ready, scale
                ),
            }
            found = {k: v / PICTURES for k, v in side_by_side(tasks, 5).items()}
            print(
                f"  x{scale}  degrade {found['degrade'] * 1e3:5.1f}   decode and encode alone "
                f"{found['copy'] * 1e3:5.1f}   ratio {found['degrade'] / found['copy']:4.2f}"
            )


def main() -> None:
    """Reads the options and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--basicsr", type=Path, help="checkout of BasicSR to measure against")
    options = parser.parse_args()
    hr = picture()
    cores = os.sched_getaffinity(0)
    one_core(hr, peer(options.basicsr) if options.basicsr else None)
    os.sched_setaffinity(0, cores)
    print()
    all_cores(hr)


if __name__ == "__main__":
    main()
