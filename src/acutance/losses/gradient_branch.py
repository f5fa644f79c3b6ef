"""Gradient branch loss: what a branch takes for SR's gradient map, against HR's (SPSR, DGGGAN).

Paper: Ma et al., arXiv 2003.13081, section 3.3; as the second L_grad of DGGGAN, equation (7).
Code:  Maclory/SPSR@881e781, code/models/SPSR_model.py, `cri_pix_branch`; no licence given. Values
       were checked.
Here:  departs in nothing.
"""

from torch import Tensor

from acutance.gradient import gradient_map
from acutance.losses._float32 import widened

__all__ = ["gradient_branch"]


def gradient_branch(gradient: Tensor, hr: Tensor) -> Tensor:
    """Returns mean |gradient - gradient_map(hr)| over every element, batch included.

    Args:
        gradient: (N, C, H, W), what the network's branch made.
        hr: The same shape, range [0, 1].

    Returns:
        Scalar.
    """
    return (widened(gradient) - gradient_map(widened(hr), padding=1)).abs().mean()
