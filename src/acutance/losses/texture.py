"""Texture: how far the correlations of features of two images lie apart (Gatys et al., 2015).

Paper: arXiv 1505.07376, equations (1) to (4); the square root as in a survey of super-resolution,
       arXiv 1902.06068, section 3.4.3.
Code:  none followed. Checked against sums written out.
Here:  departs in what the survey leaves open: conv1_1, 2_1, 3_1, 4_1 and 5_1 of VGG19 after their
       activation, equal weights, the mean over a batch; the Gram matrix is a plain sum.
"""

from pathlib import Path

import torch
from torch import Tensor

from acutance import ranks
from acutance.losses._float32 import unmixed, widened
from acutance.vgg import features

__all__ = ["texture"]

AT = (1, 6, 11, 20, 29)  # of VGG19's `features`


def texture(sr: Tensor, hr: Tensor, vgg19: Path) -> Tensor:
    """Returns the sum over five layers of |G(sr) - G(hr)| / c^2, G their Gram matrix; 0 when equal.

    Args:
        sr: (N, 3, H, W) RGB or (N, 1, H, W), range [0, 1], sides at least 16.
        hr: The same shape and range; no gradient is taken of its features.
        vgg19: torchvision's file of VGG19's weights.

    Returns:
        Scalar, mean over the batch.

    Raises:
        Refused: If the file is another, or the images are too small.

    Source: the survey's L_texture, |.| the root of the sum of squares, c the channels of a layer.
    """
    own, aims = ranks.mine(sr), ranks.mine(hr)
    with unmixed(sr):
        with torch.no_grad():
            wanted = [_gram(each) for each in features(widened(aims), vgg19, AT)]
        found = [_gram(each) for each in features(widened(own), vgg19, AT)]
        parts = [
            torch.linalg.matrix_norm(one - other).mean() / one.shape[-1] ** 2
            for one, other in zip(found, wanted, strict=True)
        ]
        return ranks.mean(torch.stack(parts).sum(), len(own), len(sr))


def _gram(image: Tensor) -> Tensor:
    """Returns the sums over places of products of channels: (N, C, C)."""
    flat = image.flatten(2)
    return flat @ flat.transpose(1, 2)
