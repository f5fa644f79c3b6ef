"""Key mappings: others' names and orders of dimensions, made by hand from our small networks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acutance.convert import Misfit, convert
from acutance.keys import keys, names
from acutance.models.dbpn import DBPN
from acutance.models.edsr import EDSR
from acutance.models.espcn import ESPCN
from acutance.models.lapsrn import LapSRN
from acutance.models.msrresnet import MSRResNet
from acutance.models.natsr import NatSR
from acutance.models.rcan import RCAN
from acutance.models.rdn import RDN
from acutance.models.rrdbnet import RRDBNet
from acutance.models.spsr import SPSR
from acutance.models.vdsr import VDSR

ROOT = Path(__file__).resolve().parent.parent
State = dict[str, Tensor]


def filled(model: nn.Module) -> State:
    """A state in which no two weights are alike."""
    made = torch.Generator().manual_seed(1)
    return {k: torch.randn(v.shape, generator=made) for k, v in model.state_dict().items()}


def means() -> State:
    """EDSR-PyTorch's two layers of constants, by hand."""
    mean = torch.tensor([0.4488, 0.4371, 0.4040]) * 255
    eye = torch.eye(3).reshape(3, 3, 1, 1)
    return {
        "sub_mean.weight": eye, "sub_mean.bias": -mean,
        "add_mean.weight": eye, "add_mean.bias": mean,
    }  # fmt: skip


def swapped(state: State, *pairs: tuple[str, str]) -> State:
    """The state under names in which each pattern is replaced; the first that is found counts."""
    found = {}
    for name, value in state.items():
        pattern, to = next((p, t) for p, t in pairs if re.match(p, name))
        found[re.sub(pattern, to, name)] = value
    return found


def old_rrdb(state: State) -> State:
    blocks = max(int(m[1]) for m in (re.match(r"body\.(\d+)", n) for n in state) if m) + 1
    return swapped(
        state,
        (r"conv_first", "model.0"),
        (r"body\.(\d+)\.rdb(\d)\.(conv\d)", r"model.1.sub.\1.RDB\2.\3.0"),
        (r"conv_body", f"model.1.sub.{blocks}"),
        (r"conv_up1", "model.3"), (r"conv_up2", "model.6"),
        (r"conv_hr", "model.8"), (r"conv_last", "model.10"),
    )  # fmt: skip


def new_rrdb(state: State) -> State:
    return swapped(
        state,
        (r"body\.(\d+)\.rdb(\d)", r"RRDB_trunk.\1.RDB\2"),
        (r"conv_body", "trunk_conv"), (r"conv_up", "upconv"), (r"conv_hr", "HRconv"),
        (r"conv_", "conv_"),
    )  # fmt: skip


def spsr(state: State) -> State:
    """SPSRNet's, with the layer that it registers twice and its two kernels of slopes."""
    block = r"rdb(\d)\.(conv\d)"
    trunk = {k: v for k, v in state.items() if k.startswith(("conv_", "body"))}
    last = {k: trunk.pop(k) for k in [*trunk] if k.startswith("conv_hr1")}
    found = old_rrdb(trunk) | swapped(last, (r"conv_hr1", "HR_conv1_new.0"))
    found |= swapped(
        {k: v for k, v in state.items() if k.startswith(("branch", "fusion"))},
        (r"branch\.conv_first", "b_fea_conv.0"),
        (r"branch\.conv_body", "b_LR_conv.0"),
        *((rf"branch\.blocks\.{i}\.{block}", rf"b_block_{i + 1}.RDB\1.\2.0") for i in range(4)),
        *((rf"branch\.joins\.{i}", f"b_concat_{i + 1}.0") for i in range(4)),
        (r"branch\.conv_up1", "b_module.1"), (r"branch\.conv_up2", "b_module.4"),
        (r"branch\.conv_hr1", "b_module.8"), (r"branch\.conv_hr", "b_module.6"),
        (r"branch\.conv_last", "conv_w.0"),
        (rf"fusion\.block\.{block}", r"f_block.RDB\1.\2.0"),
        (r"fusion\.join", "f_concat.0"),
        (r"fusion\.conv_hr", "f_HR_conv0.0"), (r"fusion\.conv_last", "f_HR_conv1.0"),
    )  # fmt: skip
    found |= {f"HR_conv0_new.0.{k}": found[f"model.8.{k}"] for k in ("weight", "bias")}
    kernel = torch.tensor([[[[0.0, -1, 0], [0, 0, 0], [0, 1, 0]]]])
    slopes = {"weight_h": kernel.transpose(2, 3), "weight_v": kernel}
    return found | {f"get_g_nopadding.{k}": v for k, v in slopes.items()}


def old_srresnet(state: State) -> State:
    return swapped(
        state,
        (r"conv_first", "model.0"),
        (r"body\.(\d+)\.conv1", r"model.1.sub.\1.res.0"),
        (r"body\.(\d+)\.conv2", r"model.1.sub.\1.res.2"),
        (r"conv_body", "model.1.sub.2"),
        (r"upconv1", "model.2"), (r"upconv2", "model.5"),
        (r"conv_hr", "model.8"), (r"conv_last", "model.10"),
    )  # fmt: skip


def trunk_2019(state: State) -> State:
    return swapped(state, (r"body", "recon_trunk"), (r"conv_hr", "HRconv"), (r"", ""))


def generator(state: State) -> State:
    return {"step_counter": torch.zeros(1), **{f"generator.{k}": v for k, v in state.items()}}


def openmmlab_msrresnet(state: State) -> State:
    found = swapped(
        state,
        (r"body", "trunk_net"), (r"upconv([12])", r"upsample\1.upsample_conv"), (r"", ""),
    )  # fmt: skip
    return generator(found)


def lornatang(state: State) -> State:
    return swapped(
        state,
        (r"conv1", "feature_maps.0"), (r"conv2", "feature_maps.2"), (r"conv3", "sub_pixel.0"),
    )  # fmt: skip


def lapsrn_port(state: State) -> State:
    found = {}
    for name, value in state.items():
        part = name.split(".")
        if part[0] == "input":
            found["conv_input.weight"] = value
            continue
        level = int(part[1]) + 1
        if part[2] == "convs":
            found[f"convt_F{level}.0.cov_block.{2 * int(part[3])}.weight"] = value
        elif part[2] == "up":
            found[f"convt_F{level}.0.cov_block.20.weight"] = value
        else:
            found[f"convt_{part[2][0].upper()}{level}.weight"] = value
    return found


def matlab(weight: Tensor) -> Tensor:
    """H x W x in x out, or transposed H x W x out x in, without trailing ones; biases a row."""
    array = weight.numpy()
    if array.ndim == 1:
        return torch.from_numpy(array.reshape(1, -1))
    array = np.transpose(array, (2, 3, 1, 0))
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return torch.from_numpy(np.ascontiguousarray(array))


def lapsrn_authors(state: State) -> State:
    levels = max(int(name.split(".")[1]) for name in state if "levels" in name) + 1
    found = {}
    for name, value in state.items():
        part, end = name.split("."), {"weight": "f", "bias": "b"}[name.split(".")[-1]]
        if part[0] == "input":
            found[f"input_conv_{end}"] = matlab(value)
            continue
        level = f"level{levels - int(part[1])}"
        inner = {"up": "upconv", "residual": "residual_conv", "image": "img_up"}.get(part[2], "")
        inner = inner or f"conv{int(part[3]) + 1}"
        found[f"{level}_{inner}_{end}"] = matlab(value)
    return found


def vdsr_authors(state: State) -> State:
    order = ["input", *(f"residual_layer.{i}.conv" for i in range(18)), "output"]
    found = {}
    for i, name in enumerate(order):
        found[f"model.weight.{i}"] = matlab(state[f"{name}.weight"])
        found[f"model.bias.{i}"] = matlab(state[f"{name}.bias"]).T
    return found


def natsr(state: State) -> State:
    """TensorFlow's: H x W x in x out, and block by block the channels that become pixels."""
    found = {}
    for name, ours in state.items():
        *scopes, part, value = *name.split("."), ours
        if scopes[0] == "blocks":
            inner = f"conv{scopes[3]}" if scopes[2] == "convs" else "conv_fusion"
            scope = f"Block{scopes[1]}/{inner}"
        elif scopes[0] == "ups":
            scope = f"conv_up{int(scopes[1]) + 1}"
            channels = torch.arange(len(ours)).reshape(4, -1)  # the width is 4
            value = ours[channels.T.flatten()]
        else:
            (scope,) = scopes
        kernel = part == "weight"
        foreign = f"GEN/{scope}/conv2d/{'kernel' if kernel else 'bias'}"
        found[foreign] = value.permute(2, 3, 1, 0) if kernel else value
    return found


def plain(state: State) -> State:
    return dict(state)


def with_means(state: State) -> State:
    return {**means(), **state}


CASES: list[tuple[str, int, Callable[[], nn.Module], Callable[[State], State]]] = [
    ("edsr-pytorch", 2, lambda: EDSR(2, blocks=2, width=4), with_means),
    ("edsr-pytorch", 4, lambda: EDSR(4, blocks=2, width=4), with_means),
    ("edsr-pytorch", 3, lambda: RCAN(3, groups=2, blocks=2, width=4, reduction=2), with_means),
    ("rrdb-old", 4, lambda: RRDBNet(4, blocks=2, width=4, growth=2), old_rrdb),
    ("spsr", 4, lambda: SPSR(4, blocks=5, every=1, width=4, growth=2), spsr),
    ("rrdb-new", 4, lambda: RRDBNet(4, blocks=2, width=4, growth=2), new_rrdb),
    ("openmmlab", 4, lambda: RRDBNet(4, blocks=2, width=4, growth=2), generator),
    ("openmmlab", 3, lambda: RDN(3, blocks=2, convs=2, growth=4, width=4), generator),
    *(("natsr", s, lambda s=s: NatSR(s, convs=2, width=4), natsr) for s in (2, 3, 4)),
    ("plain", 4, lambda: RRDBNet(4, blocks=2, width=4, growth=2), plain),
    ("plain", 2, lambda: DBPN(2, stages=3, first=4, width=4), plain),
    ("plain", 3, lambda: VDSR(3, channels=1), plain),
    ("msrresnet-old", 4, lambda: MSRResNet(4, variant="early", blocks=2, width=4), old_srresnet),
    ("msrresnet-2019", 4, lambda: MSRResNet(4, blocks=2, width=4), trunk_2019),
    ("msrresnet-openmmlab", 4, lambda: MSRResNet(4, blocks=2, width=4), openmmlab_msrresnet),
    ("espcn-lornatang", 3, lambda: ESPCN(3, channels=1), lornatang),
    ("vdsr-authors", 4, lambda: VDSR(4, channels=1, bias=True, width=3), vdsr_authors),
    ("lapsrn-port", 4, lambda: LapSRN(4, width=4), lapsrn_port),
    *(
        ("lapsrn-authors", s, lambda s=s: LapSRN(s, kernel=3, bias=True, depth=2, width=4),
         lapsrn_authors)
        for s in (2, 3, 4, 8)
    ),
]  # fmt: skip
NAMED = [f"{case[0]}-x{case[1]}-{i}" for i, case in enumerate(CASES)]


@pytest.mark.parametrize(("name", "scale", "make", "foreign"), CASES, ids=NAMED)
def test_every_style_brings_the_weights_home(
    name: str, scale: int, make: Callable[[], nn.Module], foreign: Callable[[State], State]
) -> None:
    model = make()
    wanted = filled(model)
    found = convert(foreign(wanted), keys(ROOT, name, scale, "test"), model)
    assert list(found) == list(wanted)
    for key, value in wanted.items():
        assert torch.equal(found[key], value), key
    model.load_state_dict(found)


@pytest.mark.parametrize(("name", "scale", "make", "foreign"), CASES, ids=NAMED)
def test_no_other_style_fits(
    name: str, scale: int, make: Callable[[], nn.Module], foreign: Callable[[State], State]
) -> None:
    """What fits a second mapping too must be the same: a wrong guess is impossible."""
    model = make()
    held = foreign(filled(model))
    for other in names(ROOT):
        mapping = keys(ROOT, other, scale, "test")
        try:
            found = convert(held, mapping, model)
        except Misfit:
            assert other != name
        else:
            assert all(torch.equal(v, filled(model)[k]) for k, v in found.items())


def test_every_mapping_is_tried_here() -> None:
    assert {case[0] for case in CASES} == set(names(ROOT))


def test_a_transposed_convolution_of_matconvnet_by_hand() -> None:
    """vl_nnconvt adds x[i, j, c] * F[a, b, k, c] to y[2i + a, 2j + b, k], then crops the end."""
    rng = np.random.default_rng(0)
    x, f = rng.normal(size=(4, 5, 2)).astype("f"), rng.normal(size=(3, 3, 2, 2)).astype("f")
    y = np.zeros((9, 11, 2))
    for i in range(4):
        for j in range(5):
            y[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += np.einsum("abkc,c->abk", f, x[i, j])
    model = LapSRN(2, kernel=3, bias=True, depth=1, width=2)
    held = lapsrn_authors(filled(model)) | {"level1_upconv_f": torch.from_numpy(f)}
    model.load_state_dict(convert(held, keys(ROOT, "lapsrn-authors", 2, "test"), model))
    level: Any = model.levels[0]
    torch.nn.init.zeros_(level.up.bias)
    with torch.inference_mode():
        found = level.up(torch.from_numpy(x).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    assert np.allclose(found.numpy()[:8, :10], y[:8, :10], atol=1e-5)
