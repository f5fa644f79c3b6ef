"""The pyramid of LapSRN: what its two released networks and those built on it share.

Names of weights, the same for all: `input`, then `levels.<i>`, where level 0 is the coarsest, with
`convs.<d>` (features), `up` (features enlarged), `residual` (features to pixels) and `image` (the
image enlarged). Biases end in `.bias`; `image` never has one. Under weight normalisation, where
`x.weight` was, are `x.parametrizations.weight.original0`, the gains, and `original1`.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from acutance.models._arguments import at_least, one_of
from acutance.models._float32 import in_float32

SCALES = (2, 3, 4, 8)
SLOPE = 0.2  # of the leaky ReLUs, below 0
DEVIATION = 0.001  # of the authors' first convolution
SUPPORT = 2  # pixels that shrinking to 3/4 looks at beyond a 4x4 cell: floor(2 * 4/3 - 1/6)


class Level(nn.Module):
    """One enlargement of image and features.

    Args:
        channels: Of the image.
        width: Of the features.
        step: The enlargement, 2 or 3.
        kernel: Side of the transposed convolution of features, 3 or 4; at `step` 3 it is 5.
        bias: Whether convolutions have one; the transposed one of the image has none.
        depth: Convolutions before the features are enlarged.
    """

    def __init__(
        self, channels: int, width: int, *, step: int, kernel: int, bias: bool, depth: int
    ) -> None:
        super().__init__()
        self.step = step
        self.convs = nn.ModuleList(conv(width, width, 3, bias=bias) for _ in range(depth))
        self.up = _up(width, step, kernel, bias=bias)
        self.residual = conv(width, channels, 3, bias=bias)
        self.image = _up(channels, step, 4, bias=False)

    def forward(self, image: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the enlarged image, its features, and the detail that was added to the image.

        Args:
            image: (N, channels, H, W).
            features: (N, width, H, W).
        """
        height, width = (self.step * side for side in image.shape[2:])
        for layer in self.convs:
            features = leaky(layer(features))
        features = leaky(self.up(features)[..., :height, :width])  # (N, width, s*H, s*W)
        residual = in_float32(self.residual, features)  # (N, C, s*H, s*W)
        return self._enlarged(image, features) + residual, features, residual

    def _enlarged(self, image: Tensor, features: Tensor) -> Tensor:
        """Returns the larger image, never rounded to the bfloat16 that features may be in."""
        large: Tensor
        if features.dtype not in (torch.bfloat16, torch.float16):
            large = self.image(image)
            return large
        with torch.autocast(features.device.type, enabled=False):
            large = self.image(image.float())
        return large


def check(model: str, scale: int, *, kernel: int, depth: int, width: int) -> None:
    """Refuses numbers that make no pyramid.

    Args:
        model: Its name in params.yaml.
        scale: Enlargement.
        kernel: Side of the transposed convolution of features.
        depth: Convolutions of a level.
        width: Channels of the features.

    Raises:
        Refused: If one is out of range.
    """
    one_of(f"model {model}: scale", scale, SCALES)
    one_of(f"model {model}: kernel", kernel, (3, 4))
    at_least(f"model {model}: depth", depth, 1)
    at_least(f"model {model}: width", width, 1)


def steps(scale: int, thirds: str) -> tuple[int, ...]:
    """Returns the enlargement of each level, the coarsest first.

    Args:
        scale: Of all levels together; 3 by "shrink" is the pyramid of scale 4.
        thirds: "shrink" or "stride".
    """
    if scale == 3 and thirds == "stride":
        return (3,)
    return (2,) * math.ceil(math.log2(scale))


def reach(by: Sequence[int], depth: int, *, shrinks: bool) -> int:
    """Returns how many LR pixels away an SR pixel looks, at most.

    Args:
        by: What `steps` returned.
        depth: Convolutions of a level, at least 1: then features look further than images.
        shrinks: Whether the result of scale 4 is shrunk to 3.
    """
    pixels = 1 + (SUPPORT if shrinks else 0)  # the residual's convolution
    for step in reversed(by):
        pixels = pixels // step + 1 + depth
    return pixels + 1  # the first convolution


def conv(inside: int, outside: int, side: int, *, bias: bool) -> nn.Conv2d:
    """Returns a convolution that keeps the sides of an image."""
    return nn.Conv2d(inside, outside, side, padding=side // 2, bias=bias)


def leaky(features: Tensor) -> Tensor:
    """Returns features with those below 0 made five times smaller, in place."""
    return functional.leaky_relu(features, SLOPE, inplace=True)


def climb(
    first: nn.Module, levels: nn.ModuleList, lr: Tensor
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Returns what each level gives, the coarsest first; see `Level.forward`.

    Args:
        first: The convolution on LR.
        levels: Each a `Level`.
        lr: (N, channels, H, W).
    """
    image, features = lr, leaky(first(lr))
    made = []
    for level in levels:
        image, features, residual = level(image, features)
        made.append((image, features, residual))
    return made


def graded(name: str, levels: Sequence[Tensor]) -> dict[str, Tensor]:
    """Returns one output of every level by its name, full size first: `sr`, `sr/2`, `sr/4`.

    Args:
        name: Of the output.
        levels: The coarsest first.
    """
    above = enumerate(reversed(levels))
    return {name if n == 0 else f"{name}/{2**n}": level for n, level in above}


def normalise(network: nn.Module) -> None:
    """Splits the weights of all convolutions into lengths and directions, one per channel made.

    The weights stay what they are.

    Source: Salimans and Kingma 2016, arXiv 1602.07868, equation (2).
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d):
            weight_norm(module, dim=0)
        elif isinstance(module, nn.ConvTranspose2d):
            weight_norm(module, dim=1)


@torch.no_grad()
def start(network: nn.Module, form: str) -> None:
    """Draws initial weights of convolutions, in the order of the network's attributes.

    Args:
        network: With `input` and `levels`.
        form: "port": He's by fan-out, and every filter of a transposed convolution bilinear.
            "authors": He's by fan-in, a tiny first convolution, only the image's bilinear.
    """
    images = [module for name, module in network.named_modules() if name.endswith(".image")]
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
        area = module.kernel_size[0] * module.kernel_size[1]
        if module in images:
            filters = bilinear(module.kernel_size[0])
            module.weight.copy_(filters * torch.eye(module.in_channels)[..., None, None])
        elif form == "authors":
            deviation = math.sqrt(2 / (area * module.in_channels))
            nn.init.normal_(module.weight, 0, DEVIATION if name == "input" else deviation)
        elif isinstance(module, nn.ConvTranspose2d):
            module.weight.copy_(bilinear(module.kernel_size[0]).expand_as(module.weight))
        else:
            nn.init.normal_(module.weight, 0, math.sqrt(2 / (area * module.out_channels)))


def bilinear(side: int) -> Tensor:
    """Returns the (side, side) filter with which a transposed convolution interpolates.

    >>> bilinear(4)[0] * 16
    tensor([1., 3., 3., 1.])
    """
    factor = (side + 1) // 2
    ramp = 1 - (torch.arange(side, dtype=torch.float32) - (side - 1) / 2).abs() / factor
    return ramp[:, None] * ramp


def _up(channels: int, step: int, kernel: int, *, bias: bool) -> nn.ConvTranspose2d:
    """Returns a transposed convolution whose first `step * H` rows are wanted; so are columns.

    A 3x3 one makes a row and a column more than that, the others do not.
    """
    side = {2: kernel, 3: 5}[step]
    padding = {3: 0, 4: 1, 5: 1}[side]
    return nn.ConvTranspose2d(channels, channels, side, step, padding, bias=bias)
