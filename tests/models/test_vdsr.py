"""VDSR: published sizes, the paper's variant and the released one of GV."""

import math

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models._enlarge import enlarge, enlarge_8bit, phases
from acutance.models.vdsr import VDSR

PAPER = {"channels": 1, "bias": True}
GV = {"channels": 3, "residual_channels": 1, "bias": False, "upsample": "pil_bilinear"}


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (PAPER, 665_921),  # 9*64+64 + 18*(9*64*64+64) + 9*64+1
        ({"channels": 1}, 664_704),  # 9*64 + 18*9*64*64 + 9*64
        (GV, 665_856),  # 9*3*64 + 18*9*64*64 + 9*64
    ],
)
def test_parameter_count(arguments, count):
    assert sum(p.numel() for p in VDSR(2, **arguments).parameters()) == count


@pytest.mark.parametrize("arguments", [{}, PAPER, GV, {"residual_channels": 3}])
def test_equals_the_layers_written_out(arguments):
    torch.manual_seed(0)
    model = VDSR(2, depth=4, width=5, **arguments).double()
    image = torch.randint(0, 256, (2, model.channels, 6, 7)).double() / 255
    state = model.state_dict()
    if arguments is GV:
        large = enlarge_8bit(image, phases(2, "bilinear"))
    else:
        large = enlarge(image, phases(2, "bicubic"))
    features = large
    names = ["input", "residual_layer.0.conv", "residual_layer.1.conv", "output"]
    for name in names:
        bias = state.get(f"{name}.bias")
        features = functional.conv2d(features, state[f"{name}.weight"], bias, padding=1)
        features = features if name == "output" else features.relu()
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], large + features)


def test_the_released_variant_adds_one_detail_to_three_channels():
    torch.manual_seed(0)
    model = VDSR(2, depth=3, width=4, **GV)
    image = torch.randint(0, 256, (1, 3, 5, 5)) / 255
    with torch.inference_mode():
        detail = model(image)["sr"] - enlarge_8bit(image, phases(2, "bilinear"))
    torch.testing.assert_close(detail[:, :1].expand_as(detail), detail, rtol=0, atol=1e-5)


def test_initial_weights_are_he_by_fan_out():
    torch.manual_seed(0)
    model = VDSR(2, **PAPER)
    for layer in (model.input, model.residual_layer[7].conv):
        # the standard error of a standard deviation from 576 draws or more is below 3 %
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.12)
        assert not layer.bias.any()
    assert model.output.weight.std().item() == pytest.approx(math.sqrt(2 / 9), rel=0.12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": 1, "residual_channels": 3}, "residual_channels: found 3 with channels 1"),
        ({"depth": 1}, "model vdsr: depth: found 1; must be at least 2"),
        ({"width": 0}, "model vdsr: width: found 0; must be at least 1"),
    ],
)
def test_impossible_arguments_are_refused(arguments, words):
    with pytest.raises(Refused, match=words):
        VDSR(2, **arguments)
