"""FD balance: keeps all areas in use (ClassSR: Kong et al., CVPR 2021).

Paper: arXiv 2103.04039, Average-Loss.
Code:  XPixelGroup/ClassSR@6c253b0, codes/models/loss.py, `average_loss_3class`; no licence given.
       Checked against it.
Here:  departs in nothing; the fine-grained dynamic loss names no such term, though `fd_areas` alone
       lets all sub-images fall to one area.
"""

from torch import Tensor

from acutance.losses._float32 import widened

__all__ = ["fd_balance"]


def fd_balance(areas: Tensor) -> Tensor:
    """Returns sum_c |sum_n P_c(n) - N/3| / (4N/3) over the N sub-images of the batch.

    Args:
        areas: (B, 3, rows, columns), a probability of each area for every sub-image; N = B * rows *
            columns.

    Returns:
        Scalar from 0, where all areas are used alike, to 1, where one takes all.

    Source: `average_loss_3class`.
    """
    used = widened(areas).mean((0, 2, 3))  # (3,): sum_n P_c(n) / N
    return (used - 1 / 3).abs().sum() / (4 / 3)
