"""DBPN: the forward pass written out from its weights, initial weights."""

import math

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.dbpn import DBPN

GEOMETRY = {2: (2, 2), 4: (4, 2), 8: (8, 2)}  # stride, padding


def prelu(features, slope):
    return torch.where(features > 0, features, slope * features)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_equals_the_layers_written_out(scale):
    torch.manual_seed(0)
    model = DBPN(scale, stages=3, first=6, width=4).double()
    for name, parameter in model.named_parameters():
        torch.nn.init.uniform_(parameter, 0.1 if "act" in name else -0.1, 0.3)
    state = model.state_dict()
    stride, padding = GEOMETRY[scale]
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)

    def layer(features, name, **how):
        weight, bias = state[f"{name}.conv.weight"], state[f"{name}.conv.bias"]
        features = functional.conv2d(features, weight, bias, **how)
        return prelu(features, state[f"{name}.act.weight"])

    def down(features, name):
        return layer(features, name, stride=stride, padding=padding)

    def up(features, name):
        weight, bias = state[f"{name}.deconv.weight"], state[f"{name}.deconv.bias"]
        features = functional.conv_transpose2d(features, weight, bias, stride, padding)
        return prelu(features, state[f"{name}.act.weight"])

    def up_unit(small, name):
        large = up(small, f"{name}.up_conv1")
        return large + up(down(large, f"{name}.up_conv2") - small, f"{name}.up_conv3")

    def down_unit(large, name):
        small = down(large, f"{name}.down_conv1")
        return small + down(up(small, f"{name}.down_conv2") - large, f"{name}.down_conv3")

    features = layer(layer(image, "feat0", padding=1), "feat1")
    large_1 = up_unit(features, "up1")
    small_1 = down_unit(large_1, "down1")
    large_2 = up_unit(small_1, "up2")
    small_2 = down_unit(layer(torch.cat([large_2, large_1], 1), "down2.conv"), "down2")
    large_3 = up_unit(layer(torch.cat([small_2, small_1], 1), "up3.conv"), "up3")
    stacked = torch.cat([large_3, large_2, large_1], 1)
    weight, bias = state["output_conv.conv.weight"], state["output_conv.conv.bias"]
    wanted = functional.conv2d(stacked, weight, bias, padding=1)
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=1e-12, atol=1e-12)


def test_initial_weights_are_he_by_fan_in_and_slopes_a_quarter():
    torch.manual_seed(0)
    model = DBPN(4, stages=2)
    for layer, fan_in in [
        (model.feat0.conv, 9 * 3),
        (model.up1.up_conv1.deconv, 64 * 64),  # kernels of 8 x 8, 64 channels
        (model.down1.down_conv3.conv, 64 * 64),
        (model.output_conv.conv, 9 * 128),
    ]:
        # the standard error of a standard deviation from 3,456 draws or more is below 1.3 %
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)
        assert not layer.bias.any()
    assert model.up2.up_conv2.act.weight.tolist() == [0.25]


@pytest.mark.parametrize("argument", ["stages", "first", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model dbpn: {argument}: found 0; must be at least 1"):
        DBPN(4, **{argument: 0})
