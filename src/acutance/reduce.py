"""Shrinking images inside a training or a network: MATLAB's `imresize` on tensors.

In float and unrounded: what a coarser level of a progressive network is compared with.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from acutance.resize import weights


def shrink(image: Tensor, height: int, width: int) -> Tensor:
    """Returns `image` at a smaller size, bicubic with antialias, unrounded and unclipped.

    Every pixel is a sum over its own taps in a fixed order, so a piece of an image comes out as the
    same bits as it does in the whole.

    Args:
        image: (N, C, H, W), any range; bfloat16 and float16 are widened to float32.
        height: Rows after, from 1 to H.
        width: Columns after, from 1 to W.

    Returns:
        (N, C, height, width), differentiable.

    Raises:
        ValueError: If a side would grow or vanish.
    """
    if not (1 <= height <= image.shape[2] and 1 <= width <= image.shape[3]):
        raise ValueError(f"shrink: {tuple(image.shape[2:])} to {(height, width)} does not shrink")
    wide = image.float() if image.dtype in (torch.bfloat16, torch.float16) else image
    return _along(_along(wide, 2, height), 3, width)


def coarser(outputs: Mapping[str, object]) -> Iterator[int]:
    """Yields the factors of the coarser levels among a network's outputs, each once.

    >>> list(coarser({"sr": 0, "sr/4": 0, "bins/2": 0, "sr/2": 0}))
    [2, 4]
    """
    yield from sorted({int(name.partition("/")[2]) for name in outputs if "/" in name})


def _along(image: Tensor, dim: int, size: int) -> Tensor:
    """Returns `image` with side `dim` made `size` long."""
    if image.shape[dim] == size:
        return image
    indices, taps = _weights(image.shape[dim], size, image.dtype, image.device)
    shape = [size if d == dim else 1 for d in range(image.dim())]
    made = image.index_select(dim, indices[0]) * taps[0].view(shape)
    for index, tap in zip(indices[1:], taps[1:], strict=True):
        made = made + image.index_select(dim, index) * tap.view(shape)
    return made


@lru_cache(maxsize=64)
def _weights(
    before: int, after: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Returns which pixels make each pixel, and with which weights: both (taps, after)."""
    indices, taps = weights(before, after, "bicubic", antialias=True, padding="symmetric")
    where = torch.from_numpy(indices.T.copy()).to(device)
    return where, torch.from_numpy(taps.T.copy()).to(device, dtype)
