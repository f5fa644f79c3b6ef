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

from acutance.models import _div2k
from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3
from acutance.models._float32 import in_float32
from acutance.models._shuffle import reach, upsampler

__all__ = ["EDSR"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


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
        self.register_buffer("mean", _div2k.mean(), persistent=False)
        self.head = nn.Sequential(conv3(3, width))
        chain = [_Block(width, residual_scale) for _ in range(blocks)]
        self.body = nn.Sequential(*chain, conv3(width, width))
        self.tail = nn.Sequential(upsampler(scale, width), conv3(width, 3))
        # head, two convolutions a block, the body's last, the tail
        self.reach: int | None = 1 + 2 * blocks + 1 + reach(scale, 1)

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
        self.body = nn.Sequential(conv3(width, width), nn.ReLU(inplace=True), conv3(width, width))
        self.residual_scale = residual_scale

    def forward(self, features: Tensor) -> Tensor:
        return torch.add(features, self.body(features), alpha=self.residual_scale)
