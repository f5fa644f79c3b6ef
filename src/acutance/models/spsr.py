"""SPSR: structure-preserving super-resolution with a branch for gradients (Ma et al., CVPR 2020).

Paper: doi:10.1109/CVPR42600.2020.00779, arXiv 2003.13081, section 3.2 and figure 2; extended in
       arXiv 2109.12530, whose SPSR-G, SPSR-J and SPSR-P share this generator.
Code:  Maclory/SPSR@881e781, code/models/modules/architecture.py, `SPSRNet`; no licence given.
       Outputs and parameter counts were checked against it. Names of the trunk's weights are those
       of `rrdbnet`, so that its weights can begin a training.
Here:  departs in the map's two fixed kernels (18 numbers), which are no weights here, and in the
       number of blocks between taps, which is an argument.
"""

import math

import torch
from torch import Tensor, nn

from acutance.errors import Refused
from acutance.gradient import gradient_map
from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3, kaiming
from acutance.models._float32 import in_float32
from acutance.models._rrdb import REACH, RRDB, larger, leaky

__all__ = ["SPSR"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr", "gradient")
TAPS = 4  # of the trunk, for the branch


class SPSR(nn.Module):
    """RRDBNet's trunk; a branch beside it makes the gradient map of SR and helps the trunk; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        blocks: Residual-in-residual dense blocks of the trunk.
        every: After so many of them, four times, the branch takes the trunk's features.
        width: Channels of the features, at least 1.
        growth: Channels that each convolution of a dense block adds, at least 1.

    Raises:
        Refused: If an argument is out of range, or there are fewer than `4 * every` blocks.
    """

    channels = 3

    def __init__(
        self, scale: int, *, blocks: int = 23, every: int = 5, width: int = 64, growth: int = 32
    ) -> None:
        super().__init__()
        one_of("model spsr: scale", scale, SCALES)
        for name, value in (("every", every), ("width", width), ("growth", growth)):
            at_least(f"model spsr: {name}", value, 1)
        if blocks < TAPS * every:
            what = f"found {blocks} with every {every}, which taps the trunk {TAPS} times"
            raise Refused(f"model spsr: blocks: {what}; must be at least {TAPS * every}")
        steps = (2, 2) if scale == 4 else (scale,)
        self.every = every
        # trunk or branch at LR size, then at SR size what makes it larger, HR layers and fusion
        deep = max(REACH * blocks + 2, REACH * (TAPS * every + 1) + 4)
        self.reach: int | None = deep + math.ceil((len(steps) + 2 + REACH + 3) / scale) + 1
        self.conv_first = conv3(3, width)
        self.body = nn.Sequential(*[RRDB(width, growth) for _ in range(blocks)])
        self.conv_body = conv3(width, width)
        self.steps = steps
        self.conv_up1 = conv3(width, width)
        if len(steps) == 2:
            self.conv_up2 = conv3(width, width)
        self.conv_hr = conv3(width, width)
        self.conv_hr1 = conv3(width, width)
        self.branch = _Branch(steps, width, growth)
        self.fusion = _Fusion(width, growth)
        kaiming(self, 0.1)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], and `gradient`, what `gradient_map` of it should be.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        first = self.conv_first(lr)  # (N, width, H, W)
        features, taps = first, list[Tensor]()
        for number, block in enumerate(self.body, start=1):
            features = block(features)
            if number % self.every == 0 and len(taps) < TAPS:
                taps.append(features)
        features = first + self.conv_body(features)
        features = larger(features, self.steps[0], self.conv_up1)
        if len(self.steps) == 2:
            features = larger(features, self.steps[1], self.conv_up2)  # (N, width, s*H, s*W)
        features = self.conv_hr1(leaky(self.conv_hr(features)))
        slopes = self.branch(gradient_map(lr), taps)  # (N, width, s*H, s*W)
        return {
            "sr": self.fusion(slopes, features),  # (N, 3, s*H, s*W)
            "gradient": in_float32(self.branch.conv_last, slopes),  # (N, 3, s*H, s*W)
        }


class _Branch(nn.Module):
    """Gradient features at SR size, from the gradient map of LR and the trunk's taps."""

    def __init__(self, steps: tuple[int, ...], width: int, growth: int) -> None:
        super().__init__()
        self.steps = steps
        self.conv_first = conv3(3, width)
        self.blocks = nn.ModuleList(RRDB(2 * width, growth) for _ in range(TAPS))
        self.joins = nn.ModuleList(conv3(2 * width, width) for _ in range(TAPS))
        self.conv_body = conv3(width, width)
        self.conv_up1 = conv3(width, width)
        if len(steps) == 2:
            self.conv_up2 = conv3(width, width)
        self.conv_hr = conv3(width, width)
        self.conv_hr1 = conv3(width, width)
        self.conv_last = nn.Conv2d(width, 3, 1)

    def forward(self, slopes: Tensor, taps: list[Tensor]) -> Tensor:
        first = self.conv_first(slopes)
        features = first
        for tap, block, join in zip(taps, self.blocks, self.joins, strict=True):
            features = join(block(torch.cat((features, tap), 1)))
        features = first + self.conv_body(features)
        features = larger(features, self.steps[0], self.conv_up1)
        if len(self.steps) == 2:
            features = larger(features, self.steps[1], self.conv_up2)
        made: Tensor = self.conv_hr1(leaky(self.conv_hr(features)))
        return made


class _Fusion(nn.Module):
    """SR from the features of branch and trunk, in that order."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.block = RRDB(2 * width, growth)
        self.join = conv3(2 * width, width)
        self.conv_hr = conv3(width, width)
        self.conv_last = conv3(width, 3)

    def forward(self, slopes: Tensor, features: Tensor) -> Tensor:
        joined = self.join(self.block(torch.cat((slopes, features), 1)))
        return in_float32(self.conv_last, leaky(self.conv_hr(joined)))
