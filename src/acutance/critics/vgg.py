"""VGG critic: pairs of convolutions, each pair halving the image (ESRGAN, SPSR, DGGGAN).

Paper: Simonyan and Zisserman, arXiv 1409.1556, for the shape; as a critic: Ledig et al., arXiv
       1609.04802, figure 4, and Wang et al. (ESRGAN), arXiv 1809.00219.
Code:  Maclory/SPSR@881e781, models/modules/architecture.py, `Discriminator_VGG_128`; no licence
       given (after xinntao/BasicSR, Apache-2.0). Parameter counts and outputs were checked.
Here:  departs in one class for every size; pairs=5 at 128 and pairs=6 at 192 are the released ones.
       `plain: false` leaves one convolution of each pair: a reading of DGGGAN's critic, said to be
       like VGG's with 4x4 convolutions of stride 2, without batch normalisation and sigmoid.
"""

from torch import Tensor, nn

from acutance.errors import Refused

__all__ = ["VGG"]

WIDEST = 8  # times the first width
HIDDEN = 100


class VGG(nn.Module):
    """3x3 convolution, 4x4 convolution with stride 2, and so on; then two linear layers to a logit.

    Args:
        size: Side of the square images.
        channels: Of the images.
        pairs: Of convolutions; 5 makes 4x4 features of 128x128 (and 130x130) pixels.
        width: Channels after the first convolution; each pair doubles them up to `WIDEST` times.
        norm: Whether batch normalisation follows every convolution but the first.
        plain: Whether pairs have their 3x3 convolution; without, the halving ones stand alone.

    Raises:
        Refused: If the image is too small for so many pairs.
    """

    def __init__(
        self,
        size: int,
        *,
        channels: int = 3,
        pairs: int = 5,
        width: int = 64,
        norm: bool = True,
        plain: bool = True,
    ) -> None:
        super().__init__()
        side = size >> pairs  # each stride halves and rounds down
        if side < 1:
            most = size.bit_length() - 1
            raise Refused(
                f"critic vgg: pairs: {pairs} leave nothing of {size} pixels; at most {most}"
            )
        layers: list[nn.Module] = []
        inside = channels
        for pair in range(pairs):
            outside = width * min(2**pair, WIDEST)
            if plain:
                layers += _step(inside, outside, 3, norm=norm and pair > 0)
                inside = outside
            layers += _step(inside, outside, 4, norm=norm and (plain or pair > 0))
            inside = outside
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(inside * side**2, HIDDEN),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(HIDDEN, 1),
        )
        self.apply(_start)

    def forward(self, image: Tensor) -> Tensor:
        """Returns a logit per image, (N, 1): high where it looks like HR.

        Args:
            image: (N, channels, size, size), any range.
        """
        logits: Tensor = self.classifier(self.features(image).flatten(1))
        return logits


def _step(inside: int, outside: int, kernel: int, *, norm: bool) -> list[nn.Module]:
    stride = 1 if kernel == 3 else 2
    conv = nn.Conv2d(inside, outside, kernel, stride, padding=1)
    between = [nn.BatchNorm2d(outside)] if norm else []
    return [conv, *between, nn.LeakyReLU(0.2, inplace=True)]


def _start(module: nn.Module) -> None:
    """Draws He's initial weights by fan-in, without regard to the leak; biases are zero."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=0, mode="fan_in")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
