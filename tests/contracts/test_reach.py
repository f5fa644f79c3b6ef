"""What models say of themselves for tiling: `reach` and `grid`, against what they do.

One LR pixel is made NaN, which no sum forgets. Networks are shallow: so the sum behind `reach` is
tried, not its one value at the defaults.
"""

import pytest
import torch
from torch import Tensor, nn

from acutance import resolve
from shallow import shallow

NAMES = resolve.names("models")
CASES = [(name, s) for name in NAMES for s in resolve.noun("models", name).constants["SCALES"]]
BREADTH = 4  # of the strip: how far a network looks along it does not hang on that
SLACK = 3  # LR pixels by which an upper bound may exceed what is seen


def touched(model: nn.Module, scale: int, length: int, place: int, *, down: bool) -> Tensor:
    """Which of the `length` LR pixels of a strip have SR that hangs on the one at `place`."""
    lr = torch.rand(1, model.channels or 3, BREADTH, length, dtype=torch.float64)
    spoilt = lr.clone()
    spoilt[..., BREADTH // 2, place] = torch.nan
    with torch.inference_mode():
        whole, broken = (model(x.mT if down else x)["sr"] for x in (lr, spoilt))
    differs = ~(whole == broken)
    across = (differs.mT if down else differs).flatten(0, -2).any(0)  # (scale * length,)
    return across.unflatten(0, (length, scale)).any(1).nonzero()[:, 0]


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_sr_changes_within_reach_of_a_pixel_and_reach_is_not_far_beyond(name, scale):
    model = shallow(name, scale).double()  # torch's plain convolutions
    for down in (False, True):
        if model.reach is None:
            assert touched(model, scale, 40, 0, down=down).tolist() == list(range(40))
            continue
        grid = getattr(model, "grid", 1)
        seen = 0
        for offset in {0, grid - 1}:  # a pixel may reach further from one end of its cell
            place = -(-model.reach // grid) * grid + offset
            changed = touched(model, scale, place + model.reach + 3, place, down=down)
            seen = max(seen, int((changed - place).abs().max()))
        assert seen <= model.reach <= seen + SLACK


@pytest.mark.parametrize("name", NAMES)
def test_they_are_whole_numbers(name):
    with torch.device("meta"):
        model = resolve.load("models", name)(resolve.noun("models", name).constants["SCALES"][0])
    assert model.reach is None or (type(model.reach) is int and model.reach >= 0)
    assert type(getattr(model, "grid", 1)) is int
    assert getattr(model, "grid", 1) >= 1
