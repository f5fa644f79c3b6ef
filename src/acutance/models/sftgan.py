"""SFTGAN: a generator whose features a segmentation scales and shifts (Wang et al., CVPR 2018).

Paper: arXiv 1804.02815, section 3 and figure 4.
Code:  xinntao/SFTGAN@d98889e, pytorch_test/architectures.py, `SFT_Net` and `SFT_Net_torch`; no
       licence given. Names of weights follow it; outputs and parameter counts were checked.
Here:  departs in what is used where no maps are given: background everywhere, which is what the
       authors' segmentation says of what it does not know. Weights start as PyTorch draws them.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from acutance.models._arguments import at_least, one_of
from acutance.models._convolution import conv3
from acutance.models._float32 import in_float32
from acutance.models._shuffle import reach, upsampler

__all__ = ["SFTGAN"]

SCALES = (4,)
OUTPUTS = ("sr",)
# Of the maps: background, sky, water, grass, mountain, building, plant, animal.
CLASSES = 8
BACKGROUND = 0
WIDTH, CONDITIONS = 64, 32  # channels of features, and of what transforms them


class SFTGAN(nn.Module):
    """Residual blocks whose features a segmentation of the image scales and shifts; RGB.

    Args:
        scale: 4.
        version: "torch" is the paper's, "pytorch" the authors' later one.
        blocks: Residual blocks, at least 1.

    Raises:
        Refused: If an argument is out of range.
    """

    channels = 3

    def __init__(
        self, scale: int, *, version: Literal["pytorch", "torch"] = "pytorch", blocks: int = 16
    ) -> None:
        super().__init__()
        one_of("model sftgan: scale", scale, SCALES)
        at_least("model sftgan: blocks", blocks, 1)
        self.later = version == "pytorch"
        self.reach: int | None = 1 + 2 * blocks + 1 + reach(scale, 2)
        self.conv0 = conv3(3, WIDTH)
        body = [_Block(later=self.later) for _ in range(blocks)]
        self.sft_branch = nn.ModuleList([*body, _Transform(later=self.later), conv3(WIDTH, WIDTH)])
        self.HR_branch = nn.Sequential(
            *(upsampler(scale, WIDTH, nn.ReLU) if self.later else _nearest()),
            *(conv3(WIDTH, WIDTH), nn.ReLU(), conv3(WIDTH, 3)),
        )
        layers: list[nn.Module] = [nn.Conv2d(CLASSES, 128, scale, scale)]
        for outside in (128, 128, 128, CONDITIONS):
            layers += [nn.LeakyReLU(0.1), nn.Conv2d(128, outside, 1)]
        self.CondNet = nn.Sequential(*layers)

    def forward(self, lr: Tensor, maps: Tensor | None = None) -> dict[str, Tensor]:
        """Returns `sr`, nominal range [0, 1], unclipped.

        Args:
            lr: (N, 3, H, W) RGB, range [0, 1].
            maps: (N, 8, 4*H, 4*W), probabilities of the classes; None: background everywhere.
        """
        if maps is None:
            n, _, height, width = lr.shape
            maps = lr.new_zeros(n, CLASSES, 4 * height, 4 * width)
            maps[:, BACKGROUND] = 1
        conditions = self.CondNet(maps)  # (N, 32, H, W)
        first = self.conv0(lr)  # (N, 64, H, W)
        *blocks, transform, conv = self.sft_branch
        features = first
        for block in blocks:
            features = block(features, conditions)
        features = first + conv(transform(features, conditions))
        *up, last = self.HR_branch
        for layer in up:
            features = layer(features)
        return {"sr": in_float32(last, features)}  # (N, 3, 4*H, 4*W)


class _Transform(nn.Module):
    """Scales and shifts each feature by numbers that the conditions at its place decide."""

    def __init__(self, *, later: bool) -> None:
        super().__init__()
        self.slope, self.around = (0.1, 1) if later else (0.01, 0)
        self.SFT_scale_conv0 = nn.Conv2d(CONDITIONS, CONDITIONS, 1)
        self.SFT_scale_conv1 = nn.Conv2d(CONDITIONS, WIDTH, 1)
        self.SFT_shift_conv0 = nn.Conv2d(CONDITIONS, CONDITIONS, 1)
        self.SFT_shift_conv1 = nn.Conv2d(CONDITIONS, WIDTH, 1)

    def forward(self, features: Tensor, conditions: Tensor) -> Tensor:
        scale = self.SFT_scale_conv1(leaky_relu(self.SFT_scale_conv0(conditions), self.slope))
        shift = self.SFT_shift_conv1(leaky_relu(self.SFT_shift_conv0(conditions), self.slope))
        transformed: Tensor = features * (scale + self.around) + shift
        return transformed


class _Block(nn.Module):
    """Two transforms and two convolutions, added to what came in."""

    def __init__(self, *, later: bool) -> None:
        super().__init__()
        self.later = later
        self.sft0 = _Transform(later=later)
        self.conv0 = conv3(WIDTH, WIDTH)
        self.sft1 = _Transform(later=later)
        self.conv1 = conv3(WIDTH, WIDTH)

    def forward(self, features: Tensor, conditions: Tensor) -> Tensor:
        inner = self.sft0(features, conditions)
        if self.later:
            inner = self.sft1(relu(self.conv0(inner)), conditions)
        else:
            inner = relu(self.sft1(self.conv0(relu(inner)), conditions))
        detail: Tensor = self.conv1(inner)
        return features + detail


def _nearest() -> list[nn.Module]:
    parts: list[nn.Module] = []
    for _ in range(2):
        parts += [nn.Upsample(scale_factor=2, mode="nearest"), conv3(WIDTH, WIDTH), nn.ReLU()]
    return parts
