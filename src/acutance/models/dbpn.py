"""DBPN: deep back-projection network, densely connected (Haris et al., CVPR 2018).

Paper: doi:10.1109/CVPR.2018.00179, arXiv 1803.02735, sections 3 and 4.1, figures 2 to 4.
Code:  alterzero/DBPN-Pytorch@6eb48ca, dbpn.py and dbpn_v1.py; MIT. Names of weights follow it,
       outputs were checked against it.
Here:  departs in nothing. The defaults are the paper's D-DBPN; stages=10 is the authors' DBPNLL.
       Their later recurrent nets (DBPN-RES-MR64-3), which go round three times and add the bicubic
       image, are not here. EDSR-PyTorch's DDBPN is another network: half the channels, six stages.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import kaiming
from acutance.models._float32 import in_float32

__all__ = ["DBPN"]

SCALES = (2, 4, 8)
OUTPUTS = ("sr",)
GEOMETRY = {2: (6, 2, 2), 4: (8, 4, 2), 8: (12, 8, 2)}  # kernel, stride, padding of projections


class DBPN(nn.Module):
    """Goes up to SR size and down again, each time mending what the round trip got wrong; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        stages: Ways up (T), at least 1; there is one way down less.
        first: Channels of the first convolution (n0), at least 1.
        width: Channels of the features (nR), at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(self, scale: int, *, stages: int = 7, first: int = 256, width: int = 64) -> None:
        super().__init__()
        one_of("model dbpn: scale", scale, SCALES)
        at_least("model dbpn: stages", stages, 1)
        at_least("model dbpn: first", first, 1)
        at_least("model dbpn: width", width, 1)
        # Two projections to SR size on each way up, one on each way down; with the way back before
        # it, one looks an LR pixel further, two where the stride of 2 leaves less in between.
        self.reach: int | None = 1 + (2 * stages + stages - 1) * (2 if scale == 2 else 1)
        self.stages = stages
        self.feat0 = _layer(nn.Conv2d(3, first, 3, padding=1))
        self.feat1 = _layer(nn.Conv2d(first, width, 1))
        for n in range(1, stages + 1):
            self.add_module(f"up{n}", _Up(scale, width, reduced=n - 1 if n > 2 else None))
            if n < stages:
                self.add_module(f"down{n}", _Down(scale, width, reduced=n if n > 1 else None))
        output = nn.Conv2d(stages * width, 3, 3, padding=1)
        self.output_conv = nn.Sequential(OrderedDict(conv=output))
        kaiming(self)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        units = dict(self.named_children())
        large: list[Tensor] = []  # (N, width, s*H, s*W) each, the newest first
        small: list[Tensor] = []  # (N, width, H, W) each
        features = self.feat1(self.feat0(lr))
        for n in range(1, self.stages + 1):
            large.insert(0, units[f"up{n}"](features))
            if n < self.stages:
                small.insert(0, units[f"down{n}"](torch.cat(large, 1)))
                features = torch.cat(small, 1)
        return {"sr": in_float32(self.output_conv, torch.cat(large, 1))}  # (N, 3, s*H, s*W)


class _Up(nn.Module):
    """Projects LR features to SR size and back, and adds what the difference projects to."""

    def __init__(self, scale: int, width: int, *, reduced: int | None) -> None:
        super().__init__()
        self.conv = _reduction(width, reduced)
        self.up_conv1 = _enlarging(scale, width)
        self.up_conv2 = _shrinking(scale, width)
        self.up_conv3 = _enlarging(scale, width)

    def forward(self, features: Tensor) -> Tensor:
        small = self.conv(features)
        large = self.up_conv1(small)
        mended: Tensor = large + self.up_conv3(self.up_conv2(large) - small)
        return mended


class _Down(nn.Module):
    """Projects SR features to LR size and back, and adds what the difference projects to."""

    def __init__(self, scale: int, width: int, *, reduced: int | None) -> None:
        super().__init__()
        self.conv = _reduction(width, reduced)
        self.down_conv1 = _shrinking(scale, width)
        self.down_conv2 = _enlarging(scale, width)
        self.down_conv3 = _shrinking(scale, width)

    def forward(self, features: Tensor) -> Tensor:
        large = self.conv(features)
        small = self.down_conv1(large)
        mended: Tensor = small + self.down_conv3(self.down_conv2(small) - large)
        return mended


def _reduction(width: int, stacked: int | None) -> nn.Module:
    """Returns a 1x1 convolution of so many stacked features to one, or nothing for None."""
    return nn.Identity() if stacked is None else _layer(nn.Conv2d(stacked * width, width, 1))


def _enlarging(scale: int, width: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(width, width, *GEOMETRY[scale])
    return nn.Sequential(OrderedDict(deconv=conv, act=nn.PReLU()))


def _shrinking(scale: int, width: int) -> nn.Sequential:
    return _layer(nn.Conv2d(width, width, *GEOMETRY[scale]))


def _layer(conv: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=conv, act=nn.PReLU()))
