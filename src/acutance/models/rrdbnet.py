"""RRDBNet: residual-in-residual dense blocks, the generator of ESRGAN (Wang et al., ECCVW 2018).

Paper: doi:10.1007/978-3-030-11021-5_5, arXiv 1809.00219, section 3.1 and figure 4.
Code:  xinntao/ESRGAN@73e9b63, RRDBNet_arch.py; Apache-2.0. Outputs were checked against it, at
       scales 2 and 3 against Maclory/SPSR@881e781, code/models/modules/; no licence found. Names of
       weights follow XPixelGroup/BasicSR@8d56e3a, basicsr/archs/rrdbnet_arch.py; Apache-2.0.
Here:  departs in nothing. The paper enlarges by 4; 2 and 3 are the authors' early code (one step of
       nearest neighbours), not BasicSR's later x2, which folds the LR image into channels first.
"""

from torch import Tensor, nn

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3, kaiming
from acutance.models._float32 import in_float32
from acutance.models._rrdb import REACH, RRDB, larger, leaky

__all__ = ["RRDBNet"]

SCALES = (2, 3, 4)
OUTPUTS = ("sr",)


class RRDBNet(nn.Module):
    """Dense blocks at LR size, then nearest neighbours and convolutions; RGB.

    Args:
        scale: Enlargement, one of `SCALES`.
        blocks: Residual-in-residual dense blocks, at least 1.
        width: Channels of the features, at least 1.
        growth: Channels that each convolution of a dense block adds, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(self, scale: int, *, blocks: int = 23, width: int = 64, growth: int = 32) -> None:
        super().__init__()
        one_of("model rrdbnet: scale", scale, SCALES)
        at_least("model rrdbnet: blocks", blocks, 1)
        at_least("model rrdbnet: width", width, 1)
        at_least("model rrdbnet: growth", growth, 1)
        self.steps = (2, 2) if scale == 4 else (scale,)
        # the first, the blocks, the body's last; the three at SR size look 3 SR pixels away, which
        # are 2 LR pixels at x2, 1 at x3; at x4 they are 2 half-size pixels, 3 with conv_up1's, so 2
        self.reach: int | None = REACH * blocks + 4
        self.conv_first = conv3(3, width)
        self.body = nn.Sequential(*[RRDB(width, growth) for _ in range(blocks)])
        self.conv_body = conv3(width, width)
        self.conv_up1 = conv3(width, width)
        if len(self.steps) == 2:
            self.conv_up2 = conv3(width, width)
        self.conv_hr = conv3(width, width)
        self.conv_last = conv3(width, 3)
        kaiming(self, 0.1)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        first = self.conv_first(lr)  # (N, width, H, W)
        features = first + self.conv_body(self.body(first))
        features = larger(features, self.steps[0], self.conv_up1)
        if len(self.steps) == 2:
            features = larger(features, self.steps[1], self.conv_up2)  # (N, width, s*H, s*W)
        features = leaky(self.conv_hr(features))
        return {"sr": in_float32(self.conv_last, features)}  # (N, 3, s*H, s*W)
