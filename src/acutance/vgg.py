"""VGG19's convolutions, from the file of its weights: what losses compare images by.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR
2015, arXiv 1409.1556, configuration E; layers are counted as in torchvision's `features`.
"""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from acutance.errors import Refused
from acutance.foreign import read

__all__ = ["LAYERS", "features", "normalised"]

WIDTHS = (64, 64, 0, 128, 128, 0, *(256,) * 4, 0, *(512,) * 4, 0, *(512,) * 4, 0)  # 0: halved
LAYERS = 37
POOLS = (4, 9, 18, 27, 36)  # which of the layers halve
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's R, G, B
DEVIATION = (0.229, 0.224, 0.225)


def features(image: Tensor, weights: Path, layers: tuple[int, ...]) -> list[Tensor]:
    """Returns what comes out of layers of VGG19.

    Args:
        image: (N, 3, H, W) RGB or (N, 1, H, W) grey, range [0, 1].
        weights: torchvision's file of VGG19.
        layers: Which of the 37 layers of `features`, from 0, each later than the one before it.

    Returns:
        One tensor for each of `layers`.

    Raises:
        Refused: If the file is not VGG19's, or the image too small for the deepest of `layers`.
    """
    halved = sum(pool <= layers[-1] for pool in POOLS)
    if min(image.shape[-2:]) >> halved < 1:
        size = f"{image.shape[-1]} x {image.shape[-2]}"
        raise Refused(f"an image of {size} pixels; layer {layers[-1]} of VGG19 halves it {halved}x")
    image = normalised(image)
    found = []
    network = _network(weights, image.device, image.dtype)
    for index, layer in enumerate(network[: layers[-1] + 1]):
        image = layer(image)
        if index in layers:
            found.append(image)
    return found


def normalised(image: Tensor) -> Tensor:
    """Returns an image, (N, 3 or 1, H, W) in [0, 1], as networks of torchvision's want it."""
    mean, deviation = (image.new_tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    return (image - mean) / deviation


@lru_cache(maxsize=4)
def _network(weights: Path, device: torch.device, dtype: torch.dtype) -> list[nn.Module]:
    """Returns the layers with the numbers of a file; nothing learns.

    On the meta device there are no numbers, and none are read.
    """
    made = _layers()
    if device.type == "meta":
        return [layer.requires_grad_(requires_grad=False) for layer in made]
    held = read(weights).weights
    for index, layer in enumerate(made):
        for name, wanted in list(layer.named_parameters()):
            key = f"features.{index}.{name}"
            if key not in held or held[key].shape != wanted.shape:
                raise Refused(f"{weights}: has no '{key}' of VGG19; is it another network's?")
            value = held[key].detach().to(device, dtype)
            setattr(layer, name, nn.Parameter(value, requires_grad=False))
    return made


def _layers() -> list[nn.Module]:
    """Returns the 37 layers; the convolutions hold no numbers yet."""
    made: list[nn.Module] = []
    channels = 3
    for width in WIDTHS:
        if not width:
            made.append(nn.MaxPool2d(2))
            continue
        with torch.device("meta"):
            made.append(nn.Conv2d(channels, width, 3, padding=1))
        made.append(nn.ReLU())
        channels = width
    return made
