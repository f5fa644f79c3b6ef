"""L2: mean squared error (as GV trains VDSR: Abrahamyan et al., ICASSP 2022).

Paper: arXiv 2202.00997, section 3; VDSR's own is half of it, arXiv 1511.04587, section 3.2.
Code:  lusinlu/gradient-variance-loss@69f80c4, train.py, `nn.MSELoss()`; no licence given. Agrees
       with torch's by a test.
Here:  departs in nothing.
"""

from torch import Tensor

from acutance.losses._float32 import widened

__all__ = ["l2"]


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    """Returns mean (sr - hr)^2 over every element, batch included; 0 when equal.

    Args:
        sr: (N, C, H, W), range [0, 1].
        hr: The same shape and range.

    Returns:
        Scalar.
    """
    return (widened(sr) - widened(hr)).square().mean()
