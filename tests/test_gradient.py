"""Gradient maps: by hand, and as convolutions with the authors' two kernels."""

import torch
from torch.nn.functional import conv2d

from acutance.gradient import gradient_map

EAST = torch.tensor([[[[0.0, 0, 0], [-1, 0, 1], [0, 0, 0]]]], dtype=torch.float64)


def test_a_ramp_by_hand() -> None:
    # columns 0, 3, 6, 9: inside, right minus left is 6; at the borders 3 - 0 and 0 - 6
    ramp = torch.tensor([0.0, 3, 6, 9]).expand(1, 1, 5, 4)
    middle = gradient_map(ramp)[0, 0, 2]
    torch.testing.assert_close(middle, torch.tensor([3.0, 6, 6, 6]), rtol=0, atol=1e-6)


def test_both_paddings_are_the_authors_convolutions() -> None:
    image = torch.rand(2, 3, 7, 6, dtype=torch.float64)
    for padding in (1, 2):
        planes = image.flatten(0, 1)[:, None]
        across, down = (conv2d(planes, k, padding=padding) for k in (EAST, EAST.mT))
        expected = (down**2 + across**2 + 1e-6).sqrt().view(2, 3, *across.shape[2:])
        torch.testing.assert_close(gradient_map(image, padding=padding), expected)
        assert expected.shape[2:] == (7 + 2 * padding - 2, 6 + 2 * padding - 2)


def test_turning_the_image_turns_the_map() -> None:
    image = torch.rand(1, 3, 6, 6)
    for turned in (lambda x: x.flip(3), lambda x: x.flip(2), lambda x: x.mT):
        torch.testing.assert_close(gradient_map(turned(image)), turned(gradient_map(image)))


def test_its_slope_is_finite_where_nothing_changes() -> None:
    flat = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    gradient_map(flat).sum().backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()
    image = torch.rand(1, 1, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gradient_map, image)
