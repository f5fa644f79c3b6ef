"""SSIM loss: one minus mean structural similarity (Wang et al., TIP 2004).

Paper: doi:10.1109/TIP.2003.819861, equation (13); as a loss in GV, arXiv 2202.00997, table 2.
Code:  lusinlu/gradient-variance-loss@69f80c4, loss_functions.py, `ssim`; no licence given (after
       Po-Hsun-Su/pytorch-ssim; MIT). Checked against it.
Here:  departs in nothing but the order of sums: the window is taken as rows, then columns.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from acutance.losses._float32 import widened

__all__ = ["ssim"]

REACH = 5  # pixels either side: an 11 x 11 window
SIGMA = 1.5  # of the Gaussian window, in pixels
C1 = 0.0001  # (0.01 * 1)^2, range 1
C2 = 0.0009  # (0.03 * 1)^2


def ssim(sr: Tensor, hr: Tensor) -> Tensor:
    """Returns 1 - mean SSIM over every pixel and channel, batch included; 0 when equal, at most 2.

    Args:
        sr: (N, C, H, W), range [0, 1].
        hr: The same shape and range.

    Returns:
        Scalar.

    Source: Wang et al. (13); moments are biased (E[x^2] - E[x]^2), zeros lie beyond the border.
    """
    x, y = widened(sr), widened(hr)
    mean_x, mean_y = _window(x), _window(y)
    means = mean_x.square() + mean_y.square()
    product = mean_x * mean_y
    variances = _window(x.square() + y.square()) - means
    covariance = _window(x * y) - product
    similarity = (2 * product + C1) * (2 * covariance + C2) / ((means + C1) * (variances + C2))
    return 1 - similarity.mean()


def _window(image: Tensor) -> Tensor:
    """Returns the Gaussian mean around every pixel, zeros beyond the border; (N, C, H, W).

    Shifted multiply-adds instead of a convolution: the differences above cancel most digits, and
    they stay float32 where autocast or TF32 would take a convolution's last 13 bits away.
    """
    bell = [math.exp(-(k**2) / (2 * SIGMA**2)) for k in range(-REACH, REACH + 1)]
    taps = [value / sum(bell) for value in bell]
    height, width = image.shape[-2:]
    wide = functional.pad(image, (REACH, REACH, 0, 0))
    rows = _mix([wide[..., k : k + width] for k in range(len(taps))], taps)
    tall = functional.pad(rows, (0, 0, REACH, REACH))
    return _mix([tall[..., k : k + height, :] for k in range(len(taps))], taps)


def _mix(shifted: list[Tensor], taps: list[float]) -> Tensor:
    """Returns the sum of `shifted` weighted by symmetric `taps`, equal ones first added."""
    mix = shifted[REACH] * taps[REACH]
    for k in range(REACH):
        mix = torch.add(mix, shifted[k] + shifted[-1 - k], alpha=taps[k])
    return mix
