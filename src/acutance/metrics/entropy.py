"""entropy: how many bits a pixel of HR carries by its histogram (Shannon, BSTJ 1948).

Paper: doi 10.1002/j.1538-7305.1948.tb01338.x, section 6; of an image in Fine-Grained Dynamic Loss
       for Accurate Single-Image Super-Resolution, figure 1.
Code:  own; agrees with scikit-image's `shannon_entropy` by a test.
Here:  departs in nothing. The figure does not say which channel it takes. Reading: 8-bit luma of
       HR, on which the paper takes PSNR, the whole image.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.metrics._protocol import compared

__all__ = ["entropy"]

UNIT = "bit"
BETTER = "neither"  # says how hard an image is, not how well it was restored
RANGE = (0.0, 8.0)


def entropy(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["y", "y_edsr"] = "y",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
) -> float:
    """Returns -sum p log2 p over the values of HR's luma in whole steps, p their shares.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W); only its size is looked at.
        hr: uint8, (H, W, 3) or (H, W).
        channel: Of what the histogram is: "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.

    Returns:
        Bits, from 0 for one value, to 8 for 256 of them, equally many.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If the shave leaves nothing.

    Source: Shannon, section 6, H = -sum p_i log p_i.

    >>> image = np.array([[0, 0, 80, 160]], np.uint8)
    >>> entropy(image, image, grey="keep")  # -(1/2 log2 1/2 + 2 * 1/4 log2 1/4)
    1.5
    """
    _, luma = compared(sr, hr, channel=channel, rounding="luma", grey=grey, border=shave)
    counts = np.bincount(luma.astype(np.uint8).ravel(), minlength=256)
    shares = counts[counts > 0] / luma.size
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # no -0.0
