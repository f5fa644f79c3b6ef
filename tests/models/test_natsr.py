"""NatSR: the forward pass written out from its weights, skip by skip; what it starts with."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.natsr import NatSR


@pytest.mark.parametrize(("scale", "steps"), [(2, [2]), (3, [3]), (4, [2, 2])])
def test_equals_the_layers_written_out(scale, steps):
    torch.manual_seed(0)
    model = NatSR(scale, convs=2, width=4).double()
    state = model.state_dict()
    for value in state.values():
        value.normal_(0, 0.4)
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    def dense(features, number):
        name = f"blocks.{number}"
        one = conv(features, f"{name}.convs.0").relu()
        two = conv(torch.cat((features, one), 1), f"{name}.convs.1").relu()
        return features + 0.1 * conv(torch.cat((features, one, two), 1), f"{name}.fusion")

    c1 = conv(image, "conv1")
    c2 = dense(dense(c1, 0), 1) + c1
    c3 = dense(dense(c2, 2), 3) + c2 + c1
    c4 = dense(dense(c3, 4), 5) + c3
    c5 = dense(dense(c4, 6), 7) + c4 + c3 + c1
    features = conv(c5, "conv2") + c1
    for place, step in enumerate(steps):
        features = functional.pixel_shuffle(conv(features, f"ups.{place}"), step)
    with torch.inference_mode():
        wanted = conv(features, "conv_out")
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=1e-9, atol=1e-9)


def test_it_starts_with_he_before_a_relu_and_glorot_elsewhere():
    torch.manual_seed(0)
    model = NatSR(4)
    before = model.blocks[0].convs[0].weight
    assert float(before.detach().std()) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    bound = (6 / (64 * 9 + 64 * 9)) ** 0.5
    elsewhere = model.conv2.weight.detach().abs()
    assert 0.99 * bound < float(elsewhere.max()) <= bound
    biases = [value for name, value in model.named_parameters() if name.endswith("bias")]
    assert not any(value.any() for value in biases)


@pytest.mark.parametrize("argument", ["convs", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model natsr: {argument}: found 0; must be at least 1"):
        NatSR(4, **{argument: 0})
