"""SRResNet: the forward passes written out from its weights; what batch normalisation keeps."""

import copy

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models.srresnet import SRResNet

VARIANTS = ["paper", "leftthomas", "tensorlayer"]


def unlike(model):
    """`model` with statistics and slopes that are not those it starts with."""
    for name, value in model.state_dict().items():
        if "running_var" in name or "act" in name:
            value.uniform_(0.1, 2)
        elif value.is_floating_point():
            value.normal_(0, 0.3)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale, variant):
    torch.manual_seed(0)
    model = unlike(SRResNet(scale, variant=variant, blocks=2, width=4).double()).eval()
    state = model.state_dict()
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)

    def conv(features, name):
        weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    def norm(features, name):
        mean, variance, weight, bias = (
            state[f"{name}.{part}"].view(1, -1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (features - mean) / (variance + 1e-5).sqrt() * weight + bias

    def active(features, name):
        slope = state.get(f"{name}.weight", torch.zeros(1, dtype=torch.float64))
        return torch.where(features > 0, features, slope * features)

    centred = 2 * image - 1 if variant == "tensorlayer" else image
    first = active(conv(centred, "conv_first"), "act_first")
    features = first
    for i in range(2):
        inner = norm(conv(features, f"body.{i}.conv1"), f"body.{i}.bn1")
        inner = conv(active(inner, f"body.{i}.act"), f"body.{i}.conv2")
        features = features + norm(inner, f"body.{i}.bn2")
    features = first + norm(conv(features, "conv_body"), "bn_body")
    for place, step in {2: [(0, 2)], 3: [(0, 3)], 4: [(0, 2), (3, 2)]}[scale]:
        features = functional.pixel_shuffle(conv(features, f"up.{place}"), step)
        features = active(features, f"up.{place + 2}")
    wanted = conv(features, "conv_last")
    if variant != "paper":
        wanted = (wanted.tanh() + 1) / 2
    with torch.inference_mode():
        torch.testing.assert_close(model(image)["sr"], wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS)
def test_convolutions_before_a_normalisation_have_a_bias_but_in_tensorlayer(variant):
    with torch.device("meta"):
        model = SRResNet(4, variant=variant, blocks=1)
    assert (model.body[0].conv1.bias is None) == (variant == "tensorlayer")
    assert (model.conv_body.bias is None) == (variant == "tensorlayer")
    assert model.up[0].bias is not None


def test_initial_weights_of_tensorlayer_are_cut_off():
    torch.manual_seed(0)
    model = SRResNet(4, variant="tensorlayer", blocks=1)
    weights = model.up[0].weight
    # a normal cut off at two standard deviations spreads 0.8796 of one
    assert weights.std().item() == pytest.approx(0.8796 * 0.02, rel=0.02)
    assert weights.abs().max() <= 0.04
    assert (model.bn_body.weight - 1).abs().max() <= 0.04
    assert model.bn_body.weight.std() > 0.01
    assert not model.conv_first.bias.any()


def trained(model, steps):
    """The state after some steps of descent, the loss of each, from the same draw of images."""
    draw = torch.Generator().manual_seed(3)
    descent = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(steps):
        lr = torch.rand(2, 3, 6, 5, generator=draw)
        hr = torch.rand(2, 3, 12, 10, generator=draw)
        descent.zero_grad()
        (model.train()(lr)["sr"] - hr).abs().mean().backward()
        descent.step()
    return copy.deepcopy(model.state_dict())


def test_running_statistics_are_state_and_training_is_repeatable():
    torch.manual_seed(0)
    model = SRResNet(2, blocks=1, width=4)
    start = copy.deepcopy(model.state_dict())
    once = trained(model, 3)
    model.load_state_dict(start)
    again = trained(model, 3)
    for key, value in once.items():
        assert torch.equal(value, again[key]), key
    for name in ("body.0.bn1", "body.0.bn2", "bn_body"):
        assert not torch.equal(once[f"{name}.running_mean"], start[f"{name}.running_mean"])
        assert not torch.equal(once[f"{name}.running_var"], start[f"{name}.running_var"])


@pytest.mark.parametrize("argument", ["blocks", "width"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model srresnet: {argument}: found 0; must be at least 1"):
        SRResNet(4, **{argument: 0})
