"""EDSR: enhanced deep residual network (Lim et al., CVPR Workshops 2017).

Paper: doi:10.1109/CVPRW.2017.151, arXiv 1707.02921, section 3, figure 3 and table 1.
Code:  sanghyun-son/EDSR-PyTorch@3dd71ae, src/model/edsr.py; MIT. Parameter counts were checked
       against it, names of weights follow it; outputs were checked against
       XPixelGroup/BasicSR@8d56e3a, basicsr/archs/edsr_arch.py; Apache-2.0.
Here:  departs in the mean shift, a constant and not a layer of the state. The defaults are the full
       network; the baseline is blocks=16, width=64, residual_scale=1.
"""

import torch
from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._float32 import in_float32

__all__ = ["EDSR"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)
MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's RGB training images, range [0, 1]


class EDSR(nn.Module):
    """Residual blocks at LR size, then sub-pixel convolutions; RGB, works on 0-255 inside.

    Args:
        scale: Enlargement, one of `SCALES`.
        blocks: Residual blocks, at least 1.
        width: Channels of the features, at least 1.
        residual_scale: What each block's detail is multiplied by.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3
    mean: Tensor

    def __init__(
        self, scale: int, *, blocks: int = 32, width: int = 256, residual_scale: float = 0.1
    ) -> None:
        super().__init__()
        one_of("model edsr: scale", scale, SCALES)
        at_least("model edsr: blocks", blocks, 1)
        at_least("model edsr: width", width, 1)
        self.register_buffer("mean", _rgb(MEAN), persistent=False)
        self.head = nn.Sequential(_conv(3, width))
        chain = [_Block(width, residual_scale) for _ in range(blocks)]
        self.body = nn.Sequential(*chain, _conv(width, width))
        self.tail = nn.Sequential(_upsampler(scale, width), _conv(width, 3))
        # Head, two convolutions a block, the body's last; the tail's 1 pixel of SR is less than one
        # before the last shuffle, whose convolution makes it 2, and before that of x4 again.
        self.reach = 1 + 2 * blocks + 1 + 2

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        head = self.head((lr - self.mean) * 255)  # (N, width, H, W)
        features = self.tail[0](self.body(head) + head)  # (N, width, s*H, s*W)
        detail = in_float32(self.tail[1], features)  # (N, 3, s*H, s*W)
        return {"sr": detail / 255 + self.mean}


class _Block(nn.Module):
    """Two convolutions around a ReLU, scaled, added to what came in."""

    def __init__(self, width: int, residual_scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(width, width), nn.ReLU(inplace=True), _conv(width, width))
        self.residual_scale = residual_scale

    def forward(self, features: Tensor) -> Tensor:
        return torch.add(features, self.body(features), alpha=self.residual_scale)


def _conv(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1)


def _upsampler(scale: int, width: int) -> nn.Sequential:
    """Returns sub-pixel steps without activation: 2, 3, or 2 and 2 again."""
    steps = (2, 2) if scale == 4 else (scale,)
    parts: list[nn.Module] = []
    for step in steps:
        parts += [_conv(width, width * step**2), nn.PixelShuffle(step)]
    return nn.Sequential(*parts)


def _rgb(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)
