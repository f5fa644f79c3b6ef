"""Laws of PSNR and SSIM in every declared protocol, and agreement with scikit-image."""

import math

import numpy as np
import pytest
from declared import declared, names
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from acutance.errors import Refused
from acutance.image import luma, quantise, shave
from acutance.metrics.psnr import psnr
from acutance.metrics.ssim import ssim

HR = data.astronaut()[100:180, 200:296]
GREY = data.camera()[100:180, 200:296]
NAMES = names("psnr", "ssim")
TURNS = {
    "left-right": lambda x: x[:, ::-1],
    "up-down": lambda x: x[::-1],
    "transposed": lambda x: np.swapaxes(x, 0, 1),
}


def noisy(hr: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, hr.shape)
    return quantise(hr + noise)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hr", [HR, GREY], ids=["colour", "grey"])
def test_best_at_identity_and_worse_under_noise(name: str, hr: np.ndarray) -> None:
    metric = declared(name, 3)
    values = [metric(noisy(hr, sigma), hr) for sigma in (0, 2, 8, 32)]
    assert values[0] == (1.0 if "ssim" in name else math.inf)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("turn", TURNS)
def test_turning_both_images_changes_nothing(name: str, turn: str) -> None:
    metric, turned = declared(name, 2), TURNS[turn]
    sr = noisy(HR, 10)
    assert metric(turned(sr), turned(HR)) == pytest.approx(metric(sr, HR), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_grey_picture_in_three_equal_channels_is_still_that_picture(name: str) -> None:
    metric = declared(name, 2)
    sr = noisy(GREY, 10)
    coloured = np.repeat(sr[..., None], 3, axis=2)
    assert metric(coloured, GREY) == pytest.approx(metric(sr, GREY), rel=1e-9)


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith("_gv")])
def test_8_bit_protocols_do_not_see_what_rounding_takes_away(name: str) -> None:
    metric = declared(name, 2)
    sr = noisy(HR, 10)
    assert metric(sr.astype(np.float32), HR) == metric(sr, HR)
    if "classic" not in name:  # there the network gives luma, and only luma is rounded
        assert metric(sr + 0.4, HR) == metric(sr, HR)
        assert metric(sr - 0.5, HR) == metric(sr, HR)


@pytest.mark.parametrize("name", ["psnr_gv", "ssim_gv"])
def test_gv_sees_fractions_and_overshoot(name: str) -> None:
    metric = declared(name, 2)
    assert metric(noisy(HR, 10) + 0.4, HR) != metric(noisy(HR, 10), HR)
    beyond = np.where(HR == 255, 300.0, HR)
    assert metric(beyond, HR) < metric(HR, HR)


def test_psnr_by_hand_and_by_scikit_image() -> None:
    sr = noisy(HR, 10)
    assert psnr(HR - 5.0, HR, channel="rgb", quantise="none") == pytest.approx(
        20 * math.log10(255 / 5)
    )
    assert psnr(sr, HR, channel="rgb") == pytest.approx(
        peak_signal_noise_ratio(HR, sr, data_range=255), rel=1e-13
    )
    assert psnr(sr, HR, shave=7) == psnr(shave(sr, 7), shave(HR, 7))


@settings(deadline=None, max_examples=20)
@given(
    height=st.integers(11, 40), width=st.integers(11, 40), seed=st.integers(0, 99),
    spread=st.sampled_from([0, 1, 5, 100]),
)  # fmt: skip
def test_ssim_is_scikit_images_to_12_digits(height, width, seed, spread) -> None:
    rng = np.random.default_rng(seed)
    hr = rng.integers(0, 256, (height, width), dtype=np.uint8)
    sr = quantise(hr + rng.normal(0, spread, hr.shape))
    expected = structural_similarity(
        hr, sr, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(sr, hr, grey="keep") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("side", "factor"), [(383, 1), (384, 2), (639, 2), (640, 3), (897, 4)])
def test_shrink_is_a_box_filter_thinned(side: int, factor: int) -> None:
    rng = np.random.default_rng(side)
    hr = rng.integers(0, 256, (side, side + 30), dtype=np.uint8)
    sr = noisy(hr, 20)
    box = np.full((factor, factor), 1 / factor**2)
    # MATLAB's imfilter: mirrored border, and an even box has one more pixel after than before
    before, after = (factor - 1) // 2, factor // 2
    small = [
        signal.convolve2d(np.pad(x, (before, after), "symmetric"), box, "valid")
        for x in (sr.astype(float), hr.astype(float))
    ]
    thinned = [x[::factor, ::factor] for x in small]
    expected = ssim(thinned[0], thinned[1], quantise="none", grey="keep")
    assert ssim(sr, hr, grey="keep", shrink=True) == pytest.approx(expected, abs=1e-12)


def test_symmetric_border_counts_every_pixel() -> None:
    hr = GREY
    sr = hr.copy()
    sr[:3, :3] ^= 128  # seen by few windows that lie inside, by many that reach over the border
    assert ssim(sr, hr, grey="keep", border="symmetric") < ssim(sr, hr, grey="keep")


def test_grey_kept_or_counted_as_rgb() -> None:
    sr = noisy(GREY, 10)
    kept, counted = psnr(sr, GREY, grey="keep"), psnr(sr, GREY, grey="rgb")
    # studio luma squeezes 0-255 into 16-235: 20 log10(255 / 219) = 1.32 dB
    assert counted - kept == pytest.approx(20 * math.log10(255 / 219), abs=1e-9)
    assert kept == pytest.approx(peak_signal_noise_ratio(GREY, sr, data_range=255), rel=1e-13)


def test_edsr_luma_differs_from_bt601_by_its_range() -> None:
    white = np.full((2, 2, 3), 255, np.uint8)
    assert luma(white, "edsr")[0, 0] == pytest.approx(255 * (65.738 + 129.057 + 25.064) / 256)
    assert luma(white)[0, 0] == pytest.approx(235)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_what_does_not_fit_is_refused(metric) -> None:
    with pytest.raises(Refused, match="SR is 96 x 79, HR is 96 x 80"):
        metric(HR[:79], HR)
    with pytest.raises(Refused, match="SR is grey, HR is in colour"):
        metric(HR[..., 0], HR)
    with pytest.raises(Refused, match="cannot shave 40 pixels off each side of an image of 96 x 8"):
        metric(HR, HR, shave=40)


def test_ssim_wants_room_for_one_window() -> None:
    assert ssim(HR[:11, :11], HR[:11, :11]) == 1.0
    with pytest.raises(Refused, match="10 x 11 pixels to compare; SSIM needs 11 x 11"):
        ssim(HR[:11, :10], HR[:11, :10])
