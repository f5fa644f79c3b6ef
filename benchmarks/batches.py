"""Batches per second: packed pairs against a DataLoader that decodes PNG files.

    python benchmarks/batches.py [--patch 48] [--batch 16] [--scale 2] [--workers 2] [--seconds 10]

Both give the same kind of batch: random crops of the same photographs (those inside scikit-image,
colour), flipped and transposed, LR and HR, float32 (N, 3, P, P) in [0, 1]. The DataLoader is the
usual one: a Dataset that decodes the LR and the HR file, crops both, and leaves collating and
worker processes to torch. They take turns, a few seconds each, so that what else the machine does
falls on both; neither runs in the other's turn. One thread outside the workers. Goal: 50 times.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from acutance.degradations.imresize import imresize
from acutance.image import modcrop, write_png
from acutance.pack import pack
from acutance.packed import open_packed
from acutance.pairs import FLIPS, Pairs

PHOTOGRAPHS = (
    *("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field"),
    *("immunohistochemistry", "retina", "stereo_motorcycle"),
)
GOAL = 50
TURNS = 5


class Files(Dataset[tuple[Tensor, Tensor]]):
    """Random crops out of PNG files, decoded anew each time."""

    def __init__(self, folder: Path, patch: int, scale: int) -> None:
        self.hr = sorted((folder / "hr").glob("*.png"))
        self.lr = sorted((folder / "lr").glob("*.png"))
        self.patch, self.scale = patch, scale

    def __len__(self) -> int:
        """As many as a long epoch has, so that the workers start once."""
        return 1_000_000

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Returns one pair of crops, float32 (3, P, P) in [0, 1]."""
        rng = np.random.default_rng(index)
        number = int(rng.integers(len(self.lr)))
        lr, hr = (np.asarray(Image.open(files[number])) for files in (self.lr, self.hr))
        y, x = (int(rng.integers(side - self.patch + 1)) for side in lr.shape[:2])
        flips = rng.integers(0, 2, 3)

        def crop(image: np.ndarray, scale: int) -> Tensor:
            end = self.patch * scale
            cut = image[y * scale : y * scale + end, x * scale : x * scale + end]
            cut = cut.swapaxes(0, 1) if flips[0] else cut
            cut = cut[:: -1 if flips[1] else 1, :: -1 if flips[2] else 1]
            planes = torch.from_numpy(np.ascontiguousarray(cut.transpose(2, 0, 1)))
            return planes.float().div_(255)

        return crop(lr, 1), crop(hr, self.scale)


def photographs(folder: Path, scale: int) -> None:
    """Writes the photographs, and their LR, as PNG files."""
    for name in PHOTOGRAPHS:
        found = getattr(data, name)()
        image = found[0] if isinstance(found, tuple) else found
        hr = np.ascontiguousarray(modcrop(image, scale))
        write_png(folder / "hr" / f"{name}.png", hr)
        write_png(folder / "lr" / f"{name}.png", imresize(hr, scale))


def rate(draw: Callable[[], object], seconds: float) -> float:
    """Returns how many batches are drawn in a second."""
    begun, drawn = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        draw()
        drawn += 1
    return drawn / (time.perf_counter() - begun)


def main() -> None:
    """Prints both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("patch", 48), ("batch", 16), ("scale", 2), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each, over all turns")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs(folder, chosen.scale)
        pack([folder / "hr"], folder / "packed", degradation=imresize, scale=chosen.scale)
        steps = iter(range(2**31))
        packed = open_packed(folder / "packed")
        pairs = Pairs(packed, patch=chosen.patch, batch=chosen.batch, seed=0, augment=FLIPS)
        files = Files(folder, chosen.patch, chosen.scale)
        turn = chosen.seconds / TURNS
        ours, theirs = [], []
        for _ in range(TURNS):
            loader: Iterator[object] = iter(
                DataLoader(files, batch_size=chosen.batch, num_workers=chosen.workers)
            )
            for _ in range(2 * chosen.workers + 1):
                next(loader)  # the workers are up, and what they prepared unasked is used up
            theirs.append(rate(partial(next, loader), turn))
            del loader  # the workers end, and slow nobody
            pairs.batch(next(steps))
            ours.append(rate(lambda: pairs.batch(next(steps)), turn))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        hr = chosen.patch * chosen.scale
        print(f"batches of {chosen.batch} crops, LR {chosen.patch}, HR {hr}, flipped, float32")
        print(f"DataLoader, {chosen.workers} workers, PNG: {statistics.median(theirs):10.1f} /s")
        print(f"packed pairs, no workers:  {statistics.median(ours):10.1f} /s")
        print(f"ratio {ratio:.0f} (goal {GOAL})")


if __name__ == "__main__":
    main()
