"""Enlarging an image inside a network, with the weights of `acutance.resize`.

For a whole scale the weights repeat with every input pixel: output pixel `scale * i + k` is the
same mix of the neighbours of input pixel i for every i. So one side is enlarged by a few shifted
multiply-adds, which run in float32 under autocast and TF32, and which torch.compile fuses.
"""

import torch
from torch import Tensor

from acutance.resize import Kernel, weights

Phases = tuple[tuple[tuple[int, float], ...], ...]


def phases(scale: int, kernel: Kernel) -> Phases:
    """Returns what each of the `scale` output pixels of one input pixel is made of.

    Args:
        scale: Enlargement, at least 1.
        kernel: "bicubic" (Keys, a = -1/2) or "bilinear".

    Returns:
        For each output pixel, pairs of (offset from the input pixel, weight).
    """
    middle = 4  # further from the border than any kernel reaches
    size = 2 * middle + 1
    indices, taps = weights(size, size * scale, kernel, antialias=False, padding="symmetric")
    return tuple(
        tuple(
            (int(i) - middle, float(w)) for i, w in zip(indices[row], taps[row], strict=True) if w
        )
        for row in range(middle * scale, (middle + 1) * scale)
    )


def reach(by: Phases) -> int:
    """Returns how many pixels away, along a side, an enlarged pixel looks in the small image."""
    return max(abs(offset) for phase in by for offset, _ in phase)


def enlarge(image: Tensor, by: Phases) -> Tensor:
    """Returns `image` enlarged as MATLAB's `imresize` does it, unrounded and unclipped.

    Args:
        image: (N, C, H, W), any range; bfloat16 and float16 are widened to float32.
        by: What `phases` returned.

    Returns:
        (N, C, len(by) * H, len(by) * W); borders are mirrored, the edge pixel repeated.
    """
    wide = image.float() if image.dtype in (torch.bfloat16, torch.float16) else image
    return _along(_along(wide, 2, by), 3, by)


def enlarge_8bit(image: Tensor, by: Phases) -> Tensor:
    """Returns `image` enlarged as PIL does to 8 bit: rounded after each side, columns first.

    With bilinear phases this equals PIL's `Image.resize(..., BILINEAR)` to the bit for 8-bit images
    at scales 2, 3 and 4, where every sum is an exact multiple of 1/8 or at least 1/6 away from
    a half; PIL's own weights are fixed-point numbers with 22 bits.

    Args:
        image: (N, C, H, W), range [0, 1], multiples of 1/255 (others are rounded to them first).
        by: What `phases` returned.

    Returns:
        (N, C, len(by) * H, len(by) * W), multiples of 1/255, without gradient to `image`.
    """
    pixels = torch.round(image.detach().to(torch.promote_types(image.dtype, torch.float32)) * 255)
    columns = torch.floor(_along(pixels, 3, by) + 0.5)
    return torch.floor(_along(columns, 2, by) + 0.5) / 255


def _along(image: Tensor, dim: int, by: Phases) -> Tensor:
    """Returns `image` (N, C, H, W) with side `dim` enlarged."""
    size, far = image.shape[dim], reach(by)
    before = [image.narrow(dim, _mirrored(i, size), 1) for i in range(-far, 0)]
    after = [image.narrow(dim, _mirrored(i, size), 1) for i in range(size, size + far)]
    padded = torch.cat([*before, image, *after], dim)
    made = []
    for phase in by:
        first, weight = phase[0]
        mix = padded.narrow(dim, far + first, size) * weight
        for offset, more in phase[1:]:
            mix = torch.add(mix, padded.narrow(dim, far + offset, size), alpha=more)
        made.append(mix)
    return torch.stack(made, dim + 1).flatten(dim, dim + 1)


def _mirrored(index: int, size: int) -> int:
    """Returns `index` folded into [0, size), the edge pixel repeated."""
    folded = index % (2 * size)
    return min(folded, 2 * size - 1 - folded)
