"""pi: the perceptual index of an SR image, of Ma's score and NIQE (Blau et al., ECCVW 2018).

Paper: arXiv 1809.07517, equation (1).
Code:  roimehrez/PIRM2018@d585552a22b4, evaluate_results.m; licences of its parts. Checked as
       acutance/ma.py and acutance/niqe.py are, which compute it.
Here:  departs in nothing. The script combines the means over a set; the index is linear, so the
       mean of the images' indices is that number.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from acutance.arrays import there
from acutance.ma import ma, perceptual_index
from acutance.metrics import _learnt
from acutance.metrics._protocol import compared
from acutance.niqe import niqe

__all__ = ["pi"]

UNIT = "1"
BETTER = "lower"
RANGE = (None, None)


def pi(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    natural: Path,
    raters: Path,
    *,
    channel: Literal["y"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "both",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
    device: str = "cpu",
) -> float:
    """Returns the perceptual index of the SR image; of the HR image its size alone is looked at.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        natural: NIQE's file of what is natural.
        raters: The file of what was learnt from people: the model.mat of Ma's authors.
        channel: What is measured: "y" (BT.601 luma, 16-235).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.
        device: Where it is computed: by NumPy on "cpu", by PyTorch elsewhere.

    Returns:
        ((10 - Ma) + NIQE) / 2; lower is better.

    Raises:
        Refused: If sizes do not match, or a file is no such model.
        Unmeasurable: Where NIQE or Ma's score is: no block of 96 x 96 pixels is left, or the SR
            image is without texture.

    Source: evaluate_results.m.
    """
    plane, _ = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    plane = there(plane, device)
    score = niqe(plane, _learnt.natural(natural))
    return perceptual_index(ma(plane, _learnt.raters(raters)), score)
