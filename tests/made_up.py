"""Files of the shapes of others' networks, with seeded random numbers: for tests, for no result."""

import tempfile
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_FOLDER = tempfile.TemporaryDirectory()
VGG19 = {  # layer of `features`: channels in, channels out
    0: (3, 64),
    2: (64, 64),
    5: (64, 128),
    7: (128, 128),
    10: (128, 256),
    **dict.fromkeys((12, 14, 16), (256, 256)),
    19: (256, 512),
    **dict.fromkeys((21, 23, 25, 28, 30, 32, 34), (512, 512)),
}
ALEXNET = {  # layer of `features`: shape of the kernel
    0: (64, 3, 11, 11),
    3: (192, 64, 5, 5),
    6: (384, 192, 3, 3),
    8: (256, 384, 3, 3),
    10: (256, 256, 3, 3),
}


def _convolution(draw: torch.Generator, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    inputs = shape[1] * shape[2] * shape[3]
    weight = torch.randn(shape, generator=draw) * (2 / inputs) ** 0.5
    return weight, 0.1 * torch.randn(shape[0], generator=draw)


def vgg19_weights(seed: int = 0) -> dict[str, Tensor]:
    """A state dict as torchvision's, without the classifier."""
    draw = torch.Generator().manual_seed(seed)
    found = {}
    for layer, (inputs, outputs) in VGG19.items():
        weight, bias = _convolution(draw, (outputs, inputs, 3, 3))
        found |= {f"features.{layer}.weight": weight, f"features.{layer}.bias": bias}
    return found


@cache
def vgg19() -> Path:
    """The file of one."""
    path = Path(_FOLDER.name) / "vgg19.pth"
    torch.save(vgg19_weights(), path)
    return path


@cache
def alexnet() -> Path:
    """A file as torchvision's AlexNet, without the classifier."""
    draw = torch.Generator().manual_seed(1)
    found = {}
    for layer, shape in ALEXNET.items():
        weight, bias = _convolution(draw, shape)
        found |= {f"features.{layer}.weight": weight, f"features.{layer}.bias": bias}
    path = Path(_FOLDER.name) / "alexnet.pth"
    torch.save(found, path)
    return path


@cache
def lpips_alex() -> Path:
    """A file as LPIPS's weights of AlexNet's features: not below 0."""
    draw = torch.Generator().manual_seed(2)
    widths = [shape[0] for shape in ALEXNET.values()]
    found = {
        f"lin{at}.model.1.weight": torch.rand(1, width, 1, 1, generator=draw)
        for at, width in enumerate(widths)
    }
    path = Path(_FOLDER.name) / "lpips-alex.pth"
    torch.save(found, path)
    return path


FILES = {"vgg19": vgg19}
