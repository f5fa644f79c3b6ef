"""Enlarging inside networks: MATLAB's bicubic in float, PIL's bilinear to the bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from acutance.models._enlarge import enlarge, enlarge_8bit, phases
from acutance.resize import resize

SCALES = (2, 3, 4)
sides = st.integers(1, 24)


def as_batch(image):
    return torch.from_numpy(image.transpose(2, 0, 1).copy())[None]


def as_image(batch):
    return batch[0].numpy().transpose(1, 2, 0)


@pytest.mark.parametrize("kernel", ["bicubic", "bilinear"])
@settings(deadline=None, max_examples=20)
@given(height=sides, width=sides, scale=st.sampled_from(SCALES), seed=st.integers(0, 99))
def test_equals_the_double_reference_to_float32_rounding(kernel, height, width, scale, seed):
    image = np.random.default_rng(seed).random((height, width, 3))
    wanted = resize(image, scale * height, scale * width, kernel=kernel)
    by = phases(scale, kernel)
    np.testing.assert_allclose(as_image(enlarge(as_batch(image), by)), wanted, rtol=0, atol=1e-14)
    single = enlarge(as_batch(image.astype(np.float32)), by)
    assert single.dtype == torch.float32
    # 8 products and 6 sums of values up to 1.3, each off by at most 2^-24 of it
    np.testing.assert_allclose(as_image(single), wanted, rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(height=sides, width=sides, scale=st.sampled_from(SCALES), seed=st.integers(0, 99))
def test_8bit_equals_pil_to_the_bit(height, width, scale, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    size = (scale * width, scale * height)
    wanted = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    batch = as_batch(image).float() / 255
    found = enlarge_8bit(batch, phases(scale, "bilinear"))
    assert np.array_equal(as_image(found * 255).round(), wanted)
    assert torch.equal(found, as_batch(wanted).float() / 255)  # as ToTensor gives it


@pytest.mark.parametrize("scale", SCALES)
def test_8bit_equals_pil_on_every_pair_of_neighbours(scale):
    """All 65,536 pairs: every sum that a side can bring forth, every near-half among them."""
    image = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).reshape(1, -1)
    picture = Image.fromarray(image.astype(np.uint8))
    size = (scale * picture.width, scale)
    wanted = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    batch = torch.from_numpy(image)[None, None].float() / 255
    found = enlarge_8bit(batch, phases(scale, "bilinear"))[0, 0]
    assert np.array_equal((found * 255).round().numpy(), wanted)


@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_keeps_constants_and_single_pixels(scale):
    one = torch.full((1, 1, 1, 1), 0.3)
    wanted = torch.full((1, 1, scale, scale), 0.3)
    torch.testing.assert_close(enlarge(one, phases(scale, "bicubic")), wanted)


def test_autocast_does_not_shorten_it():
    image = torch.rand(1, 3, 9, 9)
    by = phases(2, "bicubic")
    with torch.autocast("cpu", torch.bfloat16):
        inside = enlarge(image, by)
    assert torch.equal(inside, enlarge(image, by))
    assert enlarge(image.bfloat16(), by).dtype == torch.float32
