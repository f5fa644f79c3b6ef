"""Losses are sums of many small terms: they are computed at least in single precision."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def widened(image: Tensor) -> Tensor:
    """Returns `image` as float32 if it is bfloat16 or float16, else as it is."""
    return image.float() if image.dtype in (torch.bfloat16, torch.float16) else image


def unmixed(image: Tensor) -> AbstractContextManager[object]:
    """Returns what keeps products at their operands' precision, in a training of mixed precision.

    The meta device, on which nothing is computed, knows no other.
    """
    kind = image.device.type
    return nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)
