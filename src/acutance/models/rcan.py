"""RCAN: residual channel attention network (Zhang et al., ECCV 2018).

Paper: doi:10.1007/978-3-030-01234-2_18, arXiv 1807.02758, section 3 and figures 2 to 4.
Code:  yulunzhang/RCAN@f722e5d, RCAN_TrainCode/code/model/rcan.py; no licence given. Names of
       weights follow it, outputs were checked against it.
Here:  departs in the mean shift, a constant and not two layers of the state.
"""

from torch import Tensor, nn

from acutance.models import _div2k
from acutance.models._arguments import at_least, one_of
from acutance.models._attention import Attention
from acutance.models._convolution import conv3
from acutance.models._float32 import in_float32
from acutance.models._shuffle import upsampler

__all__ = ["RCAN"]

SCALES = (2, 3, 4, 8)
OUTPUTS = ("sr",)


class RCAN(nn.Module):
    """Groups of residual blocks whose channels are weighed by what the whole image holds; RGB.

    Works on 0-255 inside.

    Args:
        scale: Enlargement, one of `SCALES`.
        groups: Residual groups, at least 1.
        blocks: Blocks in each, at least 1.
        width: Channels of the features, at least `reduction`.
        reduction: How many times fewer channels the attention is computed from, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3
    reach: int | None = None  # attention takes the mean over the image
    mean: Tensor

    def __init__(
        self,
        scale: int,
        *,
        groups: int = 10,
        blocks: int = 20,
        width: int = 64,
        reduction: int = 16,
    ) -> None:
        super().__init__()
        one_of("model rcan: scale", scale, SCALES)
        at_least("model rcan: groups", groups, 1)
        at_least("model rcan: blocks", blocks, 1)
        at_least("model rcan: reduction", reduction, 1)
        at_least("model rcan: width", width, reduction)
        self.register_buffer("mean", _div2k.mean(), persistent=False)
        self.head = nn.Sequential(conv3(3, width))
        chain = [_group(blocks, width, reduction) for _ in range(groups)]
        self.body = nn.Sequential(*chain, conv3(width, width))
        self.tail = nn.Sequential(upsampler(scale, width), conv3(width, 3))

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
        """
        head = self.head((lr - self.mean) * 255)  # (N, width, H, W)
        features = self.tail[0](self.body(head) + head)  # (N, width, s*H, s*W)
        detail = in_float32(self.tail[1], features)  # (N, 3, s*H, s*W)
        return {"sr": detail / 255 + self.mean}


class _Residual(nn.Module):
    """A chain of layers, added to what came in."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        detail: Tensor = self.body(features)
        return features + detail


def _group(blocks: int, width: int, reduction: int) -> _Residual:
    return _Residual(*[_block(width, reduction) for _ in range(blocks)], conv3(width, width))


def _block(width: int, reduction: int) -> _Residual:
    return _Residual(
        conv3(width, width),
        nn.ReLU(inplace=True),
        conv3(width, width),
        Attention(width, reduction),
    )
