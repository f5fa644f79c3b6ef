"""RRDBNet: the forward pass written out from its weights, initial weights, features on the way."""

import math

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models._rrdb import REACH, RRDB
from acutance.models.rrdbnet import RRDBNet


def convolution(state):
    """A 3x3 convolution by its name in the state."""

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=1)

    return conv


def leaky(features):
    return torch.where(features > 0, features, 0.2 * features)


def dense(conv, features, name):
    seen = features
    for k in range(1, 5):
        seen = torch.cat([seen, leaky(conv(seen, f"{name}.conv{k}"))], 1)
    return features + 0.2 * conv(seen, f"{name}.conv5")


def rrdb(conv, features, name):
    detail = features
    for k in (1, 2, 3):
        detail = dense(conv, detail, f"{name}.rdb{k}")
    return features + 0.2 * detail


def repeated(features, times):
    return features.repeat_interleave(times, 2).repeat_interleave(times, 3)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale):
    torch.manual_seed(0)
    model = RRDBNet(scale, blocks=2, width=4, growth=3).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.2)
    conv = convolution(model.state_dict())
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    first = conv(image, "conv_first")
    features = rrdb(conv, rrdb(conv, first, "body.0"), "body.1")
    features = first + conv(features, "conv_body")
    for place, step in {2: [(1, 2)], 3: [(1, 3)], 4: [(1, 2), (2, 2)]}[scale]:
        features = leaky(conv(repeated(features, step), f"conv_up{place}"))
    wanted = conv(leaky(conv(features, "conv_hr")), "conv_last")
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=0, atol=1e-12)


def test_initial_weights_are_a_tenth_of_he():
    torch.manual_seed(0)
    model = RRDBNet(4, blocks=2)
    for name, inside in [("conv_first", 3), ("body.1.rdb2.conv4", 160), ("conv_last", 64)]:
        layer = model.get_submodule(name)
        wanted = 0.1 * math.sqrt(2 / (9 * inside))
        # the standard error of a standard deviation from 1,728 draws or more is below 2 %
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.08)
        assert not layer.bias.any()


def test_a_block_may_be_wider():
    torch.manual_seed(0)
    block = RRDB(128, 32)
    # three dense blocks: 9 * (128 + 160 + 192 + 224) * 32 + 4 * 32 + 9 * 256 * 128 + 128
    assert sum(p.numel() for p in block.parameters()) == 3 * 497_920
    assert block(torch.rand(1, 128, 3, 2)).shape == (1, 128, 3, 2)


def test_a_block_looks_as_far_as_it_says():
    torch.manual_seed(0)
    block = RRDB(2, 2).double()
    features = torch.rand(1, 2, 2 * REACH + 3, 1, dtype=torch.float64, requires_grad=True)
    block(features)[0, :, REACH + 1].sum().backward()
    seen = features.grad.abs().sum((0, 1, 3)).nonzero().flatten().tolist()
    assert seen == list(range(1, 2 * REACH + 2))


@pytest.mark.parametrize("argument", ["blocks", "width", "growth"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model rrdbnet: {argument}: found 0; must be at least 1"):
        RRDBNet(4, **{argument: 0})
