"""smooth L1: by hand, half of L2 inside its threshold, L1 less a constant outside."""

import math

import pytest
import torch

from acutance.errors import Refused
from acutance.losses.l1 import l1
from acutance.losses.l2 import l2
from acutance.losses.smooth_l1 import smooth_l1


def pair(spread, *shape):
    draw = torch.Generator().manual_seed(0)
    return spread * torch.rand(2, *shape, generator=draw, dtype=torch.float64)


def test_by_hand():
    """Differences 0.5, 1, -3, 0: 0.5^2 / 2 = 0.125; 1 - 0.5; 3 - 0.5; 0. Their mean: 3.125 / 4."""
    sr = torch.tensor([0.5, 1, -3, 0]).view(1, 1, 2, 2)
    assert smooth_l1(sr, torch.zeros_like(sr)).item() == (0.125 + 0.5 + 2.5 + 0) / 4
    # threshold 2: 0.25 / 4 = 0.0625; 1 / 4; 3 - 1; 0
    assert smooth_l1(sr, torch.zeros_like(sr), beta=2).item() == (0.0625 + 0.25 + 2 + 0) / 4


def test_images_in_0_to_1_never_leave_the_parabola():
    sr, hr = pair(1, 2, 3, 9, 7)
    torch.testing.assert_close(smooth_l1(sr, hr), l2(sr, hr) / 2, rtol=1e-14, atol=0)


@pytest.mark.parametrize("beta", [0.1, 1, 7])
def test_outside_its_threshold_it_is_l1_less_half_of_it(beta):
    hr, _ = pair(1, 2, 3, 9, 7)
    sr = hr + torch.where(hr > 0.5, 1, -1) * (beta + hr)
    torch.testing.assert_close(smooth_l1(sr, hr, beta=beta), l1(sr, hr) - beta / 2)


def test_it_becomes_l1_as_the_threshold_vanishes():
    sr, hr = pair(1, 2, 3, 9, 7)
    away = [(l1(sr, hr) - smooth_l1(sr, hr, beta=beta)).item() for beta in (1, 0.1, 1e-3, 1e-8)]
    assert away == sorted(away, reverse=True)
    assert 0 <= away[-1] < 1e-8


def test_a_threshold_scales_with_the_range():
    """The threshold 1 on 0-255 is 1/255 on 0-1, and the loss is 255 times smaller."""
    sr, hr = pair(1, 2, 1, 9, 7)
    large = smooth_l1(255 * sr, 255 * hr, beta=1)
    torch.testing.assert_close(large / 255, smooth_l1(sr, hr, beta=1 / 255), rtol=1e-12, atol=0)


def test_gradcheck_over_both_parts_and_the_tip():
    away = torch.tensor([0.0, 0.05, -0.09, 0.3, -2], dtype=torch.float64).view(1, 1, 1, 5)
    sr = away.requires_grad_()
    hr = torch.zeros_like(away)
    assert torch.autograd.gradcheck(lambda x: smooth_l1(x, hr, beta=0.1), sr)


def test_slopes_meet_at_the_threshold():
    sr = torch.tensor([0.25, -0.25, 0.25001, 0], dtype=torch.float64).view(1, 1, 2, 2)
    sr.requires_grad_()
    smooth_l1(sr, torch.zeros_like(sr), beta=0.25).backward()
    assert (4 * sr.grad).flatten().tolist() == [1, -1, 1, 0]


@pytest.mark.parametrize("beta", [0, -1, math.nan])
def test_no_threshold_is_refused(beta):
    sr, hr = pair(1, 1, 1, 2, 2)
    with pytest.raises(Refused, match=r"loss smooth_l1: beta: found .*; must be above 0"):
        smooth_l1(sr, hr, beta=beta)
