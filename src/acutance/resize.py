"""Separable resizing as MATLAB's `imresize` defines it: weights per side, and a resize in double.

A side of `in_size` pixels becomes one of `out_size` pixels; pixel k has its centre at k + 0.5.
Output pixel k looks at (k + 0.5) * in_size / out_size on the input side, through a cubic
(a = -1/2) or a triangle; when shrinking with `antialias` the kernel is stretched by
in_size / out_size.
"""

from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

Kernel = Literal["bicubic", "bilinear"]
Padding = Literal["symmetric", "replicate"]
Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

REACH = {"bicubic": 2.0, "bilinear": 1.0}  # where the kernel ends, in pixels


def weights(
    in_size: int, out_size: int, kernel: Kernel, antialias: bool, padding: Padding
) -> tuple[Index, Float]:
    """Returns which input pixels make each output pixel, and with which weights.

    Args:
        in_size: Pixels of the side before, at least 1.
        out_size: Pixels of the side after, at least 1.
        kernel: "bicubic" (Keys, a = -1/2) or "bilinear".
        antialias: Whether shrinking stretches the kernel; enlarging never does.
        padding: What lies beyond the border: the mirrored side ("symmetric", edge pixel repeated,
            MATLAB since 2016) or the edge pixel for ever ("replicate", older MATLAB).

    Returns:
        Indices, int64 (out_size, taps), each in [0, in_size), an index may occur twice in a row;
        weights, float64 (out_size, taps), each row sums to 1.

    Raises:
        ValueError: If a size is below 1.

    Source: MATLAB Image Processing Toolbox, `imresize.m`, function `contributions`.

    >>> indices, taps = weights(4, 2, "bilinear", True, "symmetric")
    >>> indices[0].tolist(), taps[0].tolist()
    ([0, 0, 1, 2], [0.125, 0.375, 0.375, 0.125])
    """
    if min(in_size, out_size) < 1:
        raise ValueError(f"weights: a side of {in_size} pixels cannot become one of {out_size}")
    stretch = max(in_size / out_size, 1.0) if antialias else 1.0
    reach = REACH[kernel] * stretch
    centre = (np.arange(out_size) + 0.5) * in_size / out_size - 0.5
    first = np.floor(centre - reach).astype(np.int64)
    indices = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    taps = _kernel((centre[:, None] - indices) / stretch, kernel)
    taps /= taps.sum(axis=1, keepdims=True)
    used = taps.any(axis=0)
    return _inside(indices[:, used], in_size, padding), taps[:, used]


def resize(
    image: Array,
    height: int,
    width: int,
    *,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
    padding: Padding = "symmetric",
) -> Float:
    """Returns `image` at another size, in double, unrounded and unclipped.

    Args:
        image: (H, W) or (H, W, C), any real dtype and range.
        height: Rows after, at least 1.
        width: Columns after, at least 1.
        kernel: See `weights`.
        antialias: See `weights`.
        padding: See `weights`.

    Returns:
        float64 (height, width) or (height, width, C), on the scale of `image`.

    Source: MATLAB `imresize` of a double array; rows first.
    """
    rows = _matrix(image.shape[0], height, kernel, antialias, padding)
    columns = _matrix(image.shape[1], width, kernel, antialias, padding)
    flat = np.asarray(image, np.float64).reshape(image.shape[0], -1)
    tall = (rows @ flat).reshape(height, image.shape[1], -1)
    turned = np.ascontiguousarray(tall.transpose(1, 0, 2)).reshape(image.shape[1], -1)
    wide = (columns @ turned).reshape(width, height, -1).transpose(1, 0, 2)
    return np.ascontiguousarray(wide).reshape(height, width, *image.shape[2:])


@lru_cache(maxsize=64)
def _matrix(
    in_size: int, out_size: int, kernel: Kernel, antialias: bool, padding: Padding
) -> sparse.csr_matrix:
    """Returns `weights` as a sparse (out_size, in_size) matrix; repeated indices add up."""
    indices, taps = weights(in_size, out_size, kernel, antialias, padding)
    ends = np.arange(out_size + 1) * indices.shape[1]
    matrix = sparse.csr_matrix((taps.ravel(), indices.ravel(), ends), (out_size, in_size))
    matrix.sum_duplicates()
    return matrix


def _kernel(x: Float, kernel: Kernel) -> Float:
    """Returns the kernel's value at distance `x`, before normalising."""
    x = np.abs(x)
    if kernel == "bilinear":
        return np.maximum(1 - x, 0)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


def _inside(indices: Index, size: int, padding: Padding) -> Index:
    """Returns indices beyond the border folded or clamped into [0, size)."""
    if padding == "replicate":
        return np.clip(indices, 0, size - 1)
    folded = np.mod(indices, 2 * size)
    inside: Index = np.minimum(folded, 2 * size - 1 - folded)
    return inside
