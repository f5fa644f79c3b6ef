"""vif: visual information fidelity in the pixel domain (Sheikh and Bovik, TIP 2006).

Paper: doi 10.1109/TIP.2005.859378.
Code:  the authors' `vifp_mscale.m`, as kept in Ach-1914/LadleNet@6c36c620af3a, Evaluation.
       Checked against that script in Octave and against sewar.
Here:  departs in what the script departs in: four scales of the image itself, pixel by pixel, in
       place of a steerable pyramid and vectors. An HR image without any detail is refused.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.errors import Unmeasurable
from acutance.metrics._protocol import compared
from acutance.similarity import window

__all__ = ["vif"]

UNIT = "1"
BETTER = "higher"
RANGE = (0.0, None)  # identical images: 1; more where contrast was added

REACHES = (8, 4, 2, 1)  # pixels either side: windows of 17, 9, 5 and 3
NOISE = 2.0  # variance of what the eye itself adds, on the 0-255 scale
TINY = 1e-10  # variances below it count as none
LEAST = 41  # pixels: 41 -> 33 -> 17 -> 13 -> 7 -> 5 -> 3, one window at the coarsest scale

Plane = npt.NDArray[np.float64]


def vif(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["y", "y_edsr"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "rgb",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
) -> float:
    """Returns the share of the HR image's information that the SR image conveys; 1 if identical.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: What is compared: "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.

    Returns:
        0 upwards.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If fewer than 41 pixels a side are left, or the HR image is flat.

    Source: `vifp_mscale.m`: Gaussian windows whose sigma is a fifth of their side, inside the
        image only; before each scale but the first, its window filters and every second pixel
        stays.

    >>> steps = np.add.outer(np.arange(41), np.arange(41)).astype(np.uint8)
    >>> round(vif(steps, steps, grey="keep"), 9)
    1.0
    """
    x, y = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    if min(x.shape) < LEAST:
        size = f"{x.shape[1]} x {x.shape[0]}"
        raise Unmeasurable(f"{size} pixels to compare; VIF needs {LEAST} x {LEAST} or more")
    conveyed = present = 0.0
    for reach in REACHES:
        if reach != REACHES[0]:
            x, y = (_mean(plane, reach)[::2, ::2] for plane in (x, y))
        here = _information(x, y, reach)
        conveyed, present = conveyed + here[0], present + here[1]
    if not present:
        raise Unmeasurable("the HR image is flat; VIF is the share of its detail that SR conveys")
    return conveyed / present


def _mean(plane: Plane, reach: int) -> Plane:
    """Returns the Gaussian mean of every window that lies inside the plane."""
    return window(plane, reach, (2 * reach + 1) / 5)[reach:-reach, reach:-reach]


def _information(sr: Plane, hr: Plane, reach: int) -> tuple[float, float]:
    """Returns what SR conveys of HR, and what HR holds, at one scale, in decimal digits."""
    mean_sr, mean_hr = _mean(sr, reach), _mean(hr, reach)
    of_sr = np.maximum(_mean(sr * sr, reach) - mean_sr * mean_sr, 0)
    of_hr = np.maximum(_mean(hr * hr, reach) - mean_hr * mean_hr, 0)
    covariance = _mean(sr * hr, reach) - mean_sr * mean_hr
    gain = covariance / (of_hr + TINY)
    left = of_sr - gain * covariance  # variance of SR that is not HR's times the gain

    flat = of_hr < TINY
    gain[flat], left[flat], of_hr[flat] = 0, of_sr[flat], 0
    empty = of_sr < TINY
    gain[empty], left[empty] = 0, 0
    turned = gain < 0
    gain[turned], left[turned] = 0, of_sr[turned]
    left = np.maximum(left, TINY)
    conveyed = np.log10(1 + gain * gain * of_hr / (left + NOISE)).sum()
    return float(conveyed), float(np.log10(1 + of_hr / NOISE).sum())
