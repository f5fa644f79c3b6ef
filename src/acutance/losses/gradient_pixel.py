"""Gradient pixel loss: gradient maps of SR and HR, pixel by pixel (SPSR: Ma et al., CVPR 2020).

Paper: arXiv 2003.13081, equation (6); as L_grad of an image branch: DGGGAN, equation (7).
Code:  Maclory/SPSR@881e781, code/models/SPSR_model.py, `cri_pix_grad`; no licence given. Values
       were checked.
Here:  departs in nothing from the code, which squares; the paper writes it like its pixel loss,
       and DGGGAN says L1: `distance: l1`.
"""

from typing import Literal

from torch import Tensor

from acutance.gradient import gradient_map
from acutance.losses._float32 import widened

__all__ = ["gradient_pixel"]


def gradient_pixel(
    sr: Tensor, hr: Tensor, *, distance: Literal["l1", "l2"] = "l2", padding: int = 2
) -> Tensor:
    """Returns the mean distance of the gradient maps over every element, batch included.

    Args:
        sr: (N, C, H, W), range [0, 1].
        hr: The same shape and range.
        distance: Mean of squares, or of absolute differences.
        padding: Of both maps; 2 differences border pixels with zeros on both of their sides.

    Returns:
        Scalar.
    """
    found = gradient_map(widened(sr), padding=padding)
    difference = found - gradient_map(widened(hr), padding=padding)
    return (difference.square() if distance == "l2" else difference.abs()).mean()
