"""NatSR: a generator of dense blocks with fractal skips (Soh et al., CVPR 2019).

Paper: arXiv 1911.03624, its sections on the generator, whose network is called FRSR.
Code:  JWSoh/NatSR@5bdeb23, model.py, `FRACTAL`, and ops.py; no licence given. Outputs were checked
       against its layers in TensorFlow 2.21, from a checkpoint read here; names, shapes and count
       against the index of the released checkpoint.
Here:  departs in the order of the channels that become pixels, which is PyTorch's: weights of
       TensorFlow are put into it when they are read.
"""

import torch
from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3
from acutance.models._float32 import in_float32
from acutance.models._shuffle import STEPS, reach

__all__ = ["NatSR"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)
BLOCKS = 8  # the fractal's
SHARE = 0.1  # of what a block makes that is added to what came in


class NatSR(nn.Module):
    """Dense blocks with skips over two, four and all of them, then sub-pixel convolutions; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        convs: 3x3 convolutions of a block, at least 1.
        width: Channels of the features, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(self, scale: int, *, convs: int = 5, width: int = 64) -> None:
        super().__init__()
        one_of("model natsr: scale", scale, SCALES)
        at_least("model natsr: convs", convs, 1)
        at_least("model natsr: width", width, 1)
        self.reach: int | None = 1 + BLOCKS * convs + 1 + reach(scale, 1)
        self.conv1 = conv3(3, width)
        self.blocks = nn.ModuleList(_Dense(convs, width) for _ in range(BLOCKS))
        self.conv2 = conv3(width, width)
        steps = STEPS[scale]
        self.ups = nn.ModuleList(conv3(width, width * step**2) for step in steps)
        self.shuffles = nn.ModuleList(nn.PixelShuffle(step) for step in steps)
        self.conv_out = conv3(width, 3)
        _start(self)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        first = self.conv1(lr)  # (N, width, H, W)
        second = self._pair(0, first) + first
        third = self._pair(1, second) + second + first
        fourth = self._pair(2, third) + third
        fifth = self._pair(3, fourth) + fourth + third + first
        features = self.conv2(fifth) + first
        for conv, shuffle in zip(self.ups, self.shuffles, strict=True):
            features = shuffle(conv(features))
        return {"sr": in_float32(self.conv_out, features)}  # (N, 3, s*H, s*W)

    def _pair(self, number: int, features: Tensor) -> Tensor:
        made: Tensor = self.blocks[2 * number + 1](self.blocks[2 * number](features))
        return made


class _Dense(nn.Module):
    """Convolutions that each see all before them, and one that sums up, added to what came in."""

    def __init__(self, convs: int, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv3(width * seen, width) for seen in range(1, convs + 1))
        self.fusion = nn.Conv2d(width * (convs + 1), width, 1)

    def forward(self, features: Tensor) -> Tensor:
        seen = [features]
        for conv in self.convs:
            seen.append(torch.relu(conv(torch.cat(seen, 1))))
        return torch.add(features, self.fusion(torch.cat(seen, 1)), alpha=SHARE)


def _start(network: NatSR) -> None:
    """Draws He's weights before a ReLU, Glorot's uniform ones elsewhere; biases are zero."""
    dense = [module for module in network.modules() if isinstance(module, _Dense)]
    active = {id(conv) for block in dense for conv in block.convs}
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            draw = nn.init.kaiming_normal_ if id(module) in active else nn.init.xavier_uniform_
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
