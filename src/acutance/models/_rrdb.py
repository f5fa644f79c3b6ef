"""The residual-in-residual dense block of ESRGAN, which other generators are built of too.

Paper: arXiv 1809.00219, section 3.1 and figure 4; the weights' names are those of
XPixelGroup/BasicSR@8d56e3a, basicsr/archs/rrdbnet_arch.py; Apache-2.0.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from acutance.models._convolution import conv3

SHARE = 0.2  # of each branch that is added to what came in
SLOPE = 0.2  # of the leaky ReLUs
REACH = 15  # pixels that a block looks away: three dense blocks of five 3x3 convolutions


class RRDB(nn.Module):
    """Three dense blocks in a row; a fifth of what they make is added to what came in.

    Args:
        width: Channels of the features, in and out.
        growth: Channels that each inner convolution adds.
    """

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _Dense(width, growth)
        self.rdb2 = _Dense(width, growth)
        self.rdb3 = _Dense(width, growth)

    def forward(self, features: Tensor) -> Tensor:
        """Returns features of the shape given, (N, width, H, W)."""
        detail = self.rdb3(self.rdb2(self.rdb1(features)))
        return torch.add(features, detail, alpha=SHARE)


class _Dense(nn.Module):
    """Five convolutions, each of which sees the input and all that the ones before it made."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = conv3(width, growth)
        self.conv2 = conv3(width + growth, growth)
        self.conv3 = conv3(width + 2 * growth, growth)
        self.conv4 = conv3(width + 3 * growth, growth)
        self.conv5 = conv3(width + 4 * growth, width)

    def forward(self, features: Tensor) -> Tensor:
        seen = [features]
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen.append(leaky(conv(torch.cat(seen, 1))))
        return torch.add(features, self.conv5(torch.cat(seen, 1)), alpha=SHARE)


def larger(features: Tensor, by: int, conv: nn.Module) -> Tensor:
    """Returns features with each pixel repeated `by` times each way, convolved and activated."""
    return leaky(conv(functional.interpolate(features, scale_factor=by, mode="nearest")))


def leaky(features: Tensor) -> Tensor:
    """Returns features with those below 0 a fifth as large, in place."""
    return functional.leaky_relu(features, SLOPE, inplace=True)
