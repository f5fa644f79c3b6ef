"""ma: how people would rate an SR image, learnt from the ratings of 50 (Ma et al., CVIU 2017).

Paper: doi 10.1016/j.cviu.2016.12.009, section 4.
Code:  chaoma99/sr-metric@51218dbd5a1a, quality_predict.m; MIT licence. Checked as acutance/ma.py
       is, which computes it.
Here:  departs in nothing; which plane is measured is the caller's protocol.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.arrays import there
from acutance.ma import ma as measured
from acutance.metrics._learnt import raters as read
from acutance.metrics._protocol import compared

__all__ = ["ma"]

UNIT = "1"
BETTER = "higher"
RANGE = (None, None)  # about 0 to 10


def ma(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    raters: Path,
    *,
    channel: Literal["y"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "both",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
    device: str = "cpu",
) -> float:
    """Returns Ma's score of the SR image; the HR image is not looked at but for its size.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        raters: The authors' file of what was learnt from people: model.mat.
        channel: What is measured: "y" (BT.601 luma, 16-235).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.
        device: Where it is computed: by NumPy on "cpu", by PyTorch elsewhere.

    Returns:
        About 0 to 10; higher is better.

    Raises:
        Refused: If sizes do not match, or the file is no such model.
        Unmeasurable: If the SR image is flat, or fewer than 84 x 84 (or 45 x 164) pixels are left.

    Source: quality_predict.m.
    """
    plane, _ = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    return measured(there(plane, device), read(raters))
