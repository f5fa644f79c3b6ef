"""RDN: residual dense network (Zhang et al., CVPR 2018).

Paper: doi:10.1109/CVPR.2018.00262, arXiv 1802.08797, section 3 and figure 2.
Code:  open-mmlab/mmagic@0a560bb, mmagic/models/editors/rdn/rdn_net.py; Apache-2.0 (the authors'
       yulunzhang/RDN is Torch7). Names of weights follow it, outputs were checked against it.
Here:  departs in nothing. The defaults are the paper's larger network (D = 16, C = 8, G = 64); its
       other one is blocks=20, convs=6, growth=32.
"""

import torch
from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3
from acutance.models._float32 import in_float32
from acutance.models._shuffle import reach, upsampler

__all__ = ["RDN"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


class RDN(nn.Module):
    """Dense blocks at LR size, all of them fused at the end, then sub-pixel convolutions; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        blocks: Residual dense blocks (D), at least 1.
        convs: Convolutions in each (C), at least 1.
        growth: Channels that each of them adds (G), at least 1.
        width: Channels of the features between blocks (G0), at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(
        self, scale: int, *, blocks: int = 16, convs: int = 8, growth: int = 64, width: int = 64
    ) -> None:
        super().__init__()
        one_of("model rdn: scale", scale, SCALES)
        at_least("model rdn: blocks", blocks, 1)
        at_least("model rdn: convs", convs, 1)
        at_least("model rdn: growth", growth, 1)
        at_least("model rdn: width", width, 1)
        # two first convolutions, those of the blocks, the fusion's 3x3, and behind it
        self.reach: int | None = 2 + blocks * convs + 1 + reach(scale, 1)
        self.sfe1 = conv3(3, width)
        self.sfe2 = conv3(width, width)
        self.rdbs = nn.ModuleList([_Block(convs, growth, width) for _ in range(blocks)])
        self.gff = nn.Sequential(nn.Conv2d(blocks * width, width, 1), conv3(width, width))
        self.upscale = upsampler(scale, width)
        self.output = conv3(width, 3)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        first = self.sfe1(lr)  # (N, width, H, W)
        features = self.sfe2(first)
        made = []
        for block in self.rdbs:
            features = block(features)
            made.append(features)
        fused = self.gff(torch.cat(made, 1)) + first
        return {"sr": in_float32(self.output, self.upscale(fused))}  # (N, 3, s*H, s*W)


class _Block(nn.Module):
    """Densely connected convolutions, fused by a 1x1, added to what came in."""

    def __init__(self, convs: int, growth: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[_Dense(width + i * growth, growth) for i in range(convs)])
        self.lff = nn.Conv2d(width + convs * growth, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        fused: Tensor = self.lff(self.layers(features))
        return features + fused


class _Dense(nn.Module):
    """A convolution and a ReLU, appended to what came in."""

    def __init__(self, inside: int, growth: int) -> None:
        super().__init__()
        self.conv = conv3(inside, growth)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.conv(features).relu_()], 1)
