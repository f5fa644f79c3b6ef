"""A layer that stays in single precision when the rest of the network runs in bfloat16."""

import torch
from torch import Tensor, nn


def in_float32(layer: nn.Module, features: Tensor) -> Tensor:
    """Returns `layer(features)`; features that autocast made bfloat16 are widened to float32 first.

    For the layer that makes an image: bfloat16 has 8 significant bits, so pixels up to 255 would
    come out rounded to whole (64 to 128: to half) grey levels.

    Args:
        layer: The last layer of a network.
        features: What the layer before it made; other types than bfloat16 and float16 are kept.
    """
    image: Tensor
    if features.dtype not in (torch.bfloat16, torch.float16):
        image = layer(features)
        return image
    with torch.autocast(features.device.type, enabled=False):
        image = layer(features.float())
    return image
