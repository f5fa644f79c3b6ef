"""MSRResNet: the forward passes written out from its weights, initial weights."""

import math

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.msrresnet import MSRResNet


def leaky(features):
    return torch.where(features > 0, features, 0.1 * features)


@pytest.mark.parametrize("variant", ["final", "early"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale, variant):
    torch.manual_seed(0)
    model = MSRResNet(scale, variant=variant, blocks=2, width=4).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    state = model.state_dict()
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    active = leaky if variant == "final" else torch.relu

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=1)

    first = conv(image, "conv_first")
    features = active(first) if variant == "final" else first
    for block in range(2):
        inner = conv(features, f"body.{block}.conv1").relu()
        features = features + conv(inner, f"body.{block}.conv2")
    if variant == "early":
        features = first + conv(features, "conv_body")
    for place, step in {2: [(1, 2)], 3: [(1, 3)], 4: [(1, 2), (2, 2)]}[scale]:
        features = active(functional.pixel_shuffle(conv(features, f"upconv{place}"), step))
    wanted = conv(active(conv(features, "conv_hr")), "conv_last")
    if variant == "final":
        wanted = wanted + functional.interpolate(image, scale_factor=scale, mode="bilinear")
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("variant", ["final", "early"])
def test_initial_weights_are_a_tenth_of_he(variant):
    torch.manual_seed(0)
    model = MSRResNet(4, variant=variant, blocks=2)
    for layer, inside in [
        (model.conv_first, 3),
        (model.body[1].conv2, 64),
        (model.upconv2, 64),
        (model.conv_last, 64),
    ]:
        wanted = 0.1 * math.sqrt(2 / (9 * inside))
        # the standard error of a standard deviation from 1,728 draws or more is below 2 %
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.08)
        assert not layer.bias.any()


@pytest.mark.parametrize("argument", ["blocks", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model msrresnet: {argument}: found 0; must be at least 1"):
        MSRResNet(4, **{argument: 0})
