"""Entropy: by hand, by scikit-image, and its laws; SR does not matter."""

import math

import numpy as np
import pytest
from declared import declared, names
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.measure import shannon_entropy

from acutance.errors import Refused
from acutance.image import luma, quantise
from acutance.metrics.entropy import entropy

HR = data.astronaut()[100:180, 200:296]
GREY = data.camera()[100:180, 200:296]
NAMES = names("entropy")


def own(hr: np.ndarray, **arguments: object) -> float:
    return entropy(hr, hr, **arguments)


def test_it_is_declared() -> None:
    assert NAMES


def test_by_hand() -> None:
    """Shares 1/2, 1/4, 1/8, 1/8: 1/2 * 1 + 1/4 * 2 + 2 * 1/8 * 3 = 1.75 bits."""
    hr = np.array([[7, 7, 7, 7], [9, 9, 200, 255]], np.uint8)
    assert own(hr, grey="keep") == 1.75
    # counted as RGB, 16 + 219/255 of each: 22, 24, 188, 235
    assert own(hr, grey="rgb") == 1.75
    # 18.58 and 19.44 are both 19
    assert own(np.array([[3, 4]], np.uint8), grey="rgb") == 0


@pytest.mark.parametrize("hr", [HR, GREY, data.chelsea()], ids=["colour", "grey", "cat"])
@pytest.mark.parametrize(("channel", "dialect"), [("y", "bt601"), ("y_edsr", "edsr")])
def test_as_scikit_image_has_it(hr: np.ndarray, channel: str, dialect: str) -> None:
    coloured = hr if hr.ndim == 3 else np.repeat(hr[..., None], 3, axis=2)
    wanted = shannon_entropy(quantise(luma(coloured, dialect)))
    assert own(hr, channel=channel, grey="rgb") == pytest.approx(wanted, rel=1e-12)
    assert 5 < wanted < 8


def test_a_grey_picture_kept_is_not_rounded_anew() -> None:
    assert own(GREY, grey="keep") == pytest.approx(shannon_entropy(GREY), rel=1e-12)
    assert own(GREY, grey="rgb") < own(GREY, grey="keep")  # 256 values become 220


@pytest.mark.parametrize("value", [0, 77, 255])
def test_one_value_carries_nothing(value: int) -> None:
    found = own(np.full((5, 4, 3), value, np.uint8))
    assert found == 0
    assert math.copysign(1, found) == 1


def test_all_values_equally_many_carry_8_bits() -> None:
    hr = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(24, 32)
    assert own(hr, grey="keep") == 8
    assert own(hr[:, :1] // 128, grey="keep") == 1  # of 24 pixels half are below 128


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hr", [HR, GREY], ids=["colour", "grey"])
def test_where_a_pixel_lies_does_not_matter(name: str, hr: np.ndarray) -> None:
    metric = declared(name, 4)
    wanted = metric(hr, hr)
    flat = hr.reshape(-1, *hr.shape[2:])
    mixed = np.random.default_rng(0).permutation(flat).reshape(hr.shape)
    for other in (hr[::-1], hr[:, ::-1], np.swapaxes(hr, 0, 1), mixed):
        assert metric(other, other) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_sr_does_not_matter(name: str) -> None:
    metric = declared(name, 4)
    wanted = metric(HR, HR)
    assert metric(255 - HR, HR) == wanted
    assert metric(1.7 * HR - 20.3, HR) == wanted


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 256), st.integers(1, 30), st.integers(0, 99))
def test_it_is_at_most_the_logarithm_of_how_many_values_there_are(values, side, seed) -> None:
    hr = np.random.default_rng(seed).integers(0, values, (side, side), dtype=np.uint8)
    found = own(hr, grey="keep")
    assert 0 <= found <= math.log2(len(np.unique(hr))) + 1e-12


def test_shave_leaves_out_the_border() -> None:
    hr = np.full((8, 8), 9, np.uint8)
    hr[0] = np.arange(8)
    assert own(hr, grey="keep") > 0
    assert own(hr, grey="keep", shave=1) == 0


def test_sr_of_another_size_is_refused() -> None:
    with pytest.raises(Refused, match="SR is 96 x 79, HR is 96 x 80"):
        entropy(HR[:79], HR)
