"""Convolutions as most networks here use them, and initial weights that several share."""

import torch
from torch import nn


def conv3(inside: int, outside: int) -> nn.Conv2d:
    """Returns a 3x3 convolution with bias that keeps the sides of an image."""
    return nn.Conv2d(inside, outside, 3, padding=1)


@torch.no_grad()
def kaiming(network: nn.Module, gain: float = 1.0) -> None:
    """Draws He's normal weights by fan-in, times `gain`, for every convolution; biases are zero.

    Args:
        network: Its convolutions, plain and transposed, are drawn in the order of its attributes.
        gain: 0.1 where residual branches are to start near nothing (ESRGAN, section 3.1).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight).mul_(gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
