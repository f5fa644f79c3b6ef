"""Perceptual: how far the features of two images lie apart (Johnson et al., ECCV 2016).

Paper: arXiv 1603.08155, section 3.2; as ESRGAN has it, before the activation: arXiv 1809.00219,
       section 3.3.
Code:  Maclory/SPSR@881e781, code/models/SPSR_model.py, `cri_fea`, and modules/architecture.py,
       VGGFeatureExtractor; no licence given. Checked against torch's own layers.
Here:  departs in taking one channel too, as three equal ones.
"""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from acutance import ranks
from acutance.errors import Refused
from acutance.losses._float32 import unmixed, widened
from acutance.vgg import LAYERS, features

__all__ = ["perceptual"]


def perceptual(
    sr: Tensor,
    hr: Tensor,
    vgg19: Path,
    *,
    layer: int = 34,
    distance: Literal["l1", "l2"] = "l1",
) -> Tensor:
    """Returns mean |φ(sr) - φ(hr)|, or the mean of its squares; 0 when equal.

    Args:
        sr: (N, 3, H, W) RGB or (N, 1, H, W), range [0, 1].
        hr: The same shape and range; no gradient is taken of its features.
        vgg19: torchvision's file of VGG19's weights.
        layer: Which layer of VGG19's `features` φ is; 34 is conv5_4, before its activation.
        distance: Of features: "l1" as the code has it, or "l2": the text's "Euclidean", squared.

    Returns:
        Scalar, mean over batch, channels and places.

    Raises:
        Refused: If there is no such layer, the file is another, or the images are too small.

    Source: `l_g_fea`; equation (2) of SPSR.
    """
    if not 0 <= layer < LAYERS:
        raise Refused(f"loss perceptual: layer: VGG19 has 0 to {LAYERS - 1}, found {layer}")
    own, wanted = ranks.mine(sr), ranks.mine(hr)
    with unmixed(sr):
        with torch.no_grad():
            aims = features(widened(wanted), vgg19, (layer,))[0]
        off = features(widened(own), vgg19, (layer,))[0] - aims
    found = off.abs().mean() if distance == "l1" else off.square().mean()
    return ranks.mean(found, len(own), len(sr))
