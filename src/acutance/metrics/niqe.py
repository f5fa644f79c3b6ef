"""niqe: how far an SR image's statistics lie from natural ones (Mittal et al., SPL 2013).

Paper: doi 10.1109/LSP.2012.2227726, equation (10).
Code:  roimehrez/PIRM2018@d585552a22b4, utils/niqe_release: the authors' code with its licence.
       Checked as acutance/niqe.py is, which computes it.
Here:  departs in nothing; which plane is measured is the caller's protocol.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.arrays import there
from acutance.metrics._learnt import natural as read
from acutance.metrics._protocol import compared
from acutance.niqe import niqe as measured

__all__ = ["niqe"]

UNIT = "1"
BETTER = "lower"
RANGE = (0.0, None)


def niqe(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    natural: Path,
    *,
    channel: Literal["y"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "both",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
    device: str = "cpu",
) -> float:
    """Returns NIQE of the SR image; the HR image is not looked at but for its size.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        natural: The file of what is natural: mean and covariance of features of photographs.
        channel: What is measured: "y" (BT.601 luma, 16-235).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.
        device: Where it is computed: by NumPy on "cpu", by PyTorch elsewhere.

    Returns:
        0 upwards; lower is more natural.

    Raises:
        Refused: If sizes do not match, or the file is no such model.
        Unmeasurable: If no block of 96 x 96 pixels is left, or none has texture.

    Source: computequality.m.
    """
    plane, _ = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    return measured(there(plane, device), read(natural))
