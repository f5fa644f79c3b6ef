"""FD regression: L1 of the value before it is confined to its area (fine-grained dynamic loss).

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, L_r of equations (1) to
       (6); number: none known.
Code:  none released.
Here:  departs in the target. The paper calls it the anchor of the pixel's bin; anchors 8 apart lie
       8 / sqrt(12) from evenly spread values, a ceiling of 40.9 dB, and hold no detail. Reading:
       the HR pixel itself; the letter of the paper is `target: anchor`.
"""

from typing import Literal

from torch import Tensor

from acutance.errors import Refused
from acutance.losses._fd import RANGE, bin_of
from acutance.losses._float32 import widened

__all__ = ["fd_regression"]


def fd_regression(
    regressed: Tensor, hr: Tensor, *, target: Literal["pixel", "anchor"] = "pixel", bins: int = 32
) -> Tensor:
    """Returns mean |regressed - target| over every element, batch included.

    Args:
        regressed: (N, 1, H, W), range [0, 1]; not confined to an area, which has no gradient.
        hr: The same shape and range.
        target: The HR pixel, or the middle of the bin that it lies in.
        bins: Of the range 0-255; anchors are its middles, (i + 1/2) * 256 / bins.

    Returns:
        Scalar.

    Raises:
        Refused: If there are fewer than 1 or more than 256 bins.

    Source: L_r = mean |S - T|.
    """
    if not 1 <= bins <= RANGE:
        raise Refused(f"loss fd_regression: bins: found {bins}; must be between 1 and {RANGE}")
    wanted = widened(hr)
    if target == "anchor":
        wanted = (bin_of(hr, bins).to(wanted.dtype) + 0.5) * (RANGE / bins / 255)
    return (widened(regressed) - wanted).abs().mean()
