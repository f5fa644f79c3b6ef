"""Packed training pairs: two flat files of pixels, and an index that says what is where.

`hr.bin` and `lr.bin` hold the images one after another, each as uint8 (3, H, W): whole planes, so
that a crop is copied row by row and is already in the order a network wants. `index.json` gives
name, size, place and checksum of each. The verb `pack` writes such a folder; this module reads it.
"""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acutance.errors import Refused

INDEX, VERSION = "index.json", 1
SIDES = ("lr", "hr")


@dataclass(frozen=True, kw_only=True)
class Side:
    """The LR or the HR images of a packed folder.

    Attributes:
        pixels: All of them, uint8, flat; a memory map.
        offsets: Where each image begins, int64 (N,).
        sizes: Height and width of each, int64 (N, 2).
    """

    pixels: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def image(self, number: int) -> NDArray[np.uint8]:
        """Returns one image, uint8 (3, H, W), without copying it."""
        start, (height, width) = int(self.offsets[number]), self.sizes[number].tolist()
        return self.pixels[start : start + 3 * height * width].reshape(3, height, width)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Aligned pairs: pixel (y, x) of an LR image covers the square at `scale * (y, x)` in HR."""

    folder: Path
    scale: int
    names: tuple[str, ...]
    lr: Side
    hr: Side

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.names)


def open_packed(folder: Path, *, verify: bool = False) -> Packed:
    """Opens a packed folder.

    Args:
        folder: What `pack` wrote.
        verify: Also read every image and compare its SHA-256 with the index.

    Raises:
        Refused: If a file is missing, is not of the size the index says, or fails its checksum.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        version, images = index["version"], index["images"]
        if version == VERSION:
            names = tuple(str(image["name"]) for image in images)
            scale = _whole(index["scale"], 1)
            sides = {side: [_entry(image[side]) for image in images] for side in SIDES}
    except (OSError, ValueError, LookupError, TypeError) as problem:
        reason = f"lacks {problem}" if isinstance(problem, LookupError) else problem
        what = f"{folder / INDEX}: no packed pairs ({reason})"
        raise Refused(f"{what}; remove the folder and run `acutance pack`") from None
    if version != VERSION or not images:
        raise Refused(f"{folder}: version {version} with {len(images)} images; run `acutance pack`")
    found = {side: _open_side(folder, side, entries) for side, entries in sides.items()}
    packed = Packed(folder=folder, scale=scale, names=names, **found)
    if verify:
        _verify(packed, images)
    return packed


def entry(offset: int, height: int, width: int, sha256: str) -> dict[str, object]:
    """Returns what the index holds of one image of one side."""
    return {"offset": offset, "height": height, "width": width, "sha256": sha256}


def _entry(listed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns an entry whose numbers can be those of an image."""
    low = {"offset": 0, "height": 1, "width": 1}
    return entry(
        **{k: _whole(listed[k], least) for k, least in low.items()}, sha256=listed["sha256"]
    )


def _whole(number: object, least: int) -> int:
    if type(number) is not int or not least <= number < 1 << 40:
        raise ValueError(f"found {number!r}, wants a whole number from {least}")
    return number


def _open_side(folder: Path, side: str, entries: list[Mapping[str, Any]]) -> Side:
    file = folder / f"{side}.bin"
    sizes = np.array([(e["height"], e["width"]) for e in entries], dtype=np.int64)
    offsets = np.array([e["offset"] for e in entries], dtype=np.int64)
    wanted = int((offsets + 3 * sizes.prod(axis=1)).max())
    held = file.stat().st_size if file.is_file() else 0
    if held != wanted:
        raise Refused(f"{file}: {held} bytes, wants {wanted}; remove the folder and pack again")
    # Copy on write: torch warns of arrays that cannot be written to; nothing here writes to this.
    pixels = np.asarray(np.memmap(file, dtype=np.uint8, mode="c"))
    return Side(pixels=pixels, offsets=offsets, sizes=sizes)


def _verify(packed: Packed, images: list[Mapping[str, Any]]) -> None:
    def check(number: int) -> None:
        for side in SIDES:
            pixels = getattr(packed, side).image(number)
            if hashlib.sha256(pixels.data).hexdigest() != images[number][side]["sha256"]:
                where = f"{packed.folder / side}.bin: {packed.names[number]}"
                raise Refused(f"{where} fails its checksum; remove the folder and pack again")

    with ThreadPoolExecutor() as pool:  # hashing lets go of the interpreter
        for _ in pool.map(check, range(len(packed))):
            pass
