"""smooth L1: a parabola near 0, L1 further out (Girshick, Fast R-CNN, ICCV 2015).

Paper: arXiv 1504.08083, equation (3), which a survey of super-resolution losses repeats.
Code:  torch, `nn.functional.smooth_l1_loss`, which is called here.
Here:  departs in nothing with beta 1. The threshold is one of differences: images in [0, 1] never
       differ by more than 1, so that there the loss is half of L2; the threshold of one 8-bit step
       is beta 1/255.
"""

from torch import Tensor
from torch.nn import functional

from acutance.errors import Refused
from acutance.losses._float32 import widened

__all__ = ["smooth_l1"]


def smooth_l1(sr: Tensor, hr: Tensor, *, beta: float = 1.0) -> Tensor:
    """Returns the mean over every element of d^2 / (2 beta) if |d| < beta, else |d| - beta / 2.

    Args:
        sr: (N, C, H, W), range [0, 1]; d = sr - hr.
        hr: The same shape and range.
        beta: Where the parabola meets the line, with the same slope; above 0.

    Returns:
        Scalar; 0 when equal, at most L1.

    Raises:
        Refused: If `beta` is not above 0.

    Source: equation (3), where beta is 1.
    """
    if not beta > 0:
        raise Refused(f"loss smooth_l1: beta: found {beta}; must be above 0, or use l1")
    return functional.smooth_l1_loss(widened(sr), widened(hr), beta=beta)
