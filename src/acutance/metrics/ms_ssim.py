"""ms_ssim: structural similarity over five scales of one image (Wang et al., Asilomar 2003).

Paper: doi 10.1109/ACSSC.2003.1292216, equation (7).
Code:  Wang's `msssim.m`, as kept in obartra/ssim@29da280e261f, assets/ms-ssim/msssim.m. Checked
       against that script in Octave and against IQA-PyTorch.
Here:  departs in scales where structure is negative on average: they count as 0, so that the value
       is 0 where the script's fractional power of a negative number is complex.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.errors import Unmeasurable
from acutance.metrics._protocol import compared
from acutance.similarity import REACH, similarity, structure, thinned

__all__ = ["ms_ssim"]

UNIT = "1"
BETTER = "higher"
RANGE = (0.0, 1.0)

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest scale first; their sum is 1.0001
LEAST = 176  # pixels: 11 * 2 * 2 * 2 * 2, one window at the coarsest scale


def ms_ssim(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["y", "y_edsr"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "rgb",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
) -> float:
    """Returns multi-scale SSIM; 1 for identical images.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: What is compared: "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.

    Returns:
        0 to 1.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If fewer than 176 pixels a side are left.

    Source: Wang et al. (7): contrast and structure at four scales, all of SSIM at the fifth, each
        the mean over the windows that lie inside the image; 2 x 2 means between scales. Windows
        and constants as in `ssim`.

    >>> ms_ssim(np.zeros((176, 176), np.uint8), np.zeros((176, 176), np.uint8), grey="keep")
    1.0
    """
    x, y = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    if min(x.shape) < LEAST:
        size = f"{x.shape[1]} x {x.shape[0]}"
        raise Unmeasurable(f"{size} pixels to compare; MS-SSIM needs {LEAST} x {LEAST} or more")
    value = 1.0
    for weight in WEIGHTS[:-1]:
        value *= _inside(structure(x, y)) ** weight
        x, y = thinned(x, 2), thinned(y, 2)
    return float(value * _inside(similarity(x, y)) ** WEIGHTS[-1])


def _inside(index: npt.NDArray[np.float64]) -> float:
    """Returns the mean over the windows that lie inside the image, or 0 where it is negative."""
    return max(0.0, float(index[REACH:-REACH, REACH:-REACH].mean()))
