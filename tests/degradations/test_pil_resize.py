"""Pillow's reduction, with the crop of a careful protocol and without it as GV released it."""

import numpy as np
import pytest
from PIL import Image

from acutance.degradations.pil_resize import pil_resize

HR = np.random.default_rng(0).integers(0, 256, (25, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_is_pillow_on_the_cropped_image(kernel) -> None:
    expected = Image.fromarray(HR[:24, :30]).resize((10, 8), Image.Resampling[kernel.upper()])
    np.testing.assert_array_equal(pil_resize(HR, 3, kernel=kernel), np.asarray(expected))


def test_without_crop_the_grids_drift_apart() -> None:
    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (25, 1))
    kept, squeezed = pil_resize(ramp, 3), pil_resize(ramp, 3, crop=False)
    assert kept.shape == squeezed.shape == (8, 10)
    drift = squeezed[4].astype(int) - kept[4]
    # 32 / 10 = 3.2 instead of 3 source pixels a step: 0.1 of 8 levels at first, 1.9 of 8 at last
    assert drift[0] <= 1
    assert drift[-1] >= 14


def test_crop_changes_nothing_where_sides_are_multiples() -> None:
    np.testing.assert_array_equal(
        pil_resize(HR[:24, :30], 3), pil_resize(HR[:24, :30], 3, crop=False)
    )


def test_too_small_is_an_error_with_and_without_crop() -> None:
    for crop in (True, False):
        with pytest.raises(ValueError, match="3 x 9 is smaller than the scale 4"):
            pil_resize(np.zeros((9, 3), np.uint8), 4, crop=crop)
