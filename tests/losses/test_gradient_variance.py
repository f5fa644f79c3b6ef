"""Gradient variance: by hand, by a slow NumPy version of the equations, and its edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate

from acutance.errors import Refused
from acutance.losses.gradient_variance import gradient_variance

SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SOBEL_Y = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])


def slow_variances(image, kernel, patch):
    """One (3 or 1, H, W) image: a list of the patches' unbiased variances."""
    grey = np.tensordot([0.2989, 0.5870, 0.1140], image, 1) if len(image) == 3 else image[0]
    gradient = correlate(grey, kernel, mode="constant")
    return [
        np.var(gradient[i : i + patch, j : j + patch], ddof=1)
        for i in range(0, grey.shape[0] - patch + 1, patch)
        for j in range(0, grey.shape[1] - patch + 1, patch)
    ]


def slow(sr, hr, patch):
    total = 0
    for kernel in (SOBEL_X, SOBEL_Y):
        a = np.array([slow_variances(image, kernel, patch) for image in sr])
        b = np.array([slow_variances(image, kernel, patch) for image in hr])
        total += np.mean((a - b) ** 2)
    return total


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 3), st.sampled_from([1, 3]), *[st.integers(8, 21)] * 2),
    patch=st.integers(2, 8),
    seed=st.integers(0, 99),
)
def test_equals_the_equations_written_out(shape, patch, seed):
    sr, hr = np.random.default_rng(seed).random((2, *shape))
    found = gradient_variance(torch.from_numpy(sr), torch.from_numpy(hr), patch=patch)
    assert found.item() == pytest.approx(slow(sr, hr, patch), rel=1e-10)


def test_by_hand():
    """One bright pixel at the top left of a 2 x 2 image, patch 2, against black.

    Zeros beyond the border. Gx: row 0: 0, -2; row 1: 0, -1. Gy: row 0: 0, 0; row 1: 2, 1.
    Gx has mean -3/4, squares 5, so variance (5 - 4 * 9/16) / 3 = 11/12; Gy has the same, mirrored.
    The loss is 2 * (11/12)^2.
    """
    sr = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    sr[0, 0, 0, 0] = 1
    found = gradient_variance(sr, torch.zeros_like(sr), patch=2)
    assert found.item() == pytest.approx(2 * (11 / 12) ** 2, rel=1e-14)


def test_zeros_lie_beyond_the_border():
    """A constant image has gradients at its border only, so its inner patches have none."""
    black, white = torch.zeros(1, 1, 12, 12), torch.ones(1, 1, 12, 12)
    assert gradient_variance(white, black, patch=4) > 1
    inside = torch.zeros(1, 1, 12, 12)
    inside[..., 5:7, 5:7] = 1  # one patch of nine
    assert gradient_variance(inside, black, patch=4) > 0.1


def test_what_does_not_fill_a_patch_is_dropped():
    torch.manual_seed(0)
    sr, hr = torch.rand(2, 1, 3, 16, 16).double()
    changed = sr.clone()
    changed[..., 13:, :] += 1  # patches end at row 12; row 12 is a neighbour of the last one
    changed[..., :, 13:] += 1
    wanted = gradient_variance(sr, hr, patch=6)
    torch.testing.assert_close(gradient_variance(changed, hr, patch=6), wanted, rtol=0, atol=0)


def test_grey_weights_sum_to_almost_one():
    """0.2989 + 0.5870 + 0.1140 = 0.9999: three equal channels are not quite one channel."""
    torch.manual_seed(0)
    sr, hr = torch.rand(2, 1, 1, 16, 16).double()
    thrice = gradient_variance(sr.expand(1, 3, 16, 16), hr.expand(1, 3, 16, 16), patch=8)
    once = gradient_variance(sr, hr, patch=8)
    torch.testing.assert_close(thrice, 0.9999**4 * once)


@pytest.mark.parametrize("patch", [1, 17, 0])
def test_a_patch_without_variance_or_place_is_refused(patch):
    image = torch.rand(1, 3, 16, 20)
    with pytest.raises(Refused, match=f"patch: found {patch}; must be between 2 and .* here 16"):
        gradient_variance(image, image, patch=patch)
