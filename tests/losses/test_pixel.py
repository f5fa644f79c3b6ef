"""L1 and L2: by hand, and as torch has them."""

import pytest
import torch
from torch.nn import functional

from acutance.losses.l1 import l1
from acutance.losses.l2 import l2


def test_by_hand():
    sr = torch.tensor([0.0, 1.0, 0.5, 0.5]).view(1, 1, 2, 2)
    hr = torch.tensor([0.5, 0.0, 0.5, 0.0]).view(1, 1, 2, 2)
    assert l1(sr, hr).item() == (0.5 + 1 + 0 + 0.5) / 4
    assert l2(sr, hr).item() == (0.25 + 1 + 0 + 0.25) / 4


@pytest.mark.parametrize(("ours", "torchs"), [(l1, functional.l1_loss), (l2, functional.mse_loss)])
def test_as_torch_has_it(ours, torchs):
    torch.manual_seed(0)
    sr, hr = torch.rand(2, 3, 3, 17, 13)
    torch.testing.assert_close(ours(sr, hr), torchs(sr, hr), rtol=1e-6, atol=0)
