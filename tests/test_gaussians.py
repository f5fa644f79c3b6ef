"""Fits of generalised Gaussians: drawn samples, hand-computed moments, and every table entry."""

import math

import numpy as np
import pytest
from scipy import stats

from acutance.gaussians import symmetric_shape, two_sided

STEP = 0.001


def drawn(shape: float, scale: float, count: int = 50_000) -> np.ndarray:
    """Quantiles of the distribution, evenly spread: a sample without chance in it."""
    at = (np.arange(count) + 0.5) / count
    return stats.gennorm.ppf(at, shape, scale=scale)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 5.0])
def test_it_finds_the_shape_that_was_drawn(shape: float) -> None:
    samples = drawn(shape, 3.0)
    assert symmetric_shape(samples + 17) == pytest.approx(shape, rel=0.02)
    found, left, right = two_sided(samples)
    assert found == pytest.approx(shape, rel=0.02)
    assert left == pytest.approx(right, rel=1e-9)
    assert left == pytest.approx(3, rel=0.02)


def test_two_sides_of_different_scale() -> None:
    """An AGGD holds samples on each side in proportion to that side's scale."""
    half = np.abs(drawn(1.0, 1.0))
    samples = np.concatenate(
        [-2 * half, -2 * half, 6 * half, 6 * half, 6 * half, 6 * half, 6 * half, 6 * half]
    )
    shape, left, right = two_sided(samples)
    assert shape == pytest.approx(1, rel=0.02)
    assert left == pytest.approx(2, rel=0.02)
    assert right == pytest.approx(6, rel=0.02)


def test_by_hand() -> None:
    """-1 and +1 alike: as even as a distribution can be, so the last shape of the table."""
    samples = np.array([-1.0, 1.0] * 4)
    shape, left, right = two_sided(samples)
    assert shape == pytest.approx(10)
    assert left == right == pytest.approx(math.sqrt(math.gamma(0.1) / math.gamma(0.3)))
    assert symmetric_shape(samples) == pytest.approx(10)
    # one 7 among seven -1, mean 0: variance (49 + 7) / 7 = 8, mean deviation 14 / 8 = 1.75
    spiked = np.array([7.0] + [-1.0] * 7)
    ratio = 8 / (1.75**2 + 1e-7)
    found = float(symmetric_shape(spiked))
    assert math.gamma(1 / found) * math.gamma(3 / found) / math.gamma(2 / found) ** 2 == (
        pytest.approx(ratio, rel=1e-3)
    )


def test_the_nearest_entry_is_the_one_that_a_search_through_all_finds() -> None:
    samples = np.random.default_rng(0).standard_t(3, (300, 48))
    shapes = 0.03 + STEP * np.arange(9971)
    table = np.array(
        [math.gamma(1 / g) * math.gamma(3 / g) / math.gamma(2 / g) ** 2 for g in shapes]
    )
    off = samples - samples.mean(axis=1, keepdims=True)
    ratios = samples.var(axis=1, ddof=1) / (np.abs(off).mean(axis=1) ** 2 + 1e-7)
    wanted = shapes[np.abs(table - ratios[:, None]).argmin(axis=1)]
    assert np.array_equal(symmetric_shape(samples), wanted)


def test_a_side_without_samples_has_no_scale() -> None:
    samples = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.0, 3.0], [-1.0, -2.0, 0.0, 3.0]])
    shape, left, right = two_sided(samples)
    assert shape[:2] == pytest.approx(0.2)
    assert np.isnan(left).tolist() == [True, True, False]
    assert np.isnan(right).tolist() == [True, False, False]
    assert symmetric_shape(samples)[0] == pytest.approx(10)  # no spread


def test_zeros_lie_on_neither_side() -> None:
    samples = np.array([-3.0, -1.0, 2.0, 4.0])
    with_zeros = np.concatenate([samples, np.zeros(4)])
    root = math.sqrt(10 / 5)  # both have the same deviations; only the shape differs
    shapes, left, _ = zip(two_sided(samples), two_sided(with_zeros), strict=True)
    assert shapes[0] > shapes[1]
    scale = [
        side / math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
        for side, shape in zip(left, shapes, strict=True)
    ]
    assert scale == pytest.approx([root * math.sqrt(5 / 2)] * 2)
