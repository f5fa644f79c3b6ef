"""LapSRN with bins: published sizes, values confined to their areas, sub-images by themselves."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from acutance.errors import Refused
from acutance.models._fd import clamped, offset
from acutance.models.lapsrn import LapSRN
from acutance.models.lapsrn_cs import LapSRNCS
from acutance.models.lapsrn_fd import LapSRNFD
from acutance.reduce import shrink


def count(model):
    """Parameters; what weight normalisation adds is folded into weights."""
    return sum(p.numel() for name, p in model.named_parameters() if "original0" not in name)


@pytest.mark.parametrize(
    ("model", "scale", "arguments", "parameters"),
    [
        (LapSRNFD, 4, {}, 934_307),  # 870,112 + 2*(64*32+32) + 60,035
        (LapSRNFD, 3, {}, 934_307),
        (LapSRNFD, 4, {"weight_norm": False}, 934_307),
        (LapSRNFD, 4, {"module_channels": 1}, 930_211),
        (LapSRNCS, 4, {}, 874_272),  # 870,112 + 2*(64*32+32)
    ],
)
def test_parameter_count(model, scale, arguments, parameters):
    with torch.device("meta"):
        assert count(model(scale, **arguments)) == parameters


@pytest.mark.parametrize(("channels", "parameters"), [(3, 60_035), (1, 55_939)])
def test_the_class_module_is_as_large_as_the_one_it_is_after(channels, parameters):
    module = LapSRNFD(2, depth=1, width=1, module_channels=channels).classes
    # the first 16*c*128+128, then 3*(128*128+128) + 128*32+32 + 32*3+3
    assert count(module) == parameters


def one_hot(bins, of=32):
    return functional.one_hot(torch.as_tensor(bins), of).movedim(-1, 1).float()


def test_values_by_hand():
    """Bins are 8 levels wide; bin 10 holds 80 to 88, its anchor is 84."""
    logits = one_hot([[[10, 10, 10, 0, 31]]])  # (1, 32, 1, 5)
    regressed = torch.tensor([[[[10.0, 83.0, 200.0, 100.0, 20.0]]]]) / 255
    for half, wanted in [
        (1, [72, 83, 96, 16, 240]),  # t^9 = 72 to t^12 = 96; t^0 = 0 to t^2; t^30 = 240 to t^32
        (2, [64, 83, 104, 24, 232]),
        (3, [56, 83, 112, 32, 224]),
    ]:
        value = clamped(regressed, logits, half) * 255
        torch.testing.assert_close(value.flatten(), torch.tensor(wanted).float())
    residual = torch.tensor([[[[0.0, 100.0, -100.0, 0.0, 0.5]]]])
    for half, bins in [(1, 3), (2, 5), (3, 7)]:
        value = offset(residual, logits, half) * 255
        wide = 4 * bins
        end = 252 + wide * float(torch.tensor(0.5).tanh())
        wanted = torch.tensor([84, 84 + wide, 84 - wide, 4, end])
        torch.testing.assert_close(value.flatten(), wanted)


def test_other_numbers_of_bins_by_hand():
    logits = one_hot([[[3]]], of=8)  # 32 levels wide: bin 3 holds 96 to 128
    regressed = torch.tensor([[[[1.0]]]])
    assert float(clamped(regressed, logits, 1) * 255) == pytest.approx(160)
    assert float(offset(0 * regressed, logits, 1) * 255) == pytest.approx(112)


@pytest.mark.parametrize("half", [0, 1, 2, 3])
def test_an_ideal_head_never_makes_it_worse(half):
    draw = torch.Generator().manual_seed(0)
    hr = torch.randint(0, 256, (4, 1, 40, 40), generator=draw)
    logits = one_hot(hr[:, 0] // 8)
    regressed = hr / 255 + 0.2 * torch.randn(hr.shape, generator=draw)
    after = clamped(regressed, logits, half)
    before = (regressed - hr / 255).abs()
    assert ((after - hr / 255).abs() <= before + 1e-6).all()
    assert not torch.equal(after, regressed)


@pytest.mark.parametrize("model", [LapSRNFD, LapSRNCS])
@pytest.mark.parametrize("form", ["clamp", "tanh"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_value_lies_around_the_bin_that_was_predicted(model, form, scale):
    torch.manual_seed(0)
    network = model(scale, depth=1, width=6, form=form)
    lr = torch.rand(2, 1, 33, 6)
    with torch.inference_mode():
        outputs = network(lr)
    bins = outputs["bins"].argmax(1, keepdim=True)
    if model is LapSRNFD:
        cells = outputs["areas"].argmax(1, keepdim=True) + 1
        half = torch.cat([cells[:, :, :1].expand(-1, -1, 32 * scale, 6 * scale)], 2)
        half = torch.cat([half, cells[:, :, 1:].expand(-1, -1, scale, 6 * scale)], 2)
    else:
        half = 2
    value = outputs["sr"] * 255
    low, high = 8 * (bins - half), 8 * (bins + half + 1)
    assert (value >= low - 1e-3).all()
    assert (value <= high + 1e-3).all()
    if form == "clamp":
        inside = (outputs["regressed"] * 255 >= low) & (outputs["regressed"] * 255 <= high)
        same = inside & (value > 0) & (value < 256)
        assert torch.equal(outputs["sr"][same], outputs["regressed"][same])
        assert inside.any()
        assert not inside.all()
    else:
        assert torch.equal(outputs["sr"], outputs["regressed"])


@pytest.mark.parametrize("model", [LapSRNFD, LapSRNCS])
@pytest.mark.parametrize(("scale", "thirds"), [(3, "shrink"), (3, "stride"), (8, "shrink")])
def test_what_is_regressed_is_the_image_of_lapsrn(model, scale, thirds):
    torch.manual_seed(0)
    network = model(scale, depth=2, width=4, thirds=thirds)
    plain = LapSRN(scale, depth=2, width=4, thirds=thirds, weight_norm=True)
    own = network.state_dict()
    plain.load_state_dict({key: own[key] for key in plain.state_dict()})
    lr = torch.rand(1, 1, 5, 6)
    with torch.inference_mode():
        outputs, images = network(lr), plain(lr)
    for name, image in images.items():
        assert torch.equal(outputs[name.replace("sr", "regressed")], image), name


def test_logits_are_a_head_on_the_features_of_each_level():
    torch.manual_seed(0)
    network = LapSRNCS(4, depth=1, width=4, bins=9)
    seen = []
    for level in network.levels:
        level.register_forward_hook(lambda _, __, made: seen.append(made[1]))
    with torch.no_grad():
        outputs = network(torch.rand(1, 1, 4, 5))
    for name, features, head in zip(("bins/2", "bins"), seen, network.heads, strict=True):
        made = torch.einsum("nchw,kc->nkhw", features, head.weight[:, :, 0, 0].detach())
        torch.testing.assert_close(outputs[name], made + head.bias[:, None, None].detach())


def test_a_third_shrinks_logits_too():
    torch.manual_seed(0)
    three, four = LapSRNCS(3, depth=1, width=4), LapSRNCS(4, depth=1, width=4)
    four.load_state_dict(three.state_dict())
    lr = torch.rand(1, 1, 5, 6)
    with torch.inference_mode():
        assert torch.equal(three(lr)["bins"], shrink(four(lr)["bins"], 15, 18))


def sensitive(model):
    """Makes classes hang on the image more than on what they begin with."""
    torch.manual_seed(1)
    for module in model.classes.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)
    return model.eval()


@pytest.mark.parametrize(("height", "width"), [(24, 16), (19, 13), (9, 30), (8, 8)])
def test_a_cell_gets_the_class_that_it_gets_alone(height, width):
    model = sensitive(LapSRNFD(2, depth=1, width=4, cell=8, weight_norm=False)).double()
    lr = torch.randn(2, 1, height, width, dtype=torch.float64)
    with torch.inference_mode():
        areas = model(lr)["areas"]
        assert areas.shape == (2, 3, -(-height // 8), -(-width // 8))
        for row in range(areas.shape[2]):
            for column in range(areas.shape[3]):
                piece = lr[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                alone = model(piece)["areas"][:, :, 0, 0]
                torch.testing.assert_close(areas[:, :, row, column], alone)
    torch.testing.assert_close(areas.sum(1), torch.ones_like(areas[:, 0]))
    assert areas[:, 0].std() > 0.01


@pytest.mark.parametrize("scale", [2, 3])
def test_pixels_get_the_class_of_their_cell(scale):
    model = sensitive(LapSRNFD(scale, depth=1, width=4, cell=4, weight_norm=False))
    with torch.inference_mode():
        outputs = model(torch.randn(4, 1, 10, 13))
        chosen = outputs["areas"].argmax(1, keepdim=True)
        assert chosen.unique().numel() > 1
        large = functional.interpolate(chosen.float(), scale_factor=4 * scale, mode="nearest")
        half = 1 + large[:, :, : 10 * scale, : 13 * scale].long()
        assert torch.equal(outputs["sr"], clamped(outputs["regressed"], outputs["bins"], half))
        # and it matters which
        assert not torch.equal(outputs["sr"], clamped(outputs["regressed"], outputs["bins"], 1))


def test_the_class_module_written_out():
    model = sensitive(LapSRNFD(2, depth=1, width=4, weight_norm=False))
    state = model.classes.state_dict()
    lr = torch.rand(1, 1, 32, 32)
    features = functional.conv2d(lr.repeat(1, 3, 1, 1), state["convs.0.weight"], stride=4)
    for name in ("2", "4", "6", "8"):
        features = torch.where(features > 0, features, 0.1 * features)
        features = functional.conv2d(features, state[f"convs.{name}.weight"])
    scores = features.mean((2, 3)) @ state["last.weight"].T  # biases are zero
    with torch.inference_mode():
        areas = model(lr)["areas"]
    torch.testing.assert_close(areas[:, :, 0, 0], scores.softmax(1))


def test_the_module_has_its_reference_initial_weights_and_all_convolutions_are_normalised():
    torch.manual_seed(0)
    model = LapSRNFD(2)
    for name, fan_in in (("0", 48), ("2", 128), ("8", 128)):
        layer = model.classes.convs[int(name)]
        assert layer.weight.std().item() == pytest.approx(0.1 * (2 / fan_in) ** 0.5, rel=0.12)
        assert not layer.bias.any()
    gains = [key for key in model.state_dict() if "original0" in key]
    assert len(gains) == 1 + (10 + 3) + 1 + 5  # first, level, head, Class-Module


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        (LapSRNFD, {"bins": 6}, "model lapsrn_fd: bins: found 6; must be between 7 and 256"),
        (LapSRNFD, {"bins": 257}, "model lapsrn_fd: bins: found 257; must be between 7 and 256"),
        (LapSRNFD, {"cell": 30}, "model lapsrn_fd: cell: found 30; must be a multiple of 4"),
        (LapSRNFD, {"cell": 0}, "model lapsrn_fd: cell: found 0; must be a multiple of 4"),
        (LapSRNFD, {"module_channels": 2}, "module_channels: found 2; choose one of 1, 3"),
        (LapSRNCS, {"area": 4}, "model lapsrn_cs: area: found 4; must be odd"),
        (LapSRNCS, {"bins": 4}, "model lapsrn_cs: bins: found 4; must be between 5 and 256"),
        (LapSRNCS, {"depth": 0}, "model lapsrn_cs: depth: found 0; must be at least 1"),
    ],
)
def test_impossible_arguments_are_refused(model, arguments, words):
    with pytest.raises(Refused, match=words):
        model(2, **arguments)
