"""psnr: peak signal-to-noise ratio of one image, in any paper's protocol.

Paper: Wang et al., doi 10.1109/TIP.2003.819861, equation (1) and before.
Code:  MATLAB scripts of yulunzhang/RCAN and Maclory/SPSR; sanghyun-son/EDSR-PyTorch, utility.py;
       lusinlu/gradient-variance-loss@69f80c44f593, benchmark.py. Checked against the bicubic rows
       that papers printed.
Here:  departs in nothing; where an SR image has colours and its HR image has none, "keep" compares
       the grey of both, a case the MATLAB scripts do not foresee.
"""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.metrics._protocol import compared

__all__ = ["psnr"]

UNIT = "dB"
BETTER = "higher"
RANGE = (0.0, None)  # identical images: infinity


def psnr(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["rgb", "y", "y_edsr"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "rgb",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
) -> float:
    """Returns 10 log10(255^2 / mean squared error) in dB; infinity for identical images.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: What is compared: "rgb", "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.

    Returns:
        dB, from 0 for 8-bit images, to infinity.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If the shave leaves nothing.

    Source: one mean over all pixels and channels, as in every script named above.

    >>> round(psnr(np.full((4, 4), 10, np.uint8), np.full((4, 4), 13, np.uint8)), 3)
    39.91
    """
    a, b = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    error = float(np.square(a - b).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf
