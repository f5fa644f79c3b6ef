"""MATLAB's reduction, pixel by pixel, against MATLAB's files and against exact fractions."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from acutance.degradations.imresize import EXACT_SCALES, imresize
from acutance.image import read_image

SMALL = st.tuples(st.integers(8, 23), st.integers(8, 23))


def cubic(x: Fraction) -> Fraction:
    x = abs(x)
    if x <= 1:
        return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
    return -(x**3) / 2 + Fraction(5, 2) * x**2 - 4 * x + 2 if x < 2 else Fraction(0)


def shrink_rows(image: np.ndarray, scale: int, padding: str) -> np.ndarray:
    """One pass in exact integers: weights as fractions over one denominator, then half up."""
    size = len(image)
    span = range(-2 * scale - 1, 3 * scale + 2)
    centre = Fraction(scale - 1, 2)
    taps = {k: cubic((centre - k) / scale) for k in span}
    total = sum(taps.values())
    whole = math.lcm(*((tap / total).denominator for tap in taps.values()))
    weights = {k: tap / total * whole for k, tap in taps.items() if tap}
    rows = []
    for row in range(size // scale):
        summed = np.zeros(image.shape[1:], object)
        for k, weight in weights.items():
            place = row * scale + k
            if padding == "replicate":
                place = min(max(place, 0), size - 1)
            else:
                place %= 2 * size
                place = min(place, 2 * size - 1 - place)
            summed = summed + int(weight) * image[place].astype(object)
        rows.append((2 * summed + whole) // (2 * whole))
    return np.clip(np.array(rows), 0, 255).astype(np.uint8)


def exact(hr: np.ndarray, scale: int, padding: str) -> np.ndarray:
    height, width = (side // scale * scale for side in hr.shape[:2])
    tall = shrink_rows(hr[:height, :width], scale, padding)
    return shrink_rows(tall.swapaxes(0, 1), scale, padding).swapaxes(0, 1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_pixel_that_matlab_wrote_is_met(photographs: Path, scale: int) -> None:
    folder = photographs / "matlab-lr" / f"Set5_x{scale}"
    files = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".webp", ".bmp"))
    assert len(files) == 5
    for path in files:
        name = path.stem.removesuffix(f"x{scale}")
        hr = read_image(photographs / "Set5" / f"{name}.png")
        np.testing.assert_array_equal(imresize(hr, scale), read_image(path), err_msg=path.name)


@pytest.mark.parametrize("padding", ["symmetric", "replicate"])
@pytest.mark.parametrize("scale", EXACT_SCALES)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_equals_exact_fractions_whatever_the_pixels(scale, padding, data) -> None:
    # Black and white alone give the widest overshoots, and with few grey levels ties abound.
    levels = st.sampled_from([0, 1, 2, 127, 128, 254, 255])
    shape = data.draw(SMALL)
    hr = data.draw(arrays.arrays(np.uint8, shape, elements=levels, fill=st.just(255)))
    np.testing.assert_array_equal(imresize(hr, scale, padding=padding), exact(hr, scale, padding))


@pytest.mark.parametrize("scale", EXACT_SCALES)
def test_equals_exact_fractions_on_noise_in_colour(scale: int) -> None:
    for seed, high in ((0, 256), (1, 4)):  # 4 grey levels: thousands of exact halves at scale 2
        hr = np.random.default_rng(seed).integers(0, high, (61, 83, 3), dtype=np.uint8)
        np.testing.assert_array_equal(imresize(hr, scale), exact(hr, scale, "symmetric"))


@pytest.mark.parametrize(("centre", "others", "residue"), [(0, 249, 40), (249, 0, 41)])
def test_scale_3_holds_where_rounded_weights_err_most(centre, others, residue) -> None:
    """Sums of n/81 next to a half, from the pixels that rounding the weights moves furthest."""
    taps = np.array([-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1])
    pixels = np.random.default_rng(0).integers(0, 7, (20_000, 11)) + others
    pixels[:, 5] += centre - others
    nearest = pixels[(pixels @ taps) % 81 == residue]
    assert len(nearest) > 100
    hr = np.zeros((33, 3), np.uint8)  # equal columns: the second pass changes nothing
    for column in nearest[:100]:
        hr[11:22] = column[:, None]
        total = int(column @ taps)
        assert imresize(hr, 3)[5, 0] == np.clip((2 * total + 81) // 162, 0, 255)


def test_a_tie_is_rounded_up() -> None:
    hr = np.zeros((16, 2), np.uint8)
    hr[6:8] = [[128, 128], [0, 0]]  # 128 * 111 / 256 = 55.5
    assert imresize(hr, 2)[3].tolist() == [56]
    assert imresize(hr, 2, rounding="none")[3].tolist() == [55.5]


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
@pytest.mark.parametrize("padding", ["symmetric", "replicate"])
def test_unrounded_agrees_with_the_rounded_to_two_roundings(scale: int, padding) -> None:
    hr = np.random.default_rng(2).integers(60, 190, (40, 47, 3), dtype=np.uint8)
    double = imresize(hr, scale, padding=padding, rounding="none")
    assert double.dtype == np.float64
    # half a level from each pass; the first is carried through weights of at most 1.2 in sum
    assert np.abs(double - imresize(hr, scale, padding=padding)).max() < 0.5 + 0.5 * 1.2


def test_paddings_differ_at_the_border_only() -> None:
    hr = np.random.default_rng(3).integers(0, 256, (32, 32), dtype=np.uint8)
    differs = imresize(hr, 2) != imresize(hr, 2, padding="replicate")
    assert differs.any()
    assert not differs[2:-2, 2:-2].any()


def test_turns_with_the_image_where_nothing_is_rounded() -> None:
    hr = np.random.default_rng(4).integers(0, 256, (24, 36), dtype=np.uint8)
    double = imresize(hr, 3, rounding="none")
    np.testing.assert_allclose(imresize(hr[::-1], 3, rounding="none"), double[::-1], atol=1e-11)
    np.testing.assert_allclose(imresize(hr.T, 3, rounding="none"), double.T, atol=1e-11)


def test_too_small_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 x 9 is smaller than the scale 4"):
        imresize(np.zeros((9, 3), np.uint8), 4)
