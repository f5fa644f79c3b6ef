"""MS-SSIM: golden numbers of Wang's script, a slow twin written with 2-D windows, and its laws."""

import numpy as np
import pytest
from declared import declared, names
from scipy import signal
from shrunk import pair, rows
from skimage import data

from acutance.errors import Refused
from acutance.image import luma, quantise
from acutance.metrics.ms_ssim import ms_ssim
from acutance.metrics.ssim import ssim

HR = data.astronaut()[100:308, 180:388]  # 208 = 13 * 16: no scale has an odd side
GREY = data.camera()[100:308, 180:388]
NAMES = names("ms_ssim")
TURNS = {
    "left-right": lambda x: x[:, ::-1],
    "up-down": lambda x: x[::-1],
    "transposed": lambda x: np.swapaxes(x, 0, 1),
}


def noisy(hr: np.ndarray, sigma: float) -> np.ndarray:
    return quantise(hr + np.random.default_rng(0).normal(0, sigma, hr.shape))


def twin(x: np.ndarray, y: np.ndarray) -> float:
    """MS-SSIM with whole windows, every mean and deviation written out; no negative structure."""
    grid = np.mgrid[-5:6, -5:6]
    bell = np.exp(-(grid**2).sum(axis=0) / 4.5)
    bell /= bell.sum()
    half = np.full((2, 2), 0.25)
    value = 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        a, b = (np.lib.stride_tricks.sliding_window_view(z, (11, 11)) for z in (x, y))
        mean_a, mean_b = ((z * bell).sum(axis=(2, 3)) for z in (a, b))
        off_a, off_b = a - mean_a[..., None, None], b - mean_b[..., None, None]
        both = (off_a * off_b * bell).sum(axis=(2, 3))
        spread = ((off_a**2 + off_b**2) * bell).sum(axis=(2, 3))
        index = (2 * both + (0.03 * 255) ** 2) / (spread + (0.03 * 255) ** 2)
        if scale == 4:
            c1 = (0.01 * 255) ** 2
            index = index * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        value *= index.mean() ** weight
        # 2 x 2 means of pixels 0 and 1, 2 and 3, ...; a lone last one is met twice
        x, y = (
            signal.convolve2d(np.pad(z, (0, 1), "symmetric"), half, "valid")[::2, ::2]
            for z in (x, y)
        )
    return value


def test_it_is_declared() -> None:
    assert NAMES


@pytest.mark.parametrize("row", rows("ms_ssim_float"), ids=lambda r: f"{r['picture']}-{r['width']}")
def test_it_is_what_wangs_script_says(row) -> None:
    value = declared("ms_ssim_float", int(row["scale"]))(*pair(row))
    assert value == pytest.approx(float(row["value"]), rel=1e-13)


@pytest.mark.parametrize("size", [(176, 176), (181, 190), (207, 177)])
def test_it_is_what_whole_windows_say(size: tuple[int, int]) -> None:
    hr = GREY[: size[0], : size[1]]
    sr = noisy(hr, 12)
    expected = twin(sr.astype(float), hr.astype(float))
    assert ms_ssim(sr, hr, grey="keep") == pytest.approx(expected, rel=1e-12)
    assert 0.5 < expected < 0.99


def test_by_hand() -> None:
    """No contrast, so luminance at the fifth scale alone: SSIM's to the power 0.1333."""
    dark, light = (np.full((176, 176), value, np.uint8) for value in (100, 130))
    alone = ssim(light, dark, grey="keep")
    assert alone == pytest.approx((2 * 100 * 130 + 6.5025) / (100**2 + 130**2 + 6.5025))
    assert ms_ssim(light, dark, grey="keep") == pytest.approx(alone**0.1333, rel=1e-9)


def test_what_is_turned_over_is_worth_nothing() -> None:
    """The script's value is a complex number here."""
    hr = np.random.default_rng(0).integers(0, 256, (176, 176), dtype=np.uint8)
    assert ms_ssim(255 - hr, hr, grey="keep") == 0.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hr", [HR, GREY], ids=["colour", "grey"])
def test_best_at_identity_and_worse_under_noise(name: str, hr: np.ndarray) -> None:
    values = [declared(name, 3)(noisy(hr, sigma), hr) for sigma in (0, 2, 8, 32)]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("turn", TURNS)
def test_turning_both_images_changes_nothing(turn: str) -> None:
    """Where every scale has even sides; an odd last pixel counts once, and is last on one side."""
    turned = TURNS[turn]
    sr = noisy(HR, 10)
    assert ms_ssim(turned(sr), turned(HR)) == pytest.approx(ms_ssim(sr, HR), rel=1e-12)


def test_coarse_scales_forgive_fine_noise() -> None:
    sr = noisy(GREY, 20)
    assert ms_ssim(sr, GREY) > ssim(sr, GREY) + 0.1


def test_the_protocol_is_applied() -> None:
    sr = noisy(HR, 10)
    planes = [luma(image) for image in (sr, HR)]
    assert ms_ssim(sr, HR) == ms_ssim(*planes, quantise="none", grey="keep")
    rounded = [quantise(plane) for plane in planes]
    assert ms_ssim(sr, HR, quantise="both") == ms_ssim(*rounded, quantise="none", grey="keep")
    inner = (slice(8, -8), slice(8, -8))
    assert ms_ssim(sr, HR, shave=8) == ms_ssim(sr[inner], HR[inner])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused, match="SR is 208 x 207, HR is 208 x 208"):
        ms_ssim(HR[:207], HR)
    with pytest.raises(Refused, match="175 x 176 pixels to compare; MS-SSIM needs 176 x 176"):
        ms_ssim(HR[:176, :175], HR[:176, :175])
    with pytest.raises(Refused, match="174 x 174 pixels to compare"):
        ms_ssim(HR, HR, shave=17)
