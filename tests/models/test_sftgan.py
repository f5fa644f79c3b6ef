"""SFTGAN: both versions written out from their weights; what maps do, and what stands for none."""

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.sftgan import SFTGAN

VERSIONS = ["pytorch", "torch"]


def maps(height, width):
    """Probabilities of eight classes at each place."""
    return torch.rand(2, 8, 4 * height, 4 * width, dtype=torch.float64).softmax(1)


def leaky(features, slope):
    return torch.where(features > 0, features, slope * features)


class Layers:
    """The layers of a version, from the weights of a network, for one image."""

    def __init__(self, model, version, seen):
        self.state, self.later = model.state_dict(), version == "pytorch"
        self.slope, self.around = (0.1, 1) if self.later else (0.01, 0)
        self.conditions = self.conv(seen, "CondNet.0", stride=4)
        for place in (2, 4, 6, 8):
            self.conditions = self.conv(leaky(self.conditions, 0.1), f"CondNet.{place}")

    def conv(self, features, name, stride=1):
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, stride, padding=weight.shape[2] % 4 // 2)

    def decided(self, name):
        inner = leaky(self.conv(self.conditions, f"{name}_conv0"), self.slope)
        return self.conv(inner, f"{name}_conv1")

    def transformed(self, features, name):
        scale = self.decided(f"{name}.SFT_scale") + self.around
        return features * scale + self.decided(f"{name}.SFT_shift")

    def block(self, features, name):
        inner = self.transformed(features, f"{name}.sft0")
        if self.later:
            inner = self.transformed(self.conv(inner, f"{name}.conv0").relu(), f"{name}.sft1")
        else:
            inner = self.conv(inner.relu(), f"{name}.conv0")
            inner = self.transformed(inner, f"{name}.sft1").relu()
        return features + self.conv(inner, f"{name}.conv1")

    def twice(self, features, place):
        if self.later:
            made = functional.pixel_shuffle(self.conv(features, f"HR_branch.{place}"), 2)
        else:
            features = features.repeat_interleave(2, 2).repeat_interleave(2, 3)
            made = self.conv(features, f"HR_branch.{place + 1}")
        return made.relu()


@pytest.mark.parametrize("version", VERSIONS)
def test_equals_the_layers_written_out(version):
    torch.manual_seed(0)
    model = SFTGAN(4, version=version, blocks=2).double()
    image, seen = torch.rand(2, 3, 5, 4, dtype=torch.float64), maps(5, 4)
    net = Layers(model, version, seen)
    first = net.conv(image, "conv0")
    features = net.block(net.block(first, "sft_branch.0"), "sft_branch.1")
    features = first + net.conv(net.transformed(features, "sft_branch.2"), "sft_branch.3")
    features = net.twice(net.twice(features, 0), 3)
    wanted = net.conv(net.conv(features, "HR_branch.6").relu(), "HR_branch.8")
    with torch.inference_mode():
        torch.testing.assert_close(model(image, seen)["sr"], wanted, rtol=1e-9, atol=1e-9)


def test_without_maps_all_is_background():
    torch.manual_seed(0)
    model = SFTGAN(4, blocks=1).double()
    image, background = torch.rand(1, 3, 3, 4, dtype=torch.float64), maps(3, 4)[:1] * 0
    background[:, 0] = 1
    with torch.inference_mode():
        plain = model(image)["sr"]
        assert torch.equal(plain, model(image, background)["sr"])
        assert not torch.equal(plain, model(image, maps(3, 4)[:1])["sr"])


def test_nothing_of_blocks_is_refused():
    with pytest.raises(Refused, match="model sftgan: blocks: found 0; must be at least 1"):
        SFTGAN(4, blocks=0)
