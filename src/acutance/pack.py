"""The verb `pack`: HR images and their LR counterparts, decoded once, in two flat files.

Training then reads crops from memory or from a memory map (see `packed.py` for the layout), and no
image is ever decoded again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acutance.errors import Refused
from acutance.files import folder_atomically
from acutance.image import as_rgb, list_images, read_image
from acutance.packed import INDEX, SIDES, VERSION, entry
from acutance.parallel import each

Pixels = NDArray[np.uint8]
Degradation = Callable[[Pixels, int], NDArray[Any]]


@dataclass(frozen=True)
class _Plan:
    """One image before it is decoded: where it is read from, and what part of it is kept."""

    file: Path
    top: int
    left: int
    height: int
    width: int


def pack(
    hr: Sequence[Path],
    out: Path,
    *,
    degradation: Degradation,
    scale: int,
    centre: int | None = None,
    threads: int | None = None,
) -> None:
    """Writes the packed pairs of all images in some folders to `out`, whole or not at all.

    Args:
        hr: Folders of pictures, 8-bit RGB or grey; grey ones become three equal channels.
        out: The folder to write; one that is there already is replaced.
        degradation: `(hr, scale) -> lr`, uint8 (H, W, 3) or (H, W).
        scale: HR sides are cut to multiples of it (right and bottom).
        centre: Keep only the square of `centre - centre % scale` pixels in the middle of each HR
            image, cut out before it is degraded; None keeps whole images.
        threads: Images worked on at a time, which bounds the memory; None for one per core.

    Raises:
        Refused: If a folder holds no picture, or one cannot be read or is too small.

    Source: The fixed crop is that of lusinlu/gradient-variance-loss, `datasets.py`.
    """
    files = [file for folder in hr for file in list_images(folder).values()]
    plans = [_plan(file, scale, centre) for file in files]
    starts = [0, *accumulate(3 * plan.height * plan.width for plan in plans)]
    with folder_atomically(out) as fresh, ExitStack() as opened:
        lr_file, hr_file = (
            opened.enter_context((fresh / f"{side}.bin").open("wb")) for side in SIDES
        )

        def work(placed: tuple[_Plan, int]) -> dict[str, object]:
            plan, start = placed
            lr, planes = _pair(plan, degradation, scale)
            return {
                "name": _name(plan.file),
                "lr": _write(lr_file.fileno(), lr, start // scale**2),
                "hr": _write(hr_file.fileno(), planes, start),
            }

        placed = list(zip(plans, starts, strict=False))
        images = list(each(work, placed, workers=threads, title="pack"))
        index = {"version": VERSION, "scale": scale, "images": images}
        (fresh / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _name(file: Path) -> str:
    """Returns the image's name with that of its folder: two data sets may share image names."""
    return f"{file.parent.name}/{file.stem}"


def _plan(file: Path, scale: int, centre: int | None) -> _Plan:
    """Reads the header alone, so that every image's place in the files is known beforehand."""
    try:
        with Image.open(file) as header:
            width, height = header.size
    except (OSError, SyntaxError) as problem:  # Pillow's word for a broken PNG
        raise Refused(f"{file}: cannot be read as a picture ({problem}); fetch it again") from None
    side = max(scale, centre - centre % scale if centre else 0)
    if min(height, width) < side:
        raise Refused(f"{file}: {width}x{height}, smaller than the {side}x{side} that is wanted")
    if centre is None:
        return _Plan(file, 0, 0, height - height % scale, width - width % scale)
    # Half pixels round to even, as in torchvision's CenterCrop.
    return _Plan(file, round((height - side) / 2), round((width - side) / 2), side, side)


def _pair(plan: _Plan, degradation: Degradation, scale: int) -> tuple[Pixels, Pixels]:
    """Returns LR and HR of one image as planes, uint8 (3, h, w) and (3, h * scale, w * scale)."""
    rows, columns = (
        slice(plan.top, plan.top + plan.height),
        slice(plan.left, plan.left + plan.width),
    )
    hr = np.ascontiguousarray(read_image(plan.file)[rows, columns])
    lr = degradation(hr, scale)
    wanted = (plan.height // scale, plan.width // scale, *hr.shape[2:])
    if lr.dtype != np.uint8:
        raise Refused(f"degradation: gives {lr.dtype}, packed pairs hold uint8; have it rounded")
    if lr.shape != wanted:
        raise ValueError(f"{plan.file}: degraded to {lr.shape}, wants {wanted}")
    return _planes(lr), _planes(hr)


def _planes(image: Pixels) -> Pixels:
    """Returns (H, W, 3), or (H, W) three times over, as (3, H, W)."""
    return np.ascontiguousarray(as_rgb(image).transpose(2, 0, 1))


def _write(handle: int, image: Pixels, offset: int) -> dict[str, object]:
    """Writes an image to its place in a file, and returns what the index holds of it.

    Not through a memory map: there a full disk kills the process instead of raising an error.
    """
    left, at = image.data.cast("B"), offset
    while left:
        done = os.pwrite(handle, left, at)
        left, at = left[done:], at + done
    _, height, width = image.shape
    return entry(offset, height, width, hashlib.sha256(image.data).hexdigest())
