"""DGGGAN: a generator whose image branch guides a gradient branch (as in DGGGAN's Table 5).

Paper: Optimizing Image Super-Resolution with Deep Gradient Guidance and Enhanced Multiscale Blocks,
       its section on the method; the figures are not among this project's sources. An article with
       the same sizes is doi:10.54097/jceim.v10i1.5074 (Ma and Li, 2023).
Code:  none released.
Here:  departs in nothing that the text states: two branches of 10 blocks; after every 3 blocks of
       the image branch the gradient map of its features joins the gradient branch, which has only
       blocks behind it; a block has four branches of 3x3 and 5x5 convolutions with leaky ReLUs, a
       1x1 convolution, squeeze and excitation, and is added to what came in. All else is read.
       The printed 14.6 M parameters and 23.7 G FLOPs exclude each other for any usual crop, and
       `fits` says which of the two a reading keeps to. By its parameters, a block is the two-stage
       one that it is said to enhance (MSRB: Li et al., ECCV 2018), of the same size with four
       branches as MSRB has with two; by the FLOPs, counted as ESRGAN's and SPSR's of the same table
       are, it has one stage. What is read for both: widths, slopes of 0.2, a reduction by 16, maps
       joined by a 1x1 convolution, long skips, nearest neighbours and convolutions to enlarge, the
       fusion behind that, initial weights; mostly as in SPSR (Maclory/SPSR@881e781), from which the
       paper says what differs.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from acutance.gradient import gradient_map
from acutance.models._arguments import at_least, one_of
from acutance.models._attention import Attention
from acutance.models._convolution import conv3, kaiming
from acutance.models._float32 import in_float32
from acutance.models._rrdb import larger, leaky
from acutance.models._shuffle import STEPS

__all__ = ["DGGGAN"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr", "gradient")
KERNELS = (3, 3, 5, 5)  # of the branches of a stage
REACH = 2  # pixels that a stage looks away


class DGGGAN(nn.Module):
    """Two branches of multi-scale blocks, of an image and of its gradient map, joined at last; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        fits: The printed size that is kept to: "parameters" has blocks of two stages, and in each
            branch a convolution at SR size; "flops" has blocks of one stage.
        blocks: Of each branch, at least 1.
        every: After so many of them the image branch guides the other, where more follow.
        reduction: How many times fewer channels squeeze and excitation has, at least 1.
        width: Channels of the features, at least `reduction` and at least 2.
        excitation: Whether blocks have squeeze and excitation.
        branch: Whether there is a gradient branch; without it `sr` is the only output.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(
        self,
        scale: int,
        *,
        fits: Literal["parameters", "flops"] = "parameters",
        blocks: int = 10,
        every: int = 3,
        reduction: int = 16,
        width: int = 64,
        excitation: bool = True,
        branch: bool = True,
    ) -> None:
        super().__init__()
        one_of("model dgggan: scale", scale, SCALES)
        for name, value in (("blocks", blocks), ("every", every), ("reduction", reduction)):
            at_least(f"model dgggan: {name}", value, 1)
        at_least("model dgggan: width", width, max(reduction, 2))
        stages, large = (2, True) if fits == "parameters" else (1, False)

        def chain(guides: int) -> _Branch:
            built = [_Block(width, stages, reduction, excited=excitation) for _ in range(blocks)]
            return _Branch(built, width, every, guides, STEPS[scale], large=large)

        self.image = chain(0)
        self.gradient = chain((blocks - 1) // every) if branch else None
        if branch:
            self.conv_gradient = conv3(width, 3)
            self.fusion = conv3(2 * width, width) if large else nn.Conv2d(2 * width, width, 1)
        self.conv_last = conv3(width, 3)
        kaiming(self, 0.1)
        # head, blocks and the convolution behind them, gradient map; then convolutions at SR size
        deep = 1 + blocks * stages * REACH + (not large) + branch
        beyond = 1 + large + (large and branch)
        for step in STEPS[scale]:
            beyond = -(-(beyond + 1) // step)
        # squeeze and excitation takes the mean over the image
        self.reach: int | None = None if excitation else deep + beyond

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], and `gradient`, what `gradient_map` of it should be.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        features, taps = self.image(lr)  # (N, width, s*H, s*W)
        if self.gradient is None:
            return {"sr": in_float32(self.conv_last, features)}
        guides = [gradient_map(tap) for tap in taps]
        slopes, _ = self.gradient(gradient_map(lr), guides)  # (N, width, s*H, s*W)
        joined = self.fusion(torch.cat((features, slopes), 1))
        if self.fusion.kernel_size != (1, 1):
            joined = leaky(joined)
        return {
            "sr": in_float32(self.conv_last, joined),  # (N, 3, s*H, s*W)
            "gradient": in_float32(self.conv_gradient, slopes),  # (N, 3, s*H, s*W)
        }


class _Branch(nn.Module):
    """Features at SR size of an image or a gradient map, and those between blocks."""

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        width: int,
        every: int,
        guides: int,
        steps: tuple[int, ...],
        *,
        large: bool,
    ) -> None:
        super().__init__()
        self.every, self.steps = every, steps
        self.head = conv3(3, width)
        self.blocks = nn.ModuleList(blocks)
        self.joins = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for _ in range(guides))
        self.conv_body = None if large else conv3(width, width)
        self.ups = nn.ModuleList(conv3(width, width) for _ in steps)
        self.conv_hr = conv3(width, width) if large else None

    def forward(self, image: Tensor, guides: Sequence[Tensor] = ()) -> tuple[Tensor, list[Tensor]]:
        first = self.head(image)  # (N, width, H, W)
        features, taps = first, list[Tensor]()
        for number, block in enumerate(self.blocks):
            if number and number % self.every == 0:
                if guides:
                    beside = torch.cat((features, guides[len(taps)]), 1)
                    features = self.joins[len(taps)](beside)
                taps.append(features)
            features = block(features)
        features = first + (features if self.conv_body is None else self.conv_body(features))
        for step, conv in zip(self.steps, self.ups, strict=True):
            features = larger(features, step, conv)
        return (features if self.conv_hr is None else leaky(self.conv_hr(features))), taps


class _Block(nn.Module):
    """Stages, a 1x1 convolution, squeeze and excitation; added to what came in."""

    def __init__(self, width: int, stages: int, reduction: int, *, excited: bool) -> None:
        super().__init__()
        inside, layers = width, list[nn.Module]()
        for stage in range(stages):
            outside = width // 2 << stage
            layers.append(_Stage(inside, outside))
            inside = len(KERNELS) * outside
        layers.append(nn.Conv2d(inside, width, 1))
        if excited:
            layers.append(Attention(width, reduction))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        detail: Tensor = self.layers(features)
        return features + detail


class _Stage(nn.Module):
    """Convolutions of several sizes side by side."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(inside, outside, kernel, padding=kernel // 2) for kernel in KERNELS
        )

    def forward(self, features: Tensor) -> Tensor:
        return leaky(torch.cat([conv(features) for conv in self.convs], 1))
