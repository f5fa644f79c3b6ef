"""VIF: golden numbers of its authors' script, a slow twin written with 2-D windows, its laws."""

import math

import numpy as np
import pytest
from declared import declared, names
from shrunk import pair, rows
from skimage import data

from acutance.errors import Refused
from acutance.image import luma, quantise
from acutance.metrics.vif import vif

HR = data.astronaut()[100:197, 180:285]  # 97 and 105: 1 more than a multiple of 8
GREY = data.camera()[100:197, 180:285]
NAMES = names("vif")
TURNS = {
    "left-right": lambda x: x[:, ::-1],
    "up-down": lambda x: x[::-1],
    "transposed": lambda x: np.swapaxes(x, 0, 1),
}


def noisy(hr: np.ndarray, sigma: float) -> np.ndarray:
    return quantise(hr + np.random.default_rng(0).normal(0, sigma, hr.shape))


def twin(sr: np.ndarray, hr: np.ndarray) -> float:
    """VIF with whole windows and one pixel after another, as the paper states the model."""
    above = below = 0.0
    for side in (17, 9, 5, 3):
        grid = np.mgrid[:side, :side] - side // 2
        bell = np.exp(-(grid**2).sum(axis=0) / (2 * (side / 5) ** 2))
        bell /= bell.sum()
        look = np.lib.stride_tricks.sliding_window_view
        if side < 17:
            sr, hr = ((look(z, (side, side)) * bell).sum(axis=(2, 3))[::2, ::2] for z in (sr, hr))
        for at in np.ndindex(*(n - side + 1 for n in hr.shape)):
            a, b = (look(z, (side, side))[at] for z in (hr, sr))
            of_a = (bell * (a - (bell * a).sum()) ** 2).sum()
            of_b = (bell * (b - (bell * b).sum()) ** 2).sum()
            both = (bell * (a - (bell * a).sum()) * (b - (bell * b).sum())).sum()
            gain = max(0.0, both / of_a)
            left = of_b - gain * both
            above += math.log10(1 + gain**2 * of_a / (left + 2))
            below += math.log10(1 + of_a / 2)
    return above / below


def test_it_is_declared() -> None:
    assert NAMES


@pytest.mark.parametrize("row", rows("vif_float"), ids=lambda r: f"{r['picture']}-{r['width']}")
def test_it_is_what_its_authors_script_says(row) -> None:
    value = declared("vif_float", int(row["scale"]))(*pair(row))
    assert value == pytest.approx(float(row["value"]), rel=1e-11)


@pytest.mark.parametrize("size", [(41, 41), (44, 52)])
def test_it_is_what_whole_windows_say(size: tuple[int, int]) -> None:
    hr = GREY[: size[0], : size[1]]
    sr = noisy(hr, 15)
    expected = twin(sr.astype(float), hr.astype(float))
    assert vif(sr, hr, grey="keep") == pytest.approx(expected, rel=1e-9)
    assert 0.05 < expected < 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hr", [HR, GREY], ids=["colour", "grey"])
def test_1_at_identity_and_worse_under_noise(name: str, hr: np.ndarray) -> None:
    values = [declared(name, 3)(noisy(hr, sigma), hr) for sigma in (0, 2, 8, 32)]
    assert values[0] == pytest.approx(1, abs=1e-9)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("turn", TURNS)
def test_turning_both_images_changes_nothing(turn: str) -> None:
    """Where every second pixel of each scale ends on the last one; elsewhere others are left."""
    turned = TURNS[turn]
    sr = noisy(HR, 10)
    assert vif(turned(sr), turned(HR)) == pytest.approx(vif(sr, HR), rel=1e-11)


def test_it_is_of_hr_not_of_the_pair() -> None:
    sr = noisy(HR, 10)
    assert vif(sr, HR) != pytest.approx(vif(quantise(HR), sr), rel=1e-2)


def test_contrast_added_is_above_1_and_contrast_lost_below() -> None:
    middle = np.clip(GREY, 64, 192)
    values = [
        vif(128 + gain * (middle - 128.0), middle, quantise="none", grey="keep")
        for gain in (0.5, 1, 1.5)
    ]
    assert values[0] < 0.95
    assert values[1] == pytest.approx(1, abs=1e-9)
    assert values[2] > 1.05


def test_a_flat_sr_conveys_nothing_and_one_turned_over_neither() -> None:
    assert vif(np.full_like(GREY, 99), GREY) == 0.0
    assert vif(255 - GREY, GREY) == 0.0


def test_the_protocol_is_applied() -> None:
    sr = noisy(HR, 10)
    planes = [luma(image) for image in (sr, HR)]
    assert vif(sr, HR) == vif(*planes, quantise="none", grey="keep")
    rounded = [quantise(plane) for plane in planes]
    assert vif(sr, HR, quantise="both") == vif(*rounded, quantise="none", grey="keep")
    inner = (slice(8, -8), slice(8, -8))
    assert vif(sr, HR, shave=8) == vif(sr[inner], HR[inner])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused, match="SR is 105 x 96, HR is 105 x 97"):
        vif(HR[:96], HR)
    with pytest.raises(Refused, match="40 x 41 pixels to compare; VIF needs 41 x 41 or more"):
        vif(HR[:41, :40], HR[:41, :40])
    with pytest.raises(Refused, match="the HR image is flat"):
        vif(GREY, np.full_like(GREY, 99))
