"""L1: mean absolute error (as EDSR trains: Lim et al., CVPR Workshops 2017).

Paper: arXiv 1707.02921, section 4.2.
Code:  sanghyun-son/EDSR-PyTorch@3dd71ae, `nn.L1Loss()`; MIT. Agrees with torch's by a test.
Here:  departs in the range: [0, 1], where EDSR has 0-255; Adam feels the factor 255 only through
       its epsilon.
"""

from torch import Tensor

from acutance.losses._float32 import widened

__all__ = ["l1"]


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Returns mean |sr - hr| over every element, batch included; 0 when equal.

    Args:
        sr: (N, C, H, W), range [0, 1].
        hr: The same shape and range.

    Returns:
        Scalar.
    """
    return (widened(sr) - widened(hr)).abs().mean()
