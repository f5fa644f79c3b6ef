"""Sub-pixel up-sampling: a convolution makes the channels that a shuffle turns into pixels."""

from collections.abc import Callable

from torch import nn

from acutance.models._convolution import conv3

STEPS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


def upsampler(
    scale: int, width: int, activation: Callable[[], nn.Module] | None = None
) -> nn.Sequential:
    """Returns what enlarges features: convolution, shuffle and any activation, for each step.

    Args:
        scale: Enlargement, one of `STEPS`.
        width: Channels of the features, before and after.
        activation: Makes what follows each shuffle; None for nothing.
    """
    parts: list[nn.Module] = []
    for step in STEPS[scale]:
        parts += [conv3(width, width * step**2), nn.PixelShuffle(step)]
        if activation is not None:
            parts.append(activation())
    return nn.Sequential(*parts)


def reach(scale: int, beyond: int) -> int:
    """Returns how many LR pixels away `upsampler` and what comes behind it look.

    Args:
        scale: Enlargement, one of `STEPS`.
        beyond: How many SR pixels away the convolutions behind the up-sampler look.
    """
    for step in reversed(STEPS[scale]):
        beyond = -(-beyond // step) + 1  # in the smaller pixels, rounded up; 1 for the convolution
    return beyond
