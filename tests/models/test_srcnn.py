"""SRCNN: published sizes, the layers written out, initial weights."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models._enlarge import enlarge, phases
from acutance.models.srcnn import SRCNN


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({}, 57_281),  # 81*64+64 + 25*64*32+32 + 25*32+1
        ({"middle": 1}, 8_129),  # 81*64+64 + 64*32+32 + 25*32+1
        ({"middle": 3}, 24_513),  # 81*64+64 + 9*64*32+32 + 25*32+1
        ({"channels": 3}, 69_251),  # 81*3*64+64 + 25*64*32+32 + 25*32*3+3
    ],
)
def test_parameter_count(arguments, count):
    assert sum(p.numel() for p in SRCNN(2, **arguments).parameters()) == count


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("arguments", [{}, {"middle": 1}, {"channels": 3, "first": 5, "last": 3}])
def test_equals_the_layers_written_out(scale, arguments):
    torch.manual_seed(0)
    model = SRCNN(scale, width=5, narrow=4, **arguments).double()
    for parameter in model.parameters():  # large enough for the ReLUs to matter
        torch.nn.init.normal_(parameter, 0, 0.3)
    image = torch.rand(2, model.channels, 6, 7, dtype=torch.float64)
    state = model.state_dict()
    features = enlarge(image, phases(scale, "bicubic"))
    for name in ("conv1", "conv2", "conv3"):
        weight = state[f"{name}.weight"]
        around = weight.shape[2] // 2
        features = functional.conv2d(features, weight, state[f"{name}.bias"], padding=around)
        features = features if name == "conv3" else features.clamp_min(0)
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], features)


def test_initial_weights():
    torch.manual_seed(0)
    for name, parameter in SRCNN(2).named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        else:  # 800 draws or more: a standard error below 3 %
            assert parameter.std().item() == pytest.approx(0.001, rel=0.12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"middle": 2}, "model srcnn: middle: found 2; must be odd and at least 1"),
        ({"last": -1}, "model srcnn: last: found -1; must be odd"),
        ({"channels": 2}, "model srcnn: channels: found 2; choose one of 1, 3"),
        ({"width": 0}, "model srcnn: width: found 0; must be at least 1"),
        ({"narrow": 0}, "model srcnn: narrow: found 0; must be at least 1"),
    ],
)
def test_impossible_arguments_are_refused(arguments, words):
    with pytest.raises(Refused, match=words):
        SRCNN(2, **arguments)
