"""LapSRN: published sizes, both released networks written out, levels, initial weights."""

import math

import pytest
import torch
from torch.nn import functional

from acutance.errors import Refused
from acutance.models._lapsrn import bilinear
from acutance.models.lapsrn import LapSRN
from acutance.reduce import shrink

AUTHORS = {"kernel": 3, "bias": True, "start": "authors"}


@pytest.mark.parametrize(
    ("scale", "arguments", "count"),
    [
        # a level of the port: 10*9*64*64 + 16*64*64 + 9*64 + 16 = 434,768; the first layer 9*64
        (2, {}, 435_344),
        (4, {}, 870_112),
        (4, {"channels": 3}, 873_824),
        # of the authors: 10*(9*64*64+64) + 9*64*64+64 + 9*64+1 + 16 = 406,801; the first 9*64+64
        (2, AUTHORS, 407_441),
        (4, AUTHORS, 814_242),
        (4, {**AUTHORS, "bias": False}, 812_768),
        (8, {**AUTHORS, "depth": 5}, 667_123),
        (3, {}, 870_112),  # the network of scale 4
        (3, {"thirds": "stride"}, 472_217),  # 9*64 + 10*9*64*64 + 25*64*64 + 9*64 + 25
    ],
)
def test_parameter_count(scale, arguments, count):
    with torch.device("meta"):
        model = LapSRN(scale, **arguments)
    assert sum(p.numel() for p in model.parameters()) == count


def interpolated(image, weight):
    """A transposed convolution as its definition has it: spread, then summed."""
    count, made = len(image), weight.shape[1]
    side = weight.shape[2]
    stride = 3 if side == 5 else 2
    height, width = image.shape[2:]
    large = image.new_zeros(count, made, stride * height + side, stride * width + side)
    for y in range(height):
        for x in range(width):
            patch = torch.einsum("ni,iokl->nokl", image[:, :, y, x], weight)
            top, left = stride * y, stride * x
            large[:, :, top : top + side, left : left + side] += patch
    begin = 0 if side == 3 else 1  # the authors crop below and at the right alone
    return large[:, :, begin : begin + stride * height, begin : begin + stride * width]


def written_out(model, lr):
    """The images of all levels, the coarsest first."""
    state = model.state_dict()

    def convolved(features, name):
        bias = state.get(f"{name}.bias")
        return functional.conv2d(features, state[f"{name}.weight"], bias, padding=1)

    def bent(features):
        return torch.where(features > 0, features, 0.2 * features)

    image, features, made = lr, bent(convolved(lr, "input")), []
    for i in range(len(model.levels)):
        for d in range(len(model.levels[i].convs)):
            features = bent(convolved(features, f"levels.{i}.convs.{d}"))
        features = interpolated(features, state[f"levels.{i}.up.weight"])
        bias = state.get(f"levels.{i}.up.bias", torch.zeros(1, dtype=features.dtype))
        features = bent(features + bias[:, None, None])
        detail = convolved(features, f"levels.{i}.residual")
        image = interpolated(image, state[f"levels.{i}.image.weight"]) + detail
        made.append(image)
    return made


@pytest.mark.parametrize("arguments", [{}, AUTHORS, {"channels": 3}, {"bias": True}])
@pytest.mark.parametrize(("scale", "thirds"), [(2, "shrink"), (3, "stride"), (8, "shrink")])
def test_equals_the_layers_written_out(scale, thirds, arguments):
    torch.manual_seed(0)
    model = LapSRN(scale, depth=2, width=5, thirds=thirds, **arguments).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    lr = torch.rand(2, model.channels, 3, 4, dtype=torch.float64)
    with torch.inference_mode():
        outputs = model(lr)
    names = ["sr", "sr/2", "sr/4"] if scale == 8 else ["sr"]
    assert list(outputs) == names
    for name, image in zip(names, reversed(written_out(model, lr)), strict=True):
        torch.testing.assert_close(outputs[name], image)


def test_a_third_is_the_image_of_scale_4_shrunk():
    torch.manual_seed(0)
    three, four = LapSRN(3, depth=1, width=4), LapSRN(4, depth=1, width=4)
    four.load_state_dict(three.state_dict())
    lr = torch.rand(1, 1, 5, 6)
    with torch.inference_mode():
        assert torch.equal(three(lr)["sr"], shrink(four(lr)["sr"], 15, 18))
        assert list(three(lr)) == ["sr"]


@pytest.mark.parametrize("arguments", [{}, AUTHORS, {"channels": 3}])
def test_weight_normalisation_changes_no_weight_at_first(arguments):
    outputs = []
    for normed in (False, True):
        torch.manual_seed(0)
        model = LapSRN(4, depth=2, width=5, weight_norm=normed, **arguments)
        outputs.append(model(torch.full((1, model.channels, 4, 4), 0.5))["sr"])
    plain, normed = outputs
    torch.testing.assert_close(normed, plain, rtol=1e-4, atol=1e-5)


def test_weight_normalisation_has_a_length_for_each_channel_made():
    state = LapSRN(2, width=5, depth=1, bias=True, weight_norm=True).state_dict()
    gains = {k.split(".param")[0]: tuple(v.shape) for k, v in state.items() if "original0" in k}
    assert gains == {
        "input": (5, 1, 1, 1),
        "levels.0.convs.0": (5, 1, 1, 1),
        "levels.0.up": (1, 5, 1, 1),
        "levels.0.residual": (1, 1, 1, 1),
        "levels.0.image": (1, 1, 1, 1),
    }


def test_initial_weights_of_the_port():
    torch.manual_seed(0)
    state = LapSRN(2).state_dict()
    ramp = torch.tensor([1, 3, 3, 1]) / 4
    assert torch.equal(state["levels.0.image.weight"][0, 0], ramp[:, None] * ramp)
    filters = (ramp[:, None] * ramp).expand(64, 64, 4, 4)
    assert torch.equal(state["levels.0.up.weight"], filters)
    for name, made in (("input", 64), ("levels.0.convs.9", 64), ("levels.0.residual", 1)):
        # 576 draws or more: a standard error below 3 %
        deviation = math.sqrt(2 / (9 * made))
        assert state[f"{name}.weight"].std().item() == pytest.approx(deviation, rel=0.12)


def test_initial_weights_of_the_authors():
    torch.manual_seed(0)
    for name, value in LapSRN(2, **AUTHORS).state_dict().items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif name != "levels.0.image.weight":
            deviation = 0.001 if name == "input.weight" else math.sqrt(2 / (9 * 64))
            assert value.std().item() == pytest.approx(deviation, rel=0.12), name


@pytest.mark.parametrize(("scale", "thirds"), [(2, "shrink"), (3, "stride"), (4, "shrink")])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_interpolated_at_first(scale, thirds, channels):
    """Without detail, a constant stays and a ramp stays a ramp; channels do not mix."""
    model = LapSRN(scale, depth=1, width=2, thirds=thirds, channels=channels).double()
    for level in model.levels:
        torch.nn.init.zeros_(level.residual.weight)
    lr = torch.arange(8.0, dtype=torch.float64).expand(1, channels, 8, 8).clone()
    lr += 10 * torch.arange(channels).view(1, -1, 1, 1)
    with torch.inference_mode():
        sr = model(lr)["sr"]
    for channel in range(channels):
        middle = sr[0, channel, 3 * scale : 5 * scale, 3 * scale : 5 * scale]
        wanted = (torch.arange(3 * scale, 5 * scale).double() + 0.5) / scale - 0.5
        wanted = (wanted + 10 * channel).expand_as(middle)
        torch.testing.assert_close(middle, wanted, rtol=0, atol=1e-5)  # a third, in single


def test_the_filter_of_stride_3():
    ramp = torch.tensor([1, 2, 3, 2, 1]) / 3
    torch.testing.assert_close(bilinear(5), ramp[:, None] * ramp)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kernel": 5}, "model lapsrn: kernel: found 5; choose one of 3, 4"),
        ({"channels": 2}, "model lapsrn: channels: found 2; choose one of 1, 3"),
        ({"depth": 0}, "model lapsrn: depth: found 0; must be at least 1"),
        ({"width": 0}, "model lapsrn: width: found 0; must be at least 1"),
    ],
)
def test_impossible_arguments_are_refused(arguments, words):
    with pytest.raises(Refused, match=words):
        LapSRN(2, **arguments)
