"""Memory of predicting a 2040 x 1404 image: what is counted beforehand, and what a process takes.

    python benchmarks/tiles.py [--run NET_xS ...] [--whole] [--images 4] [--threads 1]

For every network at every scale: the bytes counted for a pass over the whole image, the tiles that
predict makes of it, and the pixels they read for each pixel of the image. `--run dbpn_x4` then
predicts with untrained weights in a process of its own and prints the most memory it held (goal:
8 GB) and its seconds; `--whole` does it in one piece too. `--run edsr_x4,blocks=1` makes it
shallow, which saves hours and, where blocks follow one another, holds as much.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from acutance import image, predict, resolve
from acutance.device import set_threads
from acutance.memory import peak

GIB = 2**30
GOAL = 8e9  # bytes


def main() -> None:
    """Prints the table, then what was asked to be run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", nargs="*", default=["bicubic_x4", "espcn_x2"], metavar="NET_xS")
    parser.add_argument("--whole", action="store_true", help="in one piece too")
    parser.add_argument("--width", type=int, default=2040)
    parser.add_argument("--height", type=int, default=1404)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=4, help="some are written meanwhile")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    size = chosen.height, chosen.width
    if chosen.one is not None:
        set_threads(chosen.threads)
        alone(chosen.one, size, chosen.images, whole=chosen.whole)
        return
    print(f"SR of {chosen.width} x {chosen.height}, budget {predict.BUDGET / GIB:.0f} GiB a pass")
    print(f"{'network':16}{'reach':>7}{'whole GiB':>11}{'tiles':>7}{'read':>7}{'tile GiB':>10}")
    for name in resolve.names("models"):
        for scale in resolve.noun("models", name).constants["SCALES"]:
            counted(name, scale, size)
    for name in chosen.run:
        for whole in (False, True)[: 1 + chosen.whole]:
            command = [sys.executable, __file__, "--one", name, *(["--whole"] if whole else [])]
            command += ["--threads", f"{chosen.threads}", "--images", f"{chosen.images}"]
            command += ["--width", f"{chosen.width}", "--height", f"{chosen.height}"]
            subprocess.run(command, check=True)


def counted(name: str, scale: int, size: tuple[int, int]) -> None:
    """Prints the line of one network."""
    with torch.device("meta"):
        model = resolve.load("models", name)(scale)
    height, width = (side // scale for side in size)
    channels = model.channels or 3
    planner = predict.Cutter(model, Console(quiet=True))
    cut = planner(np.empty((channels, height, width), np.float32), Path("it"))
    areas = [(t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in cut]
    whole = peak(model, channels, height, width)
    print(
        f"{f'{name}_x{scale}':16}{model.reach!s:>7}{whole / GIB:11.2f}{len(cut):7}"
        f"{sum(areas) / height / width:7.2f}{max(areas) / height / width * whole / GIB:10.2f}"
    )


def alone(name: str, size: tuple[int, int], images: int, *, whole: bool) -> None:
    """Predicts and prints what this process held."""
    network, *words = name.split(",")
    function, _, scale = network.rpartition("_x")
    given = {key: int(value) for key, value in (word.split("=") for word in words)}
    torch.manual_seed(0)
    model = resolve.load("models", function)(int(scale), **given)
    if whole:
        predict.BUDGET = 2**60
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        lr = Path(folder) / "lr"
        shape = (*(side // int(scale) for side in size), 3)
        for number in range(images):
            image.write_png(lr / f"{number}.png", draw.integers(0, 256, shape, np.uint8))
        begun = time.perf_counter()
        predict.predict_folder(
            model, lr, Path(folder) / "sr", scale=int(scale), channels=model.channels
        )
    seconds = (time.perf_counter() - begun) / images
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    way = "in one piece" if whole else "as predict does"
    held = f"{most / GIB:.2f} GiB ({most / GOAL:.0%} of 8 GB)"
    print(f"{name} {way}: {held}, {seconds:.1f} s an image", flush=True)


if __name__ == "__main__":
    main()
