"""DGGGAN: both readings to the unit, the forward pass written out, how far it looks, a training."""

import csv
import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from skimage import data
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import made_up
from acutance.book import Book, open_book
from acutance.degradations.imresize import imresize
from acutance.entries import run
from acutance.errors import Refused
from acutance.gradient import gradient_map
from acutance.image import write_png
from acutance.models.dgggan import DGGGAN
from acutance.pack import pack
from acutance.train import train
from synthetic import lay

SIZES = [
    ({}, 14_601_814),
    ({"excitation": False}, 14_590_214),
    ({"branch": False}, 7_251_627),
    ({"fits": "flops"}, 3_226_198),
    ({"fits": "flops", "excitation": False}, 3_214_598),
]
SMALL = {"blocks": 4, "every": 2, "width": 4, "reduction": 2}
READINGS = ["parameters", "flops"]


@pytest.mark.parametrize(("arguments", "expected"), SIZES)
def test_parameters(arguments, expected):
    with torch.device("meta"):
        model = DGGGAN(4, **arguments)
    assert sum(p.numel() for p in model.parameters()) == expected


def test_a_block_is_as_large_as_that_of_two_branches():
    """MSRB's: 64 to 64 of 3x3 and of 5x5, the same from 128 to 128, 256 to 64 of 1x1; biases."""
    with torch.device("meta"):
        block = DGGGAN(4, excitation=False).image.blocks[0]
    kernels = 64 * 64 * (9 + 25) + 128 * 128 * (9 + 25) + 256 * 64
    assert sum(p.numel() for p in block.parameters()) == kernels + 2 * 64 + 2 * 128 + 64


@pytest.mark.parametrize(
    ("arguments", "side", "giga"),
    [
        ({}, 36, 23.55),
        ({}, 48, 41.87),
        ({}, 50, 45.43),
        ({"fits": "flops"}, 50, 23.56 / 2),
    ],
)
def test_multiply_adds(arguments, side, giga):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        DGGGAN(4, **arguments)(torch.empty(1, 3, side, side))
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, abs=0.005)


def stirred(model: DGGGAN) -> DGGGAN:
    """With weights that are not a tenth of anything, in double precision."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4)
    return model.double()


def leaky(features):
    return torch.where(features > 0, features, 0.2 * features)


class Layers:
    """The layers of a reading, from the weights of a network."""

    def __init__(self, model, fits, scale, *, excitation):
        self.state, self.excitation = model.state_dict(), excitation
        self.stages, self.large = (2, True) if fits == "parameters" else (1, False)
        self.steps = [2, 2] if scale == 4 else [scale]

    def conv(self, features, name):
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=weight.shape[2] // 2)

    def blocks(self, features, *names):
        for name in names:
            features = features + self.detail(features, name)
        return features

    def detail(self, inner, name):
        for stage in range(self.stages):
            names = [f"{name}.layers.{stage}.convs.{branch}" for branch in range(4)]
            inner = leaky(torch.cat([self.conv(inner, each) for each in names], 1))
        inner = self.conv(inner, f"{name}.layers.{self.stages}")
        if not self.excitation:
            return inner
        excited = f"{name}.layers.{self.stages + 1}.conv_du"
        means = inner.sum((2, 3), keepdim=True) / (inner.shape[2] * inner.shape[3])
        few = self.conv(means, f"{excited}.0").relu()
        return inner * self.conv(few, f"{excited}.2").sigmoid()

    def enlarged(self, first, features, branch):
        features = first + (features if self.large else self.conv(features, f"{branch}.conv_body"))
        for place, step in enumerate(self.steps):
            features = features.repeat_interleave(step, 2).repeat_interleave(step, 3)
            features = leaky(self.conv(features, f"{branch}.ups.{place}"))
        return leaky(self.conv(features, f"{branch}.conv_hr")) if self.large else features


@pytest.mark.parametrize("excitation", [True, False])
@pytest.mark.parametrize("fits", READINGS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_layers_written_out(scale, fits, excitation):
    torch.manual_seed(0)
    model = stirred(DGGGAN(scale, fits=fits, excitation=excitation, **SMALL))
    net = Layers(model, fits, scale, excitation=excitation)
    image = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    first = net.conv(image, "image.head")
    second = net.blocks(first, "image.blocks.0", "image.blocks.1")
    fourth = net.blocks(second, "image.blocks.2", "image.blocks.3")
    seen = net.enlarged(first, fourth, "image")
    first = net.conv(gradient_map(image), "gradient.head")
    inner = net.blocks(first, "gradient.blocks.0", "gradient.blocks.1")
    inner = net.conv(torch.cat((inner, gradient_map(second)), 1), "gradient.joins.0")
    inner = net.blocks(inner, "gradient.blocks.2", "gradient.blocks.3")
    slopes = net.enlarged(first, inner, "gradient")
    joined = net.conv(torch.cat((seen, slopes), 1), "fusion")
    joined = leaky(joined) if fits == "parameters" else joined
    with torch.inference_mode():
        made = model(image)
        for name, wanted in (
            ("sr", net.conv(joined, "conv_last")),
            ("gradient", net.conv(slopes, "conv_gradient")),
        ):
            torch.testing.assert_close(made[name], wanted, rtol=1e-9, atol=1e-9)


def test_the_other_branch_is_guided_behind_blocks_3_6_and_9():
    with torch.device("meta"):
        model = DGGGAN(4)
        places: list[str] = []
        for branch in ("image", "gradient"):
            parts = getattr(model, branch)
            for name, part in [*parts.blocks.named_children(), *parts.joins.named_children()]:
                kind = "join" if isinstance(part, torch.nn.Conv2d) else "block"
                part.register_forward_pre_hook(
                    lambda _m, _x, said=f"{branch} {kind} {name}": places.append(said)
                )
        model(torch.empty(1, 3, 2, 2))
    order = [f"gradient block {n}" for n in range(10)]
    for at, join in ((9, 2), (6, 1), (3, 0)):
        order.insert(at, f"gradient join {join}")
    assert places == [f"image block {n}" for n in range(10)] + order


def test_without_the_branch_there_is_the_image_branch_alone():
    torch.manual_seed(0)
    model = stirred(DGGGAN(2, branch=False, **SMALL))
    assert set(model(torch.rand(1, 3, 4, 4, dtype=torch.float64))) == {"sr"}
    assert {name.partition(".")[0] for name in model.state_dict()} == {"image", "conv_last"}


@pytest.mark.parametrize("branch", [True, False])
@pytest.mark.parametrize("fits", READINGS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_without_excitation_it_looks_no_farther_than_it_says(scale, fits, branch):
    torch.manual_seed(0)
    arguments = {**SMALL, "blocks": 2, "every": 1}
    model = stirred(DGGGAN(scale, fits=fits, excitation=False, branch=branch, **arguments))
    place = model.reach
    image = torch.rand(1, 3, 3, 2 * place + 4, dtype=torch.float64)
    spoilt = image.clone()
    spoilt[..., 1, place + 2] = torch.nan
    with torch.inference_mode():
        differs = ~(model(image)["sr"] == model(spoilt)["sr"])
    columns = differs.flatten(0, -2).any(0).unflatten(0, (-1, scale)).any(1).nonzero()[:, 0]
    seen = int((columns - place - 2).abs().max())
    assert seen <= model.reach <= seen + 1


@pytest.mark.parametrize("argument", ["blocks", "every", "reduction"])
def test_nothing_of_something_is_refused(argument):
    with pytest.raises(Refused, match=f"model dgggan: {argument}: found 0; must be at least 1"):
        DGGGAN(4, **{argument: 0})


def test_excitation_wants_a_channel():
    with pytest.raises(Refused, match="model dgggan: width: found 8; must be at least 16"):
        DGGGAN(4, width=8)


OVERLAY = """
build: []
assets: {{vgg19: {{name: vgg19.pth, sha256: {sha256}}}}}
recipes:
  tiny: {{base: dgggan, patch: 8, batch: 2, steps: 3, milestones: [2], validate_every: 0}}
systems:
  dgggan:
    model: {{blocks: 4, every: 2, width: 8, reduction: 2}}
    critics: {{image: {{critic: &tiny {{pairs: 3, width: 4}}}}, gradient: {{critic: *tiny}}}}
    recipe: tiny
"""
FED = {"train": {"datasets": ["photographs-train"], "degradation": "bicubic"}}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """What params.yaml declares, of systems as small as they may be."""
    root = lay(tmp_path_factory.mktemp("project"))
    sha256 = hashlib.sha256(made_up.vgg19().read_bytes()).hexdigest()
    overlay = root / "workflow/studies/tiny.yaml"
    overlay.write_text(OVERLAY.format(sha256=sha256), encoding="utf-8")
    return open_book(root, "tiny")[0]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pieces of a photograph with LR of a quarter of their sides, packed."""
    place = tmp_path_factory.mktemp("pieces")
    for number in range(3):
        write_png(place / "hr" / f"{number}.png", data.chelsea()[64 * number :][:64, 100:180])
    pack([place / "hr"], place / "packed", degradation=imresize, scale=4)
    return place / "packed"


GUIDED = {"gradient_branch": 0.5, "gradient_pixel": 0.01, "adversarial_gradient": 0.005}


SYSTEMS = ["dgggan", "dgggan-b", "dgggan-vgg", "dgggan-wo-se", "dgggan-wo-gb"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_training_has_all_terms_of_the_objective(system, declared, packed, tmp_path):
    """The weights are those below equation (7); the score of a critic is free to be negative."""
    it = run(declared, system, 4, 0, place="test", track=FED)
    places = {"packed": packed, "validation": None, "assets": made_up.vgg19().parent}
    out = tmp_path / "out"
    assert train(it, **places, out=out, state=tmp_path / "state", device="cpu", threads=1) == 0
    with (out / "log.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    assert len(rows) == 3
    weights = {"perceptual": 1, "l1": 0.01, "adversarial_image": 0.005}
    weights |= GUIDED if system != "dgggan-wo-gb" else {}
    for row in rows:
        assert GUIDED.keys() & row.keys() == GUIDED.keys() & weights.keys()
        assert row["loss"] == pytest.approx(sum(w * row[k] for k, w in weights.items()), rel=1e-5)
        assert row["critic_image_norm"] > 0
    moved = load_file(out / "weights.safetensors")
    torch.manual_seed(0)
    fresh = DGGGAN(4, **it.model.kwargs).state_dict()
    still = {name for name, value in fresh.items() if torch.equal(value, moved[name])}
    assert not {name for name in still if "conv_du" not in name}, "a ReLU there may be dead"
