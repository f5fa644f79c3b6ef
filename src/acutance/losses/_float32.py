"""Losses are sums of many small terms: they are computed at least in single precision."""

import torch
from torch import Tensor


def widened(image: Tensor) -> Tensor:
    """Returns `image` as float32 if it is bfloat16 or float16, else as it is."""
    return image.float() if image.dtype in (torch.bfloat16, torch.float16) else image
