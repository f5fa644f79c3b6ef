"""ssim: mean structural similarity of one image (Wang et al., TIP 2004), in any paper's protocol.

Paper: doi 10.1109/TIP.2003.819861, equation (13), section III-C.
Code:  Wang's `ssim_index.m` (border "valid") and his later `ssim.m` (with the shrink);
       lusinlu/gradient-variance-loss@69f80c44f593, utils.py, calc_ssim (border "symmetric").
       Checked against the bicubic rows that papers printed and against scikit-image.
Here:  departs in nothing but the order of sums: the window is taken as columns, then rows.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.errors import Unmeasurable
from acutance.metrics._protocol import compared
from acutance.similarity import REACH, similarity, thinned

__all__ = ["ssim"]

UNIT = "1"
BETTER = "higher"
RANGE = (-1.0, 1.0)

SHRINK_TO = 256  # pixels: the short side for which one pixel is one viewing unit, `ssim.m`


def ssim(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["y", "y_edsr"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "rgb",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
    border: Literal["valid", "symmetric"] = "valid",
    shrink: bool = False,
) -> float:
    """Returns the mean of SSIM over all windows; 1 for identical images.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: What is compared: "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.
        border: Windows that lie inside the image only ("valid"), or one around every pixel, the
            image mirrored beyond its border ("symmetric").
        shrink: Whether both images are first reduced by round(short side / 256), when that is
            above 1: box filter, then every so many pixels.

    Returns:
        -1 to 1.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If no window fits.

    Source: Wang et al. (13), Gaussian 11 x 11 window of sigma 1.5, biased moments, K1 = 0.01,
        K2 = 0.03, L = 255.

    >>> ssim(np.full((16, 16), 10, np.uint8), np.full((16, 16), 10, np.uint8), grey="keep")
    1.0
    """
    x, y = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    if shrink:
        x, y = _shrunk(x), _shrunk(y)
    if min(x.shape) <= 2 * REACH:
        raise Unmeasurable(
            f"{x.shape[1]} x {x.shape[0]} pixels to compare; SSIM needs 11 x 11 or more"
        )
    index = similarity(x, y)
    if border == "valid":
        index = index[REACH:-REACH, REACH:-REACH]
    return float(index.mean())


def _shrunk(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns `image` box-filtered and thinned as `ssim.m` does before it compares."""
    factor = max(1, (2 * min(image.shape) + SHRINK_TO) // (2 * SHRINK_TO))  # round half up
    return thinned(image, factor)
