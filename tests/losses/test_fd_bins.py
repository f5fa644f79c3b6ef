"""FD's bins, regression and bin classes: by hand, by torch, and by law."""

import math

import pytest
import torch
from heads import DOUBLE, certain, rand
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from acutance.errors import Refused
from acutance.losses._fd import bin_of
from acutance.losses.fd_bins import fd_bins
from acutance.losses.fd_regression import fd_regression

EVERY = torch.arange(256).view(1, 1, 16, 16)  # all values of 8 bits


# bins and anchors


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("bins", [1, 2, 8, 32, 64, 256])
def test_every_value_of_8_bits_lies_in_its_bin(dtype, bins):
    """t^i <= z < t^(i+1), t^i = 256 i / K, though z / 255 * 255 may lie below z."""
    found = bin_of(EVERY.to(dtype) / 255, bins)
    assert torch.equal(found, EVERY // (256 // bins))


def test_what_bicubic_shrinking_overshoots_lies_in_the_first_or_last_bin():
    found = bin_of(torch.tensor([-0.5, -1e-9, 0, 1, 1.0001, 3]), 32)
    assert found.tolist() == [0, 0, 0, 31, 31, 31]


def test_values_between_those_of_8_bits_go_by_the_threshold():
    """Luma is not whole: 7.9 is in the first bin, 8.1 in the second."""
    assert bin_of(torch.tensor([7.9, 8.1, 15.9, 247.9, 248.1]) / 255, 32).tolist() == [
        0,
        1,
        1,
        30,
        31,
    ]


# L_r


def test_regression_by_hand():
    """HR 0, 100, 200, 255 lie in bins 0, 12, 25, 31, whose anchors are 4, 100, 204, 252.

    From 10, 100, 190, 255: |6| + |0| + |14| + |3| = 23 to the anchors,
    |10| + |0| + |10| + |0| = 20 to the pixels.
    """
    hr = torch.tensor([0, 100, 200, 255], dtype=DOUBLE).view(1, 1, 2, 2) / 255
    regressed = torch.tensor([10, 100, 190, 255], dtype=DOUBLE).view(1, 1, 2, 2) / 255
    assert fd_regression(regressed, hr).item() == pytest.approx(20 / 4 / 255, rel=1e-14)
    anchored = fd_regression(regressed, hr, target="anchor")
    assert anchored.item() == pytest.approx(23 / 4 / 255, rel=1e-14)
    # two bins: anchors 64 and 192; |54| + |36| + |2| + |63|
    two = fd_regression(regressed, hr, target="anchor", bins=2)
    assert two.item() == pytest.approx(155 / 4 / 255, rel=1e-14)


@pytest.mark.parametrize("bins", [2, 32, 256])
def test_the_anchor_of_a_pixel_is_within_half_a_bin(bins):
    for value in EVERY.flatten():
        hr = value.to(DOUBLE).view(1, 1, 1, 1) / 255
        away = 255 * fd_regression(hr, hr, target="anchor", bins=bins)
        assert away <= 128 / bins + 1e-9


def test_anchors_are_a_ceiling():
    """Errors -4 to 3 within a bin: mean square (16+9+4+1+0+1+4+9) / 8 = 5.5, or 40.73 dB.

    Of values spread evenly and not whole it is 8^2 / 12, or 40.86 dB.
    """
    hr = torch.linspace(0, 256, 2**18, dtype=DOUBLE)[:-1] / 255
    for values, decibel in [(EVERY / 255, 40.73), (hr, 40.86)]:
        anchors = (bin_of(values, 32) * 8 + 4) / 255
        error = (values - anchors).double().square().mean()
        assert -10 * error.log10() == pytest.approx(decibel, abs=0.005)


def test_values_are_drawn_to_their_anchor():
    hr = EVERY.to(DOUBLE) / 255
    regressed = hr.clone().requires_grad_()
    fd_regression(regressed, hr, target="anchor").backward()
    apart = EVERY % 8 != 4
    assert torch.equal(regressed.grad.sign()[apart], (EVERY % 8 - 4).sign()[apart].to(DOUBLE))


@pytest.mark.parametrize("bins", [0, -1, 257])
def test_bins_that_8_bits_cannot_have_are_refused(bins):
    hr = rand(1, 1, 2, 2)
    with pytest.raises(Refused, match=f"fd_regression: bins: found {bins}; must be between 1 and"):
        fd_regression(hr, hr, target="anchor", bins=bins)


# L_c1


def test_bins_by_hand():
    """Two bins, logits (log 3, 0): q = (3/4, 1/4). 127 lies in the first bin, 128 in the second."""
    hr = torch.tensor([127, 128], dtype=DOUBLE).view(1, 1, 1, 2) / 255
    logits = torch.tensor([math.log(3), 0], dtype=DOUBLE).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    wanted = (-math.log(3 / 4) - math.log(1 / 4)) / 2
    assert fd_bins(logits, hr).item() == pytest.approx(wanted, rel=1e-14)


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 3),
    classes=st.sampled_from([2, 32, 256]),
    seed=st.integers(0, 99),
    spread=st.sampled_from([0.1, 5, 500]),
)
def test_bins_are_torchs_cross_entropy(count, classes, seed, spread):
    values = (256 * rand(count, 1, 5, 7, seed=seed)).long()
    logits = spread * (rand(count, classes, 5, 7, seed=seed + 1) - 0.5)
    wanted = functional.cross_entropy(logits, values[:, 0] // (256 // classes))
    torch.testing.assert_close(
        fd_bins(logits, values.to(DOUBLE) / 255), wanted, rtol=1e-12, atol=1e-12
    )


def test_an_ideal_head_costs_nothing_and_an_ignorant_one_log_k():
    hr = EVERY.to(DOUBLE) / 255
    costs = [fd_bins(certain(EVERY // 8, height=h), hr).item() for h in (0, 1, 10, 100)]
    assert costs[0] == pytest.approx(math.log(32), rel=1e-14)
    assert costs == sorted(costs, reverse=True)
    assert 0 <= costs[-1] < 1e-12
    wrong = fd_bins(certain(31 - EVERY // 8, height=100), hr)
    assert wrong.item() == pytest.approx(100, rel=1e-12)


def test_a_head_that_is_certain_and_wrong_still_learns():
    logits = certain(31 - EVERY // 8, height=1e4).float().requires_grad_()
    fd_bins(logits, EVERY / 255).backward()
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().max() > 0


# gradients


def test_gradcheck():
    hr = rand(2, 1, 3, 4)
    regressed, bins = rand(2, 1, 3, 4, seed=1), rand(2, 8, 3, 4, seed=2)
    for values, loss in [
        (regressed, lambda x: fd_regression(x, hr)),
        (regressed, lambda x: fd_regression(x, hr, target="anchor")),
        (bins, lambda x: fd_bins(x, hr)),
    ]:
        assert torch.autograd.gradcheck(loss, values.requires_grad_())


def test_gradients_are_finite_where_nothing_differs():
    hr = rand(2, 1, 4, 4)
    for values, loss in [
        (hr.clone(), lambda x: fd_regression(x, hr)),
        (torch.zeros(2, 32, 4, 4), lambda x: fd_bins(x, hr)),
    ]:
        values.requires_grad_()
        loss(values).backward()
        assert values.grad.isfinite().all()
