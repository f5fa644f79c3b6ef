"""Losses on gradient maps: by hand on a step between two greys, and against their definitions."""

import pytest
import torch

from acutance.gradient import gradient_map
from acutance.losses.gradient_branch import gradient_branch
from acutance.losses.gradient_pixel import gradient_pixel

DARK = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
STEP = DARK.clone()
STEP[..., 2:] = 0.6  # columns 0, 0, 0.6, 0.6


def test_a_step_by_hand() -> None:
    # At the middle rows (neighbours above and below alike): right minus left is 0, 0.6, 0.6, -0.6;
    # at the outer rows the border's zeros add the vertical difference 0, 0, 0.6, 0.6. The flat
    # image has 0.001 everywhere, from the constant under the root.
    tiny = 1e-6
    middle = [tiny, 0.36 + tiny, 0.36 + tiny, 0.36 + tiny]
    outer = [tiny, 0.36 + tiny, 0.72 + tiny, 0.72 + tiny]
    roots = [value**0.5 - tiny**0.5 for value in 2 * middle + 2 * outer]
    squares, plain = (sum(r**p for r in roots) / 16 for p in (2, 1))
    found = gradient_pixel(STEP, DARK, padding=1)
    assert found.item() == pytest.approx(squares, rel=1e-9)
    assert gradient_pixel(STEP, DARK, distance="l1", padding=1).item() == pytest.approx(plain)
    assert gradient_branch(gradient_map(DARK), STEP).item() == pytest.approx(plain)


def test_a_branch_that_is_right_costs_nothing() -> None:
    hr = torch.rand(2, 3, 6, 5)
    assert gradient_branch(gradient_map(hr), hr).item() == 0


def test_padding_2_sees_a_frame_more() -> None:
    sr, hr = torch.rand(2, 1, 3, 6, 6, dtype=torch.float64)
    wide = (gradient_map(sr, padding=2) - gradient_map(hr, padding=2)).square()
    assert wide.shape[2:] == (8, 8)
    torch.testing.assert_close(gradient_pixel(sr, hr), wide.mean())


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_gradient(distance: str) -> None:
    sr, hr = torch.rand(2, 1, 1, 4, 4, dtype=torch.float64)
    sr.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: gradient_pixel(x, hr, distance=distance), sr)
