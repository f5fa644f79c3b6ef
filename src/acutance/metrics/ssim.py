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
from scipy import ndimage

from acutance.errors import Refused
from acutance.metrics._protocol import compared

__all__ = ["ssim"]

UNIT = "1"
BETTER = "higher"
RANGE = (-1.0, 1.0)

REACH = 5  # pixels either side: an 11 x 11 window
SIGMA = 1.5  # of the Gaussian window, in pixels
C1 = 6.5025  # (0.01 * 255)^2
C2 = 58.5225  # (0.03 * 255)^2
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
        Refused: If sizes or channels do not match, or no window fits.

    Source: Wang et al. (13), Gaussian 11 x 11 window of sigma 1.5, biased moments, K1 = 0.01,
        K2 = 0.03, L = 255.

    >>> ssim(np.full((16, 16), 10, np.uint8), np.full((16, 16), 10, np.uint8), grey="keep")
    1.0
    """
    x, y = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    if shrink:
        x, y = _shrunk(x), _shrunk(y)
    if min(x.shape) <= 2 * REACH:
        raise Refused(f"{x.shape[1]} x {x.shape[0]} pixels to compare; SSIM needs 11 x 11 or more")
    similarity = _similarity(x, y)
    if border == "valid":
        similarity = similarity[REACH:-REACH, REACH:-REACH]
    return float(similarity.mean())


def _similarity(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns SSIM around every pixel, (H, W), the images mirrored beyond their border."""
    mean_x, mean_y = _window(x), _window(y)
    product = mean_x * mean_y
    means = mean_x * mean_x + mean_y * mean_y
    variances = _window(x * x + y * y) - means
    covariance = _window(x * y) - product
    return (2 * product + C1) * (2 * covariance + C2) / ((means + C1) * (variances + C2))


def _window(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the Gaussian mean around every pixel; scipy's "reflect" repeats the edge pixel."""
    bell = np.exp(-np.square(np.arange(-REACH, REACH + 1)) / (2 * SIGMA**2))
    taps = bell / bell.sum()
    rows = ndimage.correlate1d(image, taps, axis=0, mode="reflect")
    both: npt.NDArray[np.float64] = ndimage.correlate1d(rows, taps, axis=1, mode="reflect")
    return both


def _shrunk(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns `image` box-filtered and thinned as `ssim.m` does before it compares.

    An even box of f pixels reaches from f/2 - 1 before its pixel to f/2 after it, as MATLAB's
    `imfilter` places it.
    """
    factor = max(1, (2 * min(image.shape) + SHRINK_TO) // (2 * SHRINK_TO))  # round half up
    before = (factor - 1) // 2
    sides = [-(-side // factor) for side in image.shape]  # ceil: pixels 0, f, 2f, ...
    after = [
        max(0, kept * factor - before - side) for kept, side in zip(sides, image.shape, strict=True)
    ]
    padded = np.pad(image, [(before, after[0]), (before, after[1])], "symmetric")
    blocks = padded[: sides[0] * factor, : sides[1] * factor]
    boxes = blocks.reshape(sides[0], factor, sides[1], factor)
    means: npt.NDArray[np.float64] = boxes.mean(axis=(1, 3))
    return means
