"""FD areas: makes the Class-Module decide for one area (fine-grained dynamic loss).

Paper: Fine-Grained Dynamic Loss for Accurate Single-Image Super-Resolution, L_c2 of equations (1)
       to (6); number: none known. After ClassSR (Kong et al., CVPR 2021), arXiv 2103.04039,
       Class-Loss.
Code:  XPixelGroup/ClassSR@6c253b0, codes/models/loss.py, `class_loss_3class`; no licence given.
       Checked against it: it adds 2, so that it is at least 0.
Here:  departs in nothing. It does not say which area is right, nor keeps all sub-images from
       deciding alike: `fd_cover` does the one, `fd_balance` the other.
"""

from itertools import combinations

import torch
from torch import Tensor

from acutance.losses._float32 import widened

__all__ = ["fd_areas"]


def fd_areas(areas: Tensor) -> Tensor:
    """Returns the mean over sub-images of -sum_{i<j} |P_i - P_j|.

    Args:
        areas: (N, 3, rows, columns), a probability of each area, 3, 5 and 7 bins wide, for every
            sub-image; their sum is 1.

    Returns:
        Scalar from -2, where one area takes all, to 0, where all are alike.

    Source: L_c2; `class_loss_3class` less 2.
    """
    classes = widened(areas).unbind(1)  # each (N, rows, columns)
    apart = [(one - other).abs() for one, other in combinations(classes, 2)]
    return -torch.stack(apart).sum(0).mean()
