"""MSRResNet: SRResNet without batch normalisation, by the authors of ESRGAN (Wang et al., 2018).

Paper: none of its own; it stands beside ESRGAN (arXiv 1809.00219) in its authors' code, after
       SRResNet (Ledig et al., CVPR 2017, arXiv 1609.04802).
Code:  XPixelGroup/BasicSR@8d56e3a, basicsr/archs/srresnet_arch.py; Apache-2.0. Names of weights
       follow it, outputs were checked against it; those of variant="early" against the same
       repository@474ed37, codes/models/modules/architecture.py, SRResNet with pixel shuffle.
Here:  departs in nothing.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3, kaiming
from acutance.models._enlarge import enlarge, phases
from acutance.models._float32 import in_float32
from acutance.models._shuffle import STEPS, reach

__all__ = ["MSRResNet"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)
SLOPES = {"final": 0.1, "early": 0.0}  # below 0, of the activations outside the blocks


class MSRResNet(nn.Module):
    """Residual blocks at LR size, sub-pixel convolutions, two more at SR size; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        variant: "final" adds its detail to the LR image, enlarged bilinearly; "early", of summer
            2018, makes the image itself, and adds the first features to what the blocks made.
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
        variant: Literal["final", "early"] = "final",
        blocks: int = 16,
        width: int = 64,
    ) -> None:
        super().__init__()
        one_of("model msrresnet: scale", scale, SCALES)
        at_least("model msrresnet: blocks", blocks, 1)
        at_least("model msrresnet: width", width, 1)
        self.early = variant == "early"
        self.slope = SLOPES[variant]
        self.steps = STEPS[scale]
        self.phases = phases(scale, "bilinear")
        # the first, two convolutions a block, any at the body's end, the up-sampler and behind it
        self.reach: int | None = 1 + 2 * blocks + int(self.early) + reach(scale, 2)
        self.conv_first = conv3(3, width)
        self.body = nn.Sequential(*[_Block(width) for _ in range(blocks)])
        self.conv_body = conv3(width, width) if self.early else None
        self.upconv1 = conv3(width, width * self.steps[0] ** 2)
        self.upconv2 = conv3(width, width * self.steps[1] ** 2) if len(self.steps) == 2 else None
        self.conv_hr = conv3(width, width)
        self.conv_last = conv3(width, 3)
        kaiming(self, 0.1)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        features = self.conv_first(lr)  # (N, width, H, W)
        if self.conv_body is None:
            features = self.body(self._active(features))
        else:
            features = features + self.conv_body(self.body(features))
        features = self._larger(features, self.upconv1, self.steps[0])
        if self.upconv2 is not None:
            features = self._larger(features, self.upconv2, self.steps[1])
        features = self._active(self.conv_hr(features))  # (N, width, s*H, s*W)
        sr = in_float32(self.conv_last, features)  # (N, 3, s*H, s*W)
        return {"sr": sr if self.early else sr + enlarge(lr, self.phases)}

    def _active(self, features: Tensor) -> Tensor:
        return functional.leaky_relu(features, self.slope)

    def _larger(self, features: Tensor, conv: nn.Module, step: int) -> Tensor:
        return self._active(functional.pixel_shuffle(conv(features), step))


class _Block(nn.Module):
    """Two convolutions around a ReLU, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = conv3(width, width)
        self.conv2 = conv3(width, width)

    def forward(self, features: Tensor) -> Tensor:
        detail: Tensor = self.conv2(torch.relu(self.conv1(features)))
        return features + detail
