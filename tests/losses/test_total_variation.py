"""Total variation: by hand, and by a loop over neighbours."""

import numpy as np
import pytest
import torch

from acutance.losses.total_variation import total_variation


def test_by_hand():
    image = torch.tensor([[0.0, 1.0], [3.0, 7.0]]).view(1, 1, 2, 2)
    # squares of the steps across (1 and 4), then of those down (3 and 6)
    assert total_variation(image).item() == 1 + 16 + 9 + 36


def test_sums_over_batch_and_channels():
    image = np.random.default_rng(0).random((2, 3, 5, 4))
    total = 0.0
    for n, c, i, j in np.ndindex(image.shape):
        if j + 1 < 4:
            total += (image[n, c, i, j + 1] - image[n, c, i, j]) ** 2
        if i + 1 < 5:
            total += (image[n, c, i + 1, j] - image[n, c, i, j]) ** 2
    assert total_variation(torch.from_numpy(image)).item() == pytest.approx(total, rel=1e-12)


def test_a_constant_image_has_none():
    assert total_variation(torch.full((2, 3, 6, 6), 0.7)).item() == 0
