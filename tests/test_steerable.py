"""The steerable pyramid: single waves go where they belong, and no energy is lost or made."""

import numpy as np
import pytest
from skimage import data

from acutance.steerable import steerable

IMAGE = data.camera()[100:180, 200:280]


def wave(side: int, down: int, right: int) -> np.ndarray:
    """A cosine of so many periods over the image."""
    rows, columns = np.mgrid[:side, :side] / side
    return np.cos(2 * np.pi * (down * rows + right * columns) + 0.3)


def energy(bands: list[np.ndarray]) -> list[float]:
    return [float(np.square(band).sum()) for band in bands]


@pytest.mark.parametrize(("down", "right"), [(0, 10), (10, 0), (6, 8), (-6, 8), (8, 6)])
def test_a_wave_at_half_of_nyquist_is_in_the_first_scale_whole(down: int, right: int) -> None:
    """10 periods over 40 pixels, at any angle: 6^2 + 8^2 = 10^2."""
    image = wave(40, down, right)
    high, (first, _) = steerable(image, 2, 6)
    assert np.abs(high).max() < 1e-12
    assert sum(energy(first)) == pytest.approx(np.square(image).sum(), rel=1e-4)  # of a table


@pytest.mark.parametrize(
    ("down", "right", "index"), [(0, 10, 0), (5, 9, 1), (9, 5, 2), (10, 0, 3), (9, -5, 4)]
)
def test_it_is_strongest_in_the_orientation_nearest_to_it(down, right, index) -> None:
    _, (first, _) = steerable(wave(40, down, right), 2, 6)
    found = energy(first)
    assert int(np.argmax(found)) == index
    opposite = found[(index + 3) % 6]
    assert opposite < 1e-3 * found[index]


def test_a_slower_wave_is_in_the_second_scale_and_one_at_nyquist_above_all() -> None:
    high, (first, second) = steerable(wave(40, 0, 5), 2, 6)
    assert np.abs(high).max() < 1e-12
    assert max(energy(first)) < 1e-12
    # a quarter of the pixels, of 4 times the strength
    whole = 4**2 / 4 * np.square(wave(40, 0, 5)).sum()
    assert sum(energy(second)) == pytest.approx(whole, rel=1e-4)
    checks = np.indices((40, 40)).sum(axis=0) % 2 * 2.0 - 1
    high, levels = steerable(checks, 2, 6)
    assert high == pytest.approx(checks)
    assert max(energy([band for level in levels for band in level])) < 1e-20


@pytest.mark.parametrize(("height", "width"), [(80, 80), (79, 80), (61, 42), (33, 47)])
def test_sizes_halve_rounded_up(height: int, width: int) -> None:
    high, levels = steerable(IMAGE[:height, :width], 2, 4)
    assert high.shape == (height, width)
    half = (-(-height // 2), -(-width // 2))
    assert [[band.shape for band in level] for level in levels] == [
        [(height, width)] * 4,
        [half] * 4,
    ]


def test_it_is_linear_and_brightness_is_not_in_it() -> None:
    high, levels = steerable(IMAGE, 2, 6)
    more, brighter = steerable(3.0 * IMAGE + 7, 2, 6)
    assert more == pytest.approx(3 * high, abs=1e-9)
    for ours, theirs in zip(levels, brighter, strict=True):
        for band, other in zip(ours, theirs, strict=True):
            assert other == pytest.approx(3 * band, abs=1e-9)


def test_a_quarter_turn_moves_orientations_by_half_their_number() -> None:
    """Of a periodic image: turned about pixel 0, so that the centre of frequencies stays."""
    image = IMAGE.astype(float)
    turned = np.roll(np.rot90(image), 1, axis=0)  # (row, column) to (-column, row), modulo 80
    _, (upright, _) = steerable(image, 2, 6)
    _, (quarter, _) = steerable(turned, 2, 6)
    assert energy([quarter[(n + 3) % 6] for n in range(6)]) == pytest.approx(
        energy(upright), rel=1e-4
    )
