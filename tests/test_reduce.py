"""Shrinking tensors: the same numbers as the resize that is checked against MATLAB's own files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.reduce import coarser, shrink
from acutance.resize import resize

SIDES = st.integers(1, 40)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), SIDES, SIDES, st.data())
def test_as_matlab_in_double(seed, height, width, data):
    image = np.random.default_rng(seed).random((2, 3, height, width))
    rows, columns = (data.draw(st.integers(1, side)) for side in (height, width))
    found = shrink(torch.from_numpy(image), rows, columns)
    for one, made in zip(image, found, strict=True):
        expected = resize(one.transpose(1, 2, 0), rows, columns).transpose(2, 0, 1)
        np.testing.assert_allclose(made.numpy(), expected, rtol=0, atol=1e-12)


def test_half_of_four_by_hand():
    # (k + 1/2) * 2 - 1/2: pixel 0 lies at 0.5; weights of the cubic, stretched twofold, at
    # distances 1/4, 3/4, 5/4, 7/4 are 0.8671875, 0.2265625, -0.0703125, -0.0234375 (both sides
    # together: 2).
    near, half, far, last = 0.8671875 / 2, 0.2265625 / 2, -0.0703125 / 2, -0.0234375 / 2
    row = torch.tensor([[[[1.0, 0, 0, 0]]]], dtype=torch.float64)
    # Pixel 0 is its own mirror image: it counts at distance 1/4 and, mirrored, at 3/4 on the left.
    expected = [near + half, far + last]
    torch.testing.assert_close(shrink(row, 1, 2)[0, 0, 0].tolist(), expected)


def test_gradient():
    image = torch.rand(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: shrink(x, 3, 4), image)


def test_short_floats_are_widened():
    image = torch.rand(1, 2, 8, 8)
    assert torch.equal(shrink(image.bfloat16(), 4, 4), shrink(image.bfloat16().float(), 4, 4))


@pytest.mark.parametrize("size", [(0, 2), (2, 0), (5, 2), (2, 5)])
def test_what_is_no_smaller_size(size):
    with pytest.raises(ValueError, match="does not shrink"):
        shrink(torch.zeros(1, 1, 4, 4), *size)


def test_levels_among_outputs():
    assert list(coarser({"sr": 0, "areas": 0})) == []
