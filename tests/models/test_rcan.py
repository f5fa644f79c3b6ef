"""RCAN: the forward pass written out from its weights, and what its attention sees."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.rcan import RCAN

STEPS = {2: [(0, 2)], 3: [(0, 3)], 4: [(0, 2), (2, 2)], 8: [(0, 2), (2, 2), (4, 2)]}


@pytest.mark.parametrize("scale", STEPS)
def test_equals_the_layers_written_out(scale):
    torch.manual_seed(0)
    model = RCAN(scale, groups=2, blocks=1, width=6, reduction=2).double()
    state = model.state_dict()
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    mean = torch.tensor([0.4488, 0.4371, 0.4040], dtype=torch.float32).double().view(1, 3, 1, 1)

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    def block(features, name):
        detail = conv(conv(features, f"{name}.0").relu(), f"{name}.2")
        means = detail.sum((2, 3), keepdim=True) / (5 * 4)
        attention = conv(conv(means, f"{name}.3.conv_du.0").relu(), f"{name}.3.conv_du.2")
        return features + detail * attention.sigmoid()

    head = conv(255 * image - 255 * mean, "head.0")
    features = head
    for group in range(2):
        inner = block(features, f"body.{group}.body.0.body")
        features = features + conv(inner, f"body.{group}.body.1")
    features = conv(features, "body.2") + head
    for place, step in STEPS[scale]:
        features = functional.pixel_shuffle(conv(features, f"tail.0.{place}"), step)
    wanted = (conv(features, "tail.1") + 255 * mean) / 255
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=0, atol=1e-12)


def test_the_mean_is_no_weight():
    with torch.device("meta"):
        assert not [key for key in RCAN(2, groups=1, blocks=1).state_dict() if "mean" in key]


def test_attention_is_computed_from_a_sixteenth_of_the_channels():
    with torch.device("meta"):
        state = RCAN(2, groups=1, blocks=1).state_dict()
    assert state["body.0.body.0.body.3.conv_du.0.weight"].shape == (4, 64, 1, 1)
    assert state["body.0.body.0.body.3.conv_du.2.weight"].shape == (64, 4, 1, 1)


@pytest.mark.parametrize("argument", ["groups", "blocks", "reduction"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model rcan: {argument}: found 0; must be at least 1"):
        RCAN(2, **{argument: 0})


def test_attention_wants_a_channel():
    with pytest.raises(Refused, match="model rcan: width: found 8; must be at least 16"):
        RCAN(2, width=8)
