"""SRResNet: residual network with batch normalisation, SRGAN's generator (Ledig et al., CVPR 2017).

Paper: doi:10.1109/CVPR.2017.19, arXiv 1609.04802, section 2.1.1 and figure 4.
Code:  leftthomas/SRGAN@7ddfdf2, model.py; MIT (the authors gave none). Outputs of its variant were
       checked against it; layers, count and initial weights of the other port are those of
       tensorlayer/srgan@05b8118, srgan.py; licence for academic and non-commercial use only.
Here:  departs in the range of its images, [0, 1]: the paper makes [-1, 1] from [0, 1], which the
       last layer absorbs; tensorlayer's works on [-1, 1] inside. Scales 2 and 3, one step each, are
       ours. The paper gives no initialisation: PyTorch's default. leftthomas's has blocks=5.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._float32 import in_float32
from acutance.models._shuffle import reach, upsampler

__all__ = ["SRResNet"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)
# Kernels of the first and the last convolution.
KERNELS = {"paper": (9, 9), "leftthomas": (9, 9), "tensorlayer": (3, 1)}
SPREAD = 0.02  # of tensorlayer's initial weights, a normal cut off at twice that


class SRResNet(nn.Module):
    """Residual blocks at LR size, then sub-pixel convolutions; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        variant: "paper" has PReLUs and wide first and last convolutions; "leftthomas" squeezes its
            image into [0, 1] by a hyperbolic tangent; so does "tensorlayer", which has ReLUs,
            narrow first and last convolutions and no biases beside batch normalisation.
        blocks: Residual blocks, at least 1.
        width: Channels of the features, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(
        self,
        scale: int,
        *,
        variant: Literal["paper", "leftthomas", "tensorlayer"] = "paper",
        blocks: int = 16,
        width: int = 64,
    ) -> None:
        super().__init__()
        one_of("model srresnet: scale", scale, SCALES)
        at_least("model srresnet: blocks", blocks, 1)
        at_least("model srresnet: width", width, 1)
        self.bounded = variant != "paper"
        self.centred = plain = variant == "tensorlayer"
        active = nn.ReLU if plain else nn.PReLU
        first, last = KERNELS[variant]
        # the first, two convolutions a block, the body's last, the up-sampler and behind it
        self.reach: int | None = first // 2 + 2 * blocks + 1 + reach(scale, last // 2)
        self.conv_first = nn.Conv2d(3, width, first, padding=first // 2)
        self.act_first = active()
        self.body = nn.Sequential(*[_Block(width, active, bias=not plain) for _ in range(blocks)])
        self.conv_body = nn.Conv2d(width, width, 3, padding=1, bias=not plain)
        self.bn_body = nn.BatchNorm2d(width)
        self.up = upsampler(scale, width, active)
        self.conv_last = nn.Conv2d(width, 3, last, padding=last // 2)
        if plain:
            self.apply(_start)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped; of the ports, within it.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        image = 2 * lr - 1 if self.centred else lr
        first = self.act_first(self.conv_first(image))  # (N, width, H, W)
        features = first + self.bn_body(self.conv_body(self.body(first)))
        sr = in_float32(self.conv_last, self.up(features))  # (N, 3, s*H, s*W)
        return {"sr": (torch.tanh(sr) + 1) / 2 if self.bounded else sr}


class _Block(nn.Module):
    """Two normalised convolutions around an activation, added to what came in."""

    def __init__(self, width: int, active: Callable[[], nn.Module], *, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.bn1 = nn.BatchNorm2d(width)
        self.act = active()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        inner = self.act(self.bn1(self.conv1(features)))
        detail: Tensor = self.bn2(self.conv2(inner))
        return features + detail


def _start(module: nn.Module) -> None:
    """Draws tensorlayer's initial weights: around 0, of the normalisation around 1; no biases."""
    middle = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
    if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
        ends = middle - 2 * SPREAD, middle + 2 * SPREAD
        nn.init.trunc_normal_(module.weight, middle, SPREAD, *ends)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
