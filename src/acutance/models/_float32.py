"""A layer that stays in single precision when the rest of the network runs in bfloat16."""

import torch
from torch import Tensor, nn


def in_float32(layer: nn.Module, features: Tensor) -> Tensor:
    """Returns `layer(features)`, computed at least in float32 whatever autocast says.

    For the layer that makes an image: bfloat16 has 8 significant bits, so pixels up to 255 would
    come out rounded to whole (64 to 128: to half) grey levels.

    Args:
        layer: The last layer of a network.
        features: Its input; bfloat16 and float16 are widened, other types kept.
    """
    with torch.autocast(features.device.type, enabled=False):
        wide = features.float() if features.dtype in (torch.bfloat16, torch.float16) else features
        image: Tensor = layer(wide)
    return image
