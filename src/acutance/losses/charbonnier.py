"""Charbonnier: L1 with a rounded tip (LapSRN: Lai et al., CVPR 2017).

Paper: arXiv 1704.03915, section 3.2.
Code:  phoenix104104/LapSRN@95154bb, vllab_nn_L1_loss.m; no licence given. Its port is
       twtygqyy/pytorch-LapSRN@1b7737a, lapsrn.py, `L1_Charbonnier_loss`; MIT. Checked against both.
Here:  departs in the mean over all elements; both codes sum. For a single level the factor is a
       recipe's `loss_scale`. Over levels it is not: a sum gives a level the weight of its pixels, a
       mean gives all levels the same; `summed` is the codes' way. The authors' sum is then divided
       by the batch, as `summed` is; the port's is not.
"""

import torch
from torch import Tensor

from acutance.errors import Refused
from acutance.losses._float32 import widened

__all__ = ["charbonnier"]


def charbonnier(sr: Tensor, hr: Tensor, *, eps: float = 1e-3, summed: bool = False) -> Tensor:
    """Returns mean sqrt((sr - hr)^2 + eps^2) over every element, batch included.

    Args:
        sr: (N, C, H, W), range [0, 1].
        hr: The same shape and range.
        eps: Width of the rounded tip, above 0; the value where `sr` equals `hr`.
        summed: Whether an image counts by the sum over its elements; then the mean over the batch.

    Returns:
        Scalar, at least `eps` and at least L1; with `summed` C * H * W times as much.

    Raises:
        Refused: If `eps` is not above 0: the gradient would be 0 / 0 where `sr` equals `hr`.

    Source: section 3.2; the codes' constant 1e-6 is eps^2.
    """
    if not eps > 0:
        raise Refused(f"loss charbonnier: eps: found {eps}; must be above 0, or use l1")
    difference = widened(sr) - widened(hr)
    distance = torch.hypot(difference, difference.new_tensor(eps))  # eps^2 may be below any float
    return distance.sum() / len(sr) if summed else distance.mean()
