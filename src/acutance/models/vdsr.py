"""VDSR: very deep super-resolution by residual learning (Kim, Lee and Lee, CVPR 2016).

Paper: doi:10.1109/CVPR.2016.182, arXiv 1511.04587, section 3.1 and figure 2.
Code:  lusinlu/gradient-variance-loss@69f80c4, vdsr.py; no licence given (after
       twtygqyy/pytorch-vdsr@7cd0d62, vdsr.py; no licence found). Layers, names of weights,
       initialisation and outputs were checked against the first.
Here:  departs in enlarging LR inside the network, where the papers enlarge while loading; and in
       one network per scale, as GV has it, where VDSR's paper trains one for all. The defaults are
       GV's released network with the papers' bicubic; the released code enlarges by
       upsample="pil_bilinear". VDSR's own network is channels=1, bias=True.
"""

import math
from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn

from acutance.errors import Refused
from acutance.models._arguments import at_least, one_of
from acutance.models._enlarge import enlarge, enlarge_8bit, phases, reach

__all__ = ["VDSR"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


class VDSR(nn.Module):
    """A chain of 3x3 convolutions that adds detail to the enlarged LR image.

    Args:
        scale: Enlargement, one of `SCALES`.
        channels: 3 for RGB, 1 for luma Y/255.
        residual_channels: Of the detail; 1 adds the same detail to every channel.
        bias: Whether the convolutions have one.
        depth: Convolutions, at least 2.
        width: Channels between them, at least 1.
        upsample: "bicubic" in float, or PIL's bilinear with its rounding to 8 bit.

    Raises:
        Refused: If an argument is out of range, or `residual_channels` exceeds `channels`.
    """

    def __init__(
        self,
        scale: int,
        *,
        channels: Literal[1, 3] = 3,
        residual_channels: Literal[1, 3] = 1,
        bias: bool = False,
        depth: int = 20,
        width: int = 64,
        upsample: Literal["bicubic", "pil_bilinear"] = "bicubic",
    ) -> None:
        super().__init__()
        one_of("model vdsr: scale", scale, SCALES)
        at_least("model vdsr: depth", depth, 2)
        at_least("model vdsr: width", width, 1)
        if residual_channels > channels:
            raise Refused(
                f"model vdsr: residual_channels: found {residual_channels} with channels "
                f"{channels}; give residual_channels: 1 or channels: 3"
            )
        self.channels = channels
        self.rounded = upsample == "pil_bilinear"
        self.phases = phases(scale, "bilinear" if self.rounded else "bicubic")
        self.reach = -(-depth // scale) + reach(self.phases)  # a pixel of SR per convolution
        self.input = nn.Conv2d(channels, width, 3, padding=1, bias=bias)
        self.residual_layer = nn.Sequential(*[_layer(width, bias=bias) for _ in range(depth - 2)])
        self.output = nn.Conv2d(width, residual_channels, 3, padding=1, bias=bias)
        self.relu = nn.ReLU(inplace=True)
        self.apply(_start)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, channels, H, W), range [0, 1].
        """
        large = enlarge_8bit(lr, self.phases) if self.rounded else enlarge(lr, self.phases)
        features = self.residual_layer(self.relu(self.input(large)))  # (N, width, s*H, s*W)
        return {"sr": large + self.output(features)}  # (N, C, s*H, s*W)


def _layer(width: int, *, bias: bool) -> nn.Sequential:
    conv = nn.Conv2d(width, width, 3, padding=1, bias=bias)
    return nn.Sequential(OrderedDict(conv=conv, relu=nn.ReLU(inplace=True)))


def _start(module: nn.Module) -> None:
    """Draws He's initial weights by fan-out, N(0, 2 / (k * k * C_out)); biases are zero."""
    if isinstance(module, nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        nn.init.normal_(module.weight, 0, math.sqrt(2 / fan_out))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
