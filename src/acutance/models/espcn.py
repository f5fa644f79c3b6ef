"""ESPCN: efficient sub-pixel convolution network (Shi et al., CVPR 2016).

Paper: doi:10.1109/CVPR.2016.207, arXiv 1609.05158, section 3 and figure 1, tanh as in table 1.
Code:  none by the authors; Lornatang/ESPCN-PyTorch@11bddf4, model.py; Apache-2.0. Layers and
       parameter counts were checked against it.
Here:  departs in zero padding (the paper trains without) and in that port's final clamp, left out.
       The paper gives no initialisation: PyTorch's default, uniform in +-1/sqrt(fan in).
"""

from typing import Literal

import torch
from torch import Tensor, nn

from acutance.models._arguments import one_of
from acutance.models._float32 import in_float32

__all__ = ["ESPCN"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


class ESPCN(nn.Module):
    """Three convolutions at LR size, then a shuffle of channels into pixels.

    Args:
        scale: Enlargement, one of `SCALES`.
        channels: 3 for RGB, 1 for luma Y/255 (the paper's own).

    Raises:
        Refused: If `scale` or `channels` is another.
    """

    def __init__(self, scale: int, *, channels: Literal[1, 3] = 3) -> None:
        super().__init__()
        one_of("model espcn: scale", scale, SCALES)
        one_of("model espcn: channels", channels, (1, 3))
        self.channels = channels
        self.conv1 = nn.Conv2d(channels, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, channels * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)
        self.reach = 2 + 1 + 1  # half of each kernel

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, channels, H, W), range [0, 1].
        """
        features = torch.tanh(self.conv1(lr))  # (N, 64, H, W)
        features = torch.tanh(self.conv2(features))  # (N, 32, H, W)
        pixels = in_float32(self.conv3, features)  # (N, C*s*s, H, W)
        return {"sr": self.shuffle(pixels)}  # (N, C, s*H, s*W)
