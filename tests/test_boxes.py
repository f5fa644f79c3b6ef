"""Where boxes lie: by hand on made images, and against every place tried one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance.boxes import Box, spread, whole, widest


def field_of(height, width, marks):
    field = np.zeros((height, width), np.int64)
    for row, column, value in marks:
        field[row, column] = value
    return field


def test_spread_by_hand():
    """Lumas of black, grey 51 and white are 16, 60 (59.8) and 235: 3 * 59081 - 311^2 = 80522."""
    pixels = [np.full((1, 2, 3), value, np.uint8) for value in (0, 51, 255)]
    assert spread(pixels).tolist() == [[80522, 80522]]
    assert spread(pixels[:1]).tolist() == [[0, 0]], "one image differs from nothing"
    assert spread([pixels[1], pixels[1][..., 0]]).tolist() == [[0, 0]], "grey is three channels"


def test_a_box_by_hand():
    """4 x 4 on a grid of 2 in 16 x 12; two marks of 5 together beat one of 9."""
    field = field_of(16, 12, [(2, 2, 9), (9, 6, 5), (10, 7, 5)])
    assert widest(field, 4, 2) == Box(x=4, y=8, width=4, height=4, spread=10 // 16)
    found = widest(field * 16, 4, 2)
    assert (found.spread, found.of(field).sum()) == (10, 10)


def test_of_equal_places_the_first_counts_and_borders_do_not():
    assert widest(np.ones((20, 20), np.int64), 8, 4) == Box(x=4, y=4, width=8, height=8, spread=1)
    field = field_of(20, 20, [(0, 0, 1000), (19, 19, 1000), (10, 10, 1)])
    assert widest(field, 4, 4) == Box(x=8, y=8, width=4, height=4, spread=0)


def test_an_image_smaller_than_the_box_is_shown_whole():
    field = field_of(8, 30, [(4, 20, 64)])
    found = widest(field, 16, 4)
    assert (found.y, found.height, found.width) == (0, 8, 16)
    assert found.of(field).sum() == 64
    assert widest(np.ones((4, 4), np.int64), 64, 4) == whole(np.ones((4, 4), np.int64))


@given(st.integers(0, 2**32), st.integers(9, 24), st.integers(9, 24), st.sampled_from([1, 2, 3]))
def test_no_other_place_holds_more(seed, height, width, step):
    field = np.random.default_rng(seed).integers(0, 50, (height, width))
    found = widest(field, 4, step)
    side = 4 // step * step
    assert (found.width, found.height) == (side, side)
    assert found.x % step == found.y % step == 0
    for y in range(step, height - side - step + 1, step):
        for x in range(step, width - side - step + 1, step):
            assert field[y : y + side, x : x + side].sum() <= found.of(field).sum()


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_a_box_is_a_view_of_an_image(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    part = Box(x=2, y=1, width=4, height=3, spread=0).of(image)
    assert part.shape[:2] == (3, 4)
    assert part.flat[0] == image[1, 2].flat[0]
    assert np.shares_memory(part, image)
