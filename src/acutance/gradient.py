"""Gradient maps: how steep an image is at each pixel, as a picture of the same channels."""

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-6  # under the root: keeps its slope finite where the image is flat


def gradient_map(image: Tensor, *, padding: int = 1) -> Tensor:
    """Returns sqrt(v^2 + h^2 + 1e-6) of central differences, per channel; not halved.

    v is the pixel below minus the pixel above, h the right minus the left; beyond the border lie
    zeros.

    Args:
        image: (N, C, H, W), any range.
        padding: 1 keeps the size; with 2 the map is 2 pixels larger each way, so that every border
            pixel is differenced against zeros on both of its sides.

    Returns:
        (N, C, H + 2 * padding - 2, W + 2 * padding - 2), at least 0.001.

    Source: SPSR (Ma et al., CVPR 2020), equation (4); Maclory/SPSR@881e781,
        models/SPSR_model.py, `Get_gradient` (padding 2) and `Get_gradient_nopadding` (padding 1).

    >>> gradient_map(torch.ones(1, 1, 3, 3)).mul(100).round().int()[0, 0].tolist()
    [[141, 100, 141], [100, 0, 100], [141, 100, 141]]
    """
    padded = functional.pad(image, (padding,) * 4)
    vertical = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    horizontal = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    return torch.sqrt(vertical.square() + horizontal.square() + EPSILON)
