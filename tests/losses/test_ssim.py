"""SSIM loss: a slow NumPy version, and scikit-image where zeros beyond the border play no part."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from skimage.metrics import structural_similarity

from acutance.losses.ssim import ssim

AXIS = np.arange(-5, 6)
BELL = np.exp(-(AXIS**2) / (2 * 1.5**2))
WINDOW = np.outer(BELL, BELL) / BELL.sum() ** 2


def slow(sr, hr):
    def mean(plane):
        return correlate(plane, WINDOW, mode="constant")

    maps = []
    for x, y in zip(sr.reshape(-1, *sr.shape[2:]), hr.reshape(-1, *hr.shape[2:]), strict=True):
        mx, my = mean(x), mean(y)
        vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        over = (2 * mx * my + 0.01**2) * (2 * cov + 0.03**2)
        maps.append(over / ((mx**2 + my**2 + 0.01**2) * (vx + vy + 0.03**2)))
    return 1 - np.mean(maps)


@pytest.mark.parametrize("shape", [(2, 3, 17, 14), (1, 1, 5, 40), (3, 1, 11, 11)])
def test_equals_the_equation_written_out(shape):
    sr, hr = np.random.default_rng(0).random((2, *shape))
    found = ssim(torch.from_numpy(sr), torch.from_numpy(hr))
    assert found.item() == pytest.approx(slow(sr, hr), rel=1e-12)


def test_agrees_with_scikit_image_where_zeros_surround_the_picture():
    """Its mirrored border shows zeros too, so its map is ours at every pixel."""
    sr, hr = np.pad(np.random.default_rng(1).random((2, 24, 25)), ((0, 0), (9, 9), (9, 9)))
    rules = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, similarity = structural_similarity(sr, hr, data_range=1, full=True, **rules)
    found = ssim(torch.from_numpy(sr)[None, None], torch.from_numpy(hr)[None, None])
    assert found.item() == pytest.approx(1 - similarity.mean(), rel=1e-9)


def test_opposite_images_come_near_two():
    checks = torch.from_numpy(np.indices((32, 32)).sum(0) % 2).double()[None, None]
    assert 1.5 < ssim(checks, 1 - checks) <= 2
