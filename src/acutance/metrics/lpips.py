"""lpips: learned perceptual image patch similarity of one image (Zhang et al., CVPR 2018).

Paper: arXiv 1801.03924, equation (1), version 0.1.
Code:  richzhang/PerceptualSimilarity@082bb24, lpips, BSD-2-Clause: the package `lpips`, whose
       networks are filled from files here. Checked against the equation written out.
Here:  departs in nothing.
"""

import re
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from acutance.errors import Refused, Unmeasurable
from acutance.foreign import read
from acutance.metrics._protocol import compared
from acutance.vision import with_torchvision

__all__ = ["lpips"]

UNIT = "1"
BETTER = "lower"
RANGE = (0.0, None)  # identical images: 0

LEAST = 32  # pixels a side: less leaves nothing of AlexNet's or SqueezeNet's last features
_LOADING = threading.Lock()  # images are measured in several threads


def lpips(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    trunk: Path,
    heads: Path,
    *,
    net: Literal["alex", "vgg", "squeeze"] = "alex",
    quantise: Literal["rgb", "none"] = "rgb",
    shave: int = 0,
    device: str = "cpu",
) -> float:
    """Returns LPIPS v0.1 of two images in RGB; 0 for identical images.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W); grey pictures count as three equal channels.
        trunk: torchvision's file of the weights of AlexNet, VGG16 or SqueezeNet 1.1.
        heads: The authors' file of the weights of its features, version 0.1.
        net: Which of these networks.
        quantise: Whether the SR image is rounded to 8 bits first.
        shave: Pixels left out at each side.
        device: Where the network computes.

    Returns:
        0 upwards.

    Raises:
        Refused: If sizes do not match, or a file is not that of the network.
        Unmeasurable: If fewer than 32 pixels a side are left.

    Source: `lpips.LPIPS` on x / 127.5 - 1, as in lpips_2imgs.py.
    """
    x, y = compared(sr, hr, channel="rgb", rounding=quantise, grey="rgb", border=shave)
    if min(x.shape[:2]) < LEAST:
        size = f"{x.shape[1]} x {x.shape[0]}"
        raise Unmeasurable(f"{size} pixels to compare; LPIPS needs {LEAST} x {LEAST} or more")
    with _LOADING:
        network = _network(trunk, heads, net, device)
    with torch.inference_mode():
        return float(network(_scaled(x).to(device), _scaled(y).to(device)))


def _scaled(image: npt.NDArray[np.float64]) -> Tensor:
    """Returns an image of (H, W, 3), 0-255, as (1, 3, H, W), -1 to 1."""
    return torch.from_numpy(image / 127.5 - 1).float().permute(2, 0, 1)[None]


@lru_cache(maxsize=3)
def _network(trunk: Path, heads: Path, net: str, device: str) -> nn.Module:
    package: Any = with_torchvision("lpips")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a keyword of torchvision's that the package uses
        made: nn.Module = package.LPIPS(
            net=net, pretrained=False, pnet_rand=True, use_dropout=True, verbose=False
        )
    held = {"features": read(trunk).weights, "lin": read(heads).weights}
    found = {}
    for key, own in made.state_dict().items():
        if key.startswith("scaling_layer."):
            found[key] = own
            continue
        # net.slice2.3.weight is features.3.weight; lins.0.model.1.weight the same as lin0.…
        there = re.sub(r"^net\.slice\d+", "features", re.sub(r"^lins\.", "lin", key))
        kind, path = ("features", trunk) if key.startswith("net.") else ("lin", heads)
        value = held[kind].get(there)
        if value is None or value.shape != own.shape:
            raise Refused(f"{path}: has no '{there}' as '{net}' has it; is it another network's?")
        found[key] = value
    made.load_state_dict(found)
    return made.eval().requires_grad_(requires_grad=False).to(device)
