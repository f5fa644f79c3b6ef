"""Where images of one scene differ most: in whole numbers, so every machine finds one place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from acutance.image import Array, as_rgb, luma, quantise

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of an image, in pixels from its upper left corner, and how much differs in it.

    Attributes:
        x: Of its left side.
        y: Of its upper side.
        width: Across.
        height: Downwards.
        spread: Mean over its pixels of what `spread` returns, rounded down.
    """

    x: int
    y: int
    width: int
    height: int
    spread: int

    def of(self, image: Array) -> Array:
        """Returns what it holds of an image, (H, W) or (H, W, C): a view."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


def spread(images: Sequence[Array]) -> Whole:
    """Returns how far some images of one size are apart at each pixel.

    Args:
        images: (H, W, 3), or grey (H, W), which is three equal channels; 0-255 scale.

    Returns:
        int64 (H, W): n^2 times the variance of the n lumas, each rounded to 8 bits.

    >>> spread([np.full((1, 1), 0), np.full((1, 1), 255)]).tolist()  # luma 16 and 235
    [[47961]]
    """
    lumas = [quantise(luma(as_rgb(image))).astype(np.int64) for image in images]
    total = sum(lumas, np.zeros_like(lumas[0]))
    squares = sum((each**2 for each in lumas), np.zeros_like(lumas[0]))
    found: Whole = len(lumas) * squares - total**2
    return found


def widest(field: Whole, side: int, step: int) -> Box:
    """Returns the square over which a field sums to most; of equal ones the first, row by row.

    It lies on a grid of `step` pixels and, where the image is large enough, keeps as far from its
    borders, where networks see no neighbours.

    Args:
        field: int64 (H, W), as `spread` returns it.
        side: Of the square; where a side of the image is smaller, as much of it as the grid allows.
        step: Of the grid, at least 1: the scale, so that the square holds whole LR pixels.

    >>> widest(np.eye(8, dtype=np.int64)[::-1] * np.arange(8), 2, 1)
    Box(x=5, y=1, width=2, height=2, spread=2)
    """
    height, width = (min(side, each) // step * step for each in field.shape)
    sums = np.zeros((field.shape[0] + 1, field.shape[1] + 1), np.int64)
    sums[1:, 1:] = field.cumsum(axis=0).cumsum(axis=1)
    inside = sums[height:, width:] - sums[:-height, width:]
    inside += sums[:-height, :-width] - sums[height:, :-width]
    top, left = (step if each > 2 * step else 0 for each in inside.shape)
    kept = inside[top : inside.shape[0] - top : step, left : inside.shape[1] - left : step]
    row, column = np.unravel_index(np.argmax(kept), kept.shape)
    return Box(
        x=left + int(column) * step,
        y=top + int(row) * step,
        width=width,
        height=height,
        spread=int(kept[row, column]) // (width * height),
    )


def whole(field: Whole) -> Box:
    """Returns all of an image as a box."""
    height, width = field.shape
    return Box(x=0, y=0, width=width, height=height, spread=int(field.sum()) // field.size)
