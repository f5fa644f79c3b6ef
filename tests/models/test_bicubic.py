"""Bicubic: the double reference, on photographs too."""

import numpy as np
import torch

from acutance.image import from_chw, list_images, read_image, to_chw
from acutance.models.bicubic import Bicubic
from acutance.resize import resize


def test_has_no_state():
    model = Bicubic(2)
    assert not model.state_dict()
    assert not list(model.parameters())


def test_takes_any_number_of_channels_and_any_range():
    model = Bicubic(3)
    pixels = torch.linspace(-300, 300, 2 * 5 * 4 * 6).view(2, 5, 4, 6)
    large = model(pixels)["sr"]
    assert large.shape == (2, 5, 12, 18)
    for alone in range(5):
        assert torch.equal(model(pixels[:, alone : alone + 1])["sr"], large[:, alone : alone + 1])


def test_a_photograph_meets_the_double_reference(photographs):
    path = list_images(photographs / "Set5")["butterfly"]
    image = read_image(path)[:101, :83]
    found = from_chw(Bicubic(4)(torch.from_numpy(to_chw(image, 3))[None])["sr"][0].numpy())
    wanted = resize(image, 404, 332)
    # 255 times the bound of tests/models/test_enlarge.py, and the rounding of /255 and *255
    np.testing.assert_allclose(found, wanted, rtol=0, atol=3e-4)
