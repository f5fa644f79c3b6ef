"""EDSR: the forward pass written out from its weights."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.edsr import EDSR


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale):
    torch.manual_seed(0)
    model = EDSR(scale, blocks=2, width=4, residual_scale=0.1).double()
    state = model.state_dict()
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    mean = torch.tensor([0.4488, 0.4371, 0.4040], dtype=torch.float32).double().view(1, 3, 1, 1)

    def conv(features, name):
        return functional.conv2d(
            features, state[f"{name}.weight"], state[f"{name}.bias"], padding=1
        )

    head = conv(255 * image - 255 * mean, "head.0")
    features = head
    for block in range(2):
        inner = conv(features, f"body.{block}.body.0").relu()
        features = features + 0.1 * conv(inner, f"body.{block}.body.2")
    features = conv(features, "body.2") + head
    for place, step in {2: [(0, 2)], 3: [(0, 3)], 4: [(0, 2), (2, 2)]}[scale]:
        features = functional.pixel_shuffle(conv(features, f"tail.0.{place}"), step)
    wanted = (conv(features, "tail.1") + 255 * mean) / 255
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=0, atol=1e-12)


def test_the_mean_is_no_weight():
    with torch.device("meta"):
        assert not [key for key in EDSR(2).state_dict() if "mean" in key]


@pytest.mark.parametrize("argument", ["blocks", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model edsr: {argument}: found 0; must be at least 1"):
        EDSR(2, **{argument: 0})
