"""Weights and the resize in double, against an independent reading of imresize."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.resize import resize, weights


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def slowly(signal: list[float], size: int, padding: str) -> list[float]:
    """One side, written as MATLAB documents it, one output pixel and one tap at a time."""
    length = len(signal)
    scale = size / length
    squeeze = min(scale, 1.0)
    result = []
    for k in range(1, size + 1):
        u = k / scale + 0.5 * (1 - 1 / scale)
        total = norm = 0.0
        for place in range(int(u - 2 / squeeze) - 2, int(u + 2 / squeeze) + 3):
            weight = cubic(squeeze * (u - place))
            inside = min(max(place, 1), length)
            if padding == "symmetric":
                mirrored = (place - 1) % (2 * length)
                inside = 1 + min(mirrored, 2 * length - 1 - mirrored)
            total += weight * signal[inside - 1]
            norm += weight
        result.append(total / norm)
    return result


@settings(deadline=None, max_examples=60)
@given(
    signal=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20),
    size=st.integers(1, 40),
    padding=st.sampled_from(["symmetric", "replicate"]),
)
def test_one_side_is_what_matlab_documents(signal, size, padding) -> None:
    column = np.array(signal)[:, None]
    found = resize(column, size, 1, padding=padding)[:, 0]
    np.testing.assert_allclose(found, slowly(signal, size, padding), atol=1e-9)


@pytest.mark.parametrize("kernel", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("before", "after"), [(12, 6), (12, 5), (6, 12), (7, 21), (3, 1), (1, 4)])
@pytest.mark.parametrize("antialias", [True, False])
def test_rows_sum_to_one_and_stay_inside(kernel, before, after, antialias) -> None:
    for padding in ("symmetric", "replicate"):
        indices, taps = weights(before, after, kernel, antialias, padding)
        np.testing.assert_allclose(taps.sum(axis=1), 1, rtol=1e-14)
        assert indices.shape == taps.shape
        assert len(indices) == after
        assert indices.min() >= 0
        assert indices.max() < before


def test_weights_of_scale_2_are_n_over_256() -> None:
    _, taps = weights(40, 20, "bicubic", padding="symmetric", antialias=True)
    assert (taps[10] * 256).tolist() == [-3, -9, 29, 111, 111, 29, -9, -3]


def test_same_size_is_the_same_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize(image, 9, 13), image)


def test_rows_and_columns_are_resized_alike() -> None:
    image = np.random.default_rng(0).random((9, 13, 3))
    turned = resize(image.swapaxes(0, 1), 26, 27).swapaxes(0, 1)
    np.testing.assert_allclose(turned, resize(image, 27, 26), atol=1e-14)


def test_no_side_is_below_one_pixel() -> None:
    with pytest.raises(ValueError, match="a side of 4 pixels cannot become one of 0"):
        weights(4, 0, "bicubic", padding="symmetric", antialias=True)
