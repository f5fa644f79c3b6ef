"""What the terms of the fine-grained dynamic loss share: the bins of the 8-bit range."""

from torch import Tensor

from acutance.losses._float32 import widened

RANGE = 256  # values of 8 bits, of which every bin holds the same number
NUDGE = 2**-10  # of an 8-bit step: 8 / 255 * 255 may come out as 7.9999995


def bin_of(image: Tensor, bins: int) -> Tensor:
    """Returns the bin i of every value, t^i <= value < t^(i+1), thresholds t^i = 256 i / bins.

    Values beyond 0 to 255, as bicubic shrinking makes them, belong to the first and last bin.

    Args:
        image: Any shape, range [0, 1], which is 0-255 here.
        bins: How many there are.

    Returns:
        int64, same shape, 0 to bins - 1.
    """
    values = 255 * widened(image) + NUDGE
    return (values * (bins / RANGE)).floor().long().clamp(0, bins - 1)
