"""The real weights of others, where a mirror holds them: each scores what is known of it.

The protocol that meets all numbers: luma of HR, rounded as MATLAB's `rgb2ycbcr` does to bytes,
shrunk bicubically in double and not rounded again. An LR image of 8-bit RGB costs 0.01 to 0.04 dB.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acutance import image
from acutance.import_ import import_file
from acutance.keys import keys, names
from acutance.models.lapsrn import LapSRN
from acutance.resize import resize
from acutance.resolve import load

ROOT = Path(__file__).resolve().parent.parent
NEAR = 0.01  # dB


def loaded(path: Path, model: Any, scale: int, function: str) -> Any:
    """The network with the weights of a file, its style found among those of all entries."""
    if not path.is_file():
        pytest.skip(f"the mirror does not hold weights/{path.name}")
    every = [keys(ROOT, name, scale, "test") for name in names(ROOT)]
    weights, _ = import_file(path, model, [each for each in every if function in each.models])
    model.load_state_dict(weights)
    return model.eval()


def psnr(sr: Any, hr: Any, shave: int) -> float:
    inner = (slice(shave, -shave), slice(shave, -shave))
    return float(10 * np.log10(255**2 / np.mean((sr[inner] - hr[inner]) ** 2)))


def set5(folder: Path, model: Any, scale: int, *, rounded: bool) -> float:
    """Mean PSNR of luma on Set5: of bytes, or of floats."""
    torch.set_num_threads(1)
    found = []
    for path in image.list_images(folder).values():
        luma = image.ycbcr(image.modcrop(image.read_image(path), scale))[..., 0]
        bytes_ = np.floor(luma + 0.5)
        lr = resize(bytes_, luma.shape[0] // scale, luma.shape[1] // scale) / 255
        with torch.inference_mode():
            sr = model(torch.from_numpy(lr).float()[None, None])["sr"][0, 0].double().numpy() * 255
        if rounded:
            found.append(psnr(np.floor(np.clip(sr, 0, 255) + 0.5), bytes_, scale))
        else:
            found.append(psnr(np.clip(sr, 16, 235), luma, scale))
    return float(np.mean(found))


# File, network, scale, what is known, and whether of bytes.
CASES: list[tuple[str, str, int, dict[str, Any], float, bool]] = [
    ("lapsrn_model_epoch_100.pth", "lapsrn", 4, {}, 31.645, False),
    ("LapSRN_x4.mat", "lapsrn", 4, {"kernel": 3, "bias": True}, 31.54, False),
    ("LapSRN_x2.mat", "lapsrn", 2, {"kernel": 3, "bias": True}, 37.52, False),
    ("vdsr_model_epoch_50.pth", "vdsr", 4, {"channels": 1}, 31.453, False),
    ("VDSR_Official.mat", "vdsr", 4, {"channels": 1, "bias": True}, 31.35, True),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_they_score_what_is_known_on_set5(
    photographs: Path, checkpoints: Path, case: tuple[str, str, int, dict[str, Any], float, bool]
) -> None:
    name, function, scale, arguments, known, rounded = case
    network: Any = load("models", function)
    model = loaded(checkpoints / name, network(scale, **arguments), scale, function)
    assert abs(set5(photographs / "Set5", model, scale, rounded=rounded) - known) <= NEAR


def test_the_released_x8_network_has_half_the_depth(checkpoints: Path) -> None:
    model = LapSRN(8, kernel=3, bias=True, depth=5)
    loaded(checkpoints / "LapSRN_x8.mat", model, 8, "lapsrn")
    assert sum(p.numel() for p in model.parameters()) == 667_123
