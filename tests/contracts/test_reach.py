"""What models say of themselves for tiling: `reach` and `grid`, against what they do.

One LR pixel is made NaN, which no sum forgets. Networks are built as shallow as they can be: every
whole-number argument of the signature that may be 2 is 2, so the sum behind `reach` is tried, not
its one value at the defaults.
"""

import inspect

import pytest
import torch
from torch import Tensor, nn

from acutance import resolve
from acutance.errors import Refused

NAMES = resolve.names("models")
CASES = [(name, s) for name in NAMES for s in resolve.noun("models", name).constants["SCALES"]]
SLACK = 3  # LR pixels by which an upper bound may exceed what is seen


def shallow(name: str, scale: int) -> nn.Module:
    """A model in double, which takes torch's plain convolutions, with its whole numbers at 2."""
    build = resolve.load("models", name)
    given: dict[str, int] = {}
    for key, parameter in inspect.signature(build).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.annotation in (int, "int"):
            try:
                build(scale, **given, **{key: 2})
            except Refused:
                continue
            given[key] = 2
    torch.manual_seed(0)
    return build(scale, **given).double().eval()


def touched(model: nn.Module, scale: int, side: int, y: int, x: int) -> Tensor:
    """Where SR hangs on LR pixel (y, x), by LR pixel: boolean (side, side)."""
    lr = torch.rand(1, model.channels or 3, side, side, dtype=torch.float64)
    spoilt = lr.clone()
    spoilt[..., y, x] = torch.nan
    with torch.inference_mode():
        differs = ~(model(lr)["sr"] == model(spoilt)["sr"])
    cells = differs[0].any(0).unfold(0, scale, scale).unfold(1, scale, scale)
    return cells.flatten(2).any(2)


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_sr_changes_within_reach_of_a_pixel_and_reach_is_not_far_beyond(name, scale):
    model = shallow(name, scale)
    if model.reach is None:
        assert touched(model, scale, 24, 0, 0).all()
        return
    grid = getattr(model, "grid", 1)
    seen = 0
    for offset in {0, grid - 1}:  # a pixel may reach further from one end of its cell
        place = -(-model.reach // grid) * grid + offset
        changed = touched(model, scale, place + model.reach + 3, place, place).nonzero()
        seen = max(seen, int((changed - place).abs().max()))
    assert seen <= model.reach <= seen + SLACK


@pytest.mark.parametrize("name", NAMES)
def test_they_are_whole_numbers(name):
    model = resolve.load("models", name)(resolve.noun("models", name).constants["SCALES"][0])
    assert model.reach is None or (type(model.reach) is int and model.reach >= 0)
    assert type(getattr(model, "grid", 1)) is int
    assert getattr(model, "grid", 1) >= 1
