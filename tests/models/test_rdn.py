"""RDN: the forward pass written out from its weights."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.rdn import RDN


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale):
    torch.manual_seed(0)
    model = RDN(scale, blocks=2, convs=3, growth=5, width=4).double()
    state = model.state_dict()
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    first = conv(image, "sfe1")
    features = conv(first, "sfe2")
    made = []
    for block in range(2):
        seen = features
        for layer in range(3):
            added = conv(seen, f"rdbs.{block}.layers.{layer}.conv").relu()
            seen = torch.cat([seen, added], 1)
        features = features + conv(seen, f"rdbs.{block}.lff")
        made.append(features)
    features = first + conv(conv(torch.cat(made, 1), "gff.0"), "gff.1")
    for place, step in {2: [(0, 2)], 3: [(0, 3)], 4: [(0, 2), (2, 2)]}[scale]:
        features = functional.pixel_shuffle(conv(features, f"upscale.{place}"), step)
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], conv(features, "output"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("argument", ["blocks", "convs", "growth", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model rdn: {argument}: found 0; must be at least 1"):
        RDN(2, **{argument: 0})
