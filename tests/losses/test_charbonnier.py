"""Charbonnier: by hand, as the released codes have it, and between L1 and L1 + eps."""

import math

import pytest
import torch

from acutance.errors import Refused
from acutance.losses.charbonnier import charbonnier
from acutance.losses.l1 import l1


def pair(*shape, dtype=torch.float64):
    draw = torch.Generator().manual_seed(0)
    return torch.rand(2, *shape, generator=draw, dtype=torch.float64).to(dtype)


def test_by_hand():
    """Differences 3, 0, 4, 12 with eps 4, 4, 3, 5: roots of whole squares."""
    sr = torch.tensor([3.0, 0.0], dtype=torch.float64).view(1, 1, 1, 2)
    hr = torch.zeros_like(sr)
    assert charbonnier(sr, hr, eps=4).item() == (5 + 4) / 2  # sqrt(9 + 16), sqrt(0 + 16)
    assert charbonnier(4 * sr, hr, eps=5).item() == (13 + 5) / 2  # sqrt(144 + 25), sqrt(0 + 25)


def test_as_the_released_codes_have_it():
    """Both: sum of sqrt(d^2 + 1e-6); the authors divide the gradient by the batch, 3 here."""
    sr, hr = pair(3, 1, 6, 5)
    sums = [math.sqrt(d * d + 1e-6) for d in (sr - hr).flatten().tolist()]
    assert charbonnier(sr, hr).item() == pytest.approx(sum(sums) / 90, rel=1e-14)
    assert charbonnier(sr, hr, summed=True).item() == pytest.approx(sum(sums) / 3, rel=1e-14)


def test_a_sum_weighs_levels_by_their_pixels_and_a_mean_does_not():
    sr, hr = pair(2, 1, 8, 8)
    assert charbonnier(sr, hr, summed=True) == pytest.approx(64 * charbonnier(sr, hr).item())
    half = charbonnier(sr[..., :4, :], hr[..., :4, :], summed=True)
    rest = charbonnier(sr[..., 4:, :], hr[..., 4:, :], summed=True)
    assert half + rest == pytest.approx(charbonnier(sr, hr, summed=True).item())


@pytest.mark.parametrize("eps", [1e-5, 1e-3, 0.1, 10])
def test_it_lies_between_l1_and_l1_plus_eps(eps):
    sr, hr = pair(2, 3, 9, 7)
    value = charbonnier(sr, hr, eps=eps)
    assert max(l1(sr, hr).item(), eps) < value < l1(sr, hr) + eps
    assert charbonnier(hr, hr, eps=eps).item() == pytest.approx(eps, rel=1e-14)


def test_it_becomes_l1_as_eps_vanishes():
    sr, hr = pair(2, 3, 9, 7)
    away = [(charbonnier(sr, hr, eps=eps) - l1(sr, hr)).item() for eps in (1, 0.1, 1e-2, 1e-4)]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 1e-7


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("eps", [1e-3, 1e-30])  # the square of the last is 0 in float32
def test_its_gradient_is_finite_everywhere_and_zero_at_the_tip(dtype, eps):
    hr = torch.full((1, 1, 2, 2), 0.5, dtype=dtype)
    away = torch.tensor([0.0, 1e-20, -0.25, 1e20], dtype=dtype).view(1, 1, 2, 2)
    sr = (hr + away).requires_grad_()
    charbonnier(sr, hr, eps=eps, summed=True).backward()
    assert sr.grad.isfinite().all()
    assert sr.grad[0, 0, 0, 0] == 0
    torch.testing.assert_close(
        sr.grad[0, 0, 1], torch.tensor([-1, 1], dtype=dtype), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("summed", [False, True])
def test_gradcheck(summed):
    sr, hr = pair(2, 1, 3, 4)
    sr[0] = hr[0]  # the tip, which is smooth
    sr = sr.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: charbonnier(x, hr, eps=0.1, summed=summed), sr)


@pytest.mark.parametrize("eps", [0, -1e-3, math.nan])
def test_no_tip_is_refused(eps):
    sr, hr = pair(1, 1, 2, 2)
    with pytest.raises(Refused, match=r"loss charbonnier: eps: found .*; must be above 0"):
        charbonnier(sr, hr, eps=eps)
