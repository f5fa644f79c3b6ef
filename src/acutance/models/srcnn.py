"""SRCNN: the first convolutional network for super-resolution (Dong et al., TPAMI 2016).

Paper: doi:10.1109/TPAMI.2015.2439281, arXiv 1501.00092, sections 3.1 and 4.1, figure 2.
Code:  yjn870/SRCNN-pytorch@064dbaa, models.py; no licence given. Layers, names of weights and
       outputs were checked against it; the authors' own is MATLAB without a repository.
Here:  departs in enlarging LR inside the network, where the paper enlarges while loading; and in
       zero padding, as that port has it: the authors train without any, on what is left of a
       crop, and repeat the border pixels to test. The defaults are 9-5-5 on luma; middle=1 and
       middle=3 are the paper's 9-1-5 and 9-3-5.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from acutance.errors import Refused
from acutance.models._arguments import at_least, one_of
from acutance.models._enlarge import enlarge, phases, reach
from acutance.models._float32 import in_float32

__all__ = ["SRCNN"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)
DEVIATION = 0.001  # of the initial weights


class SRCNN(nn.Module):
    """Three convolutions on the enlarged LR image.

    Args:
        scale: Enlargement, one of `SCALES`.
        channels: 1 for luma Y/255 (the paper's own), 3 for RGB.
        first: Side of the first kernel, odd.
        middle: Side of the second kernel, odd.
        last: Side of the third kernel, odd.
        width: Channels after the first, at least 1.
        narrow: Channels after the second, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    def __init__(
        self,
        scale: int,
        *,
        channels: Literal[1, 3] = 1,
        first: int = 9,
        middle: int = 5,
        last: int = 5,
        width: int = 64,
        narrow: int = 32,
    ) -> None:
        super().__init__()
        one_of("model srcnn: scale", scale, SCALES)
        one_of("model srcnn: channels", channels, (1, 3))
        for name, side in (("first", first), ("middle", middle), ("last", last)):
            if side < 1 or side % 2 == 0:
                raise Refused(f"model srcnn: {name}: found {side}; must be odd and at least 1")
        at_least("model srcnn: width", width, 1)
        at_least("model srcnn: narrow", narrow, 1)
        self.channels = channels
        self.phases = phases(scale, "bicubic")
        around = first // 2 + middle // 2 + last // 2  # pixels of SR
        self.reach = -(-around // scale) + reach(self.phases)
        self.conv1 = _conv(channels, width, first)
        self.conv2 = _conv(width, narrow, middle)
        self.conv3 = _conv(narrow, channels, last)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, channels, H, W), range [0, 1].
        """
        features = torch.relu(self.conv1(enlarge(lr, self.phases)))  # (N, width, s*H, s*W)
        features = torch.relu(self.conv2(features))  # (N, narrow, s*H, s*W)
        return {"sr": in_float32(self.conv3, features)}  # (N, C, s*H, s*W)


def _conv(inside: int, outside: int, side: int) -> nn.Conv2d:
    """Returns a convolution with its initial weights, N(0, 0.001^2), and zero bias."""
    conv = nn.Conv2d(inside, outside, side, padding=side // 2)
    nn.init.normal_(conv.weight, 0, DEVIATION)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]  # it has one
    return conv
