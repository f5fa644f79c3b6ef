"""Sizes: what papers print of known networks, and where torch's own counter must be corrected."""

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.flop_counter import FlopCounterMode

from acutance import flops
from acutance.calls import Call
from acutance.cli import main
from acutance.count import Counter
from acutance.errors import Refused
from acutance.sizes import Convention

ROOT = Path(__file__).resolve().parent.parent
HD = Convention(name="", count="macs", output=(1280, 720))
CUT = Convention(name="", count="macs", output=(1280, 720), cut=True)
PARAMETERS = Convention(name="", count="parameters")


def counter(function: str, scale: int, **arguments: int | float | bool) -> Counter:
    call = Call(name=function, kind="models", function=function, arguments=tuple(arguments.items()))
    return Counter(call, scale)


BASELINE = {"blocks": 16, "width": 64, "residual_scale": 1.0}
# Network, scale, parameters, and G multiply-adds for 1280 x 720 with LR sides cut to whole pixels,
# as their papers and those that compare with them print them, or nearly so.
KNOWN = [
    ("espcn", 2, {"channels": 1}, 21_284, "4.88"),
    ("espcn", 3, {"channels": 1}, 22_729, "2.31"),
    ("espcn", 4, {"channels": 1}, 24_752, "1.42"),
    ("vdsr", 2, {"channels": 1}, 664_704, "612.59"),
    ("vdsr", 4, {"channels": 1, "bias": True}, 665_921, "612.59"),
    ("edsr", 2, BASELINE, 1_369_859, "316.25"),
    ("edsr", 3, BASELINE, 1_554_499, "160.06"),
    ("edsr", 4, BASELINE, 1_517_571, "114.23"),
    ("edsr", 2, {}, 40_729_603, "9384.75"),
    ("edsr", 3, {}, 43_680_003, "4469.53"),
    ("edsr", 4, {}, 43_089_923, "2894.55"),
    ("srcnn", 3, {"channels": 1}, 57_281, "52.62"),
    ("rdn", 3, {}, 22_308_035, "2281.16"),
    ("rcan", 2, {}, 15_444_643, "3526.78"),
    ("rrdbnet", 4, {}, 16_697_987, "1032.59"),
    ("msrresnet", 4, {}, 1_517_571, "146.08"),
    ("lapsrn", 4, {}, 870_112, "125.74"),
    ("dbpn", 4, {}, 10_426_358, "681.59"),
]
# Of networks with transposed convolutions, at output resolution: CARN prints 149.4 G for LapSRN.
KNOWN_UP = [
    ("lapsrn", 4, {"kernel": 3, "bias": True}, "149.35"),
    ("lapsrn", 4, {}, "182.38"),
    ("dbpn", 4, {}, "5211.43"),
]


@pytest.mark.parametrize(("function", "scale", "arguments", "parameters", "macs"), KNOWN)
def test_known_networks_have_their_known_size(function, scale, arguments, parameters, macs):
    found = counter(function, scale, **arguments)
    assert found.value(PARAMETERS) == parameters
    assert f"{found.value(CUT) / 1e9:.2f}" == macs


@pytest.mark.parametrize(("function", "scale", "arguments", "macs"), KNOWN_UP)
def test_known_networks_at_output_resolution(function, scale, arguments, macs):
    up = Convention(name="", count="macs", output=(1280, 720), transposed="output")
    assert f"{counter(function, scale, **arguments).value(up) / 1e9:.2f}" == macs


def test_a_third_of_a_pixel_counts_as_a_third():
    """1280 / 3 x 720 / 3 is 102,400 LR pixels: VDSR works on all 1280 x 720 of them enlarged."""
    assert counter("vdsr", 3, channels=1).value(HD) == 664_704 * 1280 * 720
    weights = 64 * 25 + 32 * 64 * 9 + 9 * 32 * 9
    assert counter("espcn", 3, channels=1).value(HD) == weights * 102_400
    assert counter("espcn", 3, channels=1).value(CUT) == weights * 426 * 240


def test_flop_are_two_per_multiply_add_and_a_convention_names_its_image():
    found = counter("espcn", 4, channels=1)
    lr = Convention(name="", count="macs", lr=(50, 40))
    double = Convention(name="", count="flops", lr=(50, 40))
    weights = 64 * 25 + 32 * 64 * 9 + 16 * 32 * 9
    assert found.value(lr) == weights * 2000
    assert found.value(double) == 2 * found.value(lr)
    assert found.value(HD) == found.value(Convention(name="", count="macs", lr=(320, 180)))


class Zoo(nn.Module):
    """Every kind of layer that a counter may get wrong; `again` is `first` by another name."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.again = self.first
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.gains = weight_norm(nn.Conv2d(8, 8, 3, padding=1))
        self.shrink = nn.Conv2d(8, 8, 4, stride=2, padding=1)
        self.grow = nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1)
        self.squeeze = nn.Linear(6, 2)
        self.frozen = nn.Parameter(torch.ones(5), requires_grad=False)
        self.register_buffer("kernel", torch.ones(6, 1, 3, 3))

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        features = self.gains(self.norm(self.grouped(self.again(lr))))
        grown = self.grow(self.shrink(features))
        weight = self.squeeze(grown.mean((2, 3))).sum(1)
        return {"sr": grown * weight[:, None, None, None]}


# of an LR image of 12 x 10 pixels, layer by layer
BY_HAND = {
    "first": 3 * 8 * 9 * 120,
    "grouped": 8 * 8 // 4 * 9 * 120,
    "gains": 8 * 8 * 9 * 120,
    "shrink": 8 * 8 * 16 * 30,
    "squeeze": 6 * 2,
}
GROW = 8 * 6 * 16 * 30


def zoo() -> Zoo:
    with torch.device("meta"):
        return Zoo()


def test_multiply_adds_by_hand():
    found = flops.multiply_adds(zoo(), Fraction(10), Fraction(12))
    assert found.at_input == sum(BY_HAND.values()) + GROW
    assert found.at_output == sum(BY_HAND.values()) + 4 * GROW


def test_torch_counts_transposed_convolutions_at_input_alone():
    """Its groups, strides and linear layers are right; it has no other habit for these."""
    network = zoo().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as own:
        network(torch.empty(1, 3, 10, 12, device="meta"))
    assert own.get_total_flops() == 2 * (sum(BY_HAND.values()) + GROW)


def test_torch_sees_no_product_of_a_matrix_and_one_vector():
    """Nor a bilinear layer; no network here has either."""
    with torch.device("meta"), FlopCounterMode(display=False) as own:
        torch.mv(torch.empty(4, 5), torch.empty(5))
        nn.Bilinear(4, 5, 6)(torch.empty(1, 4), torch.empty(1, 5))
    assert own.get_total_flops() == 0


def hooked(network: nn.Module, lr: Tensor) -> int:
    """Multiply-adds as counters do it that hook every name: at output resolution, each time."""
    found = 0

    def after(layer: nn.Module, _: object, out: Tensor) -> None:
        nonlocal found
        pixels = out.shape[2] * out.shape[3] if out.dim() == 4 else 1
        found += layer.weight.numel() * pixels

    for _, layer in network.named_modules(remove_duplicate=False):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            layer.register_forward_hook(after)
    network(lr)
    return found


def test_a_layer_with_two_names_counts_once():
    """Counters that hook every name count it twice: so SPSR's 265.0 G came about, not 262.0."""
    torch.manual_seed(0)
    found = hooked(Zoo().eval(), torch.rand(1, 3, 10, 12))
    ours = flops.multiply_adds(zoo(), Fraction(10), Fraction(12)).at_output
    assert found == ours + BY_HAND["first"]


def test_what_a_network_holds_by_hand():
    found = flops.state(zoo())
    assert found.biases == 8 + 8 + 8 + 6 + 2
    weights = 3 * 8 * 9 + 8 * 8 // 4 * 9 + 8 * 8 * 9 + 8 * 8 * 16 + 8 * 6 * 16 + 6 * 2
    assert found.weights == weights + 2 * 8, "the norm's own two rows, and no gains"
    assert found.statistics == 2 * 8 + 1
    assert found.fixed == 5 + 6 * 9
    assert found.learnable == found.weights + found.biases


def test_a_count_that_is_not_affine_is_not_carried_on():
    class Valid(nn.Module):
        """Without padding a convolution loses borders: the count has a term in the sides."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 3)

        def forward(self, lr: Tensor) -> dict[str, Tensor]:
            return {"sr": self.layer(lr)}

    with torch.device("meta"):
        network = Valid()
    whole = flops.multiply_adds(network, Fraction(10), Fraction(12))
    assert whole.at_input == 3 * 3 * 9 * 8 * 10
    with pytest.raises(Refused, match="give whole sides with --lr"):
        flops.multiply_adds(network, Fraction(10, 3), Fraction(12))


def acutance(*words: str) -> int:
    return main(["--root", str(ROOT), "count", *words])


def test_the_command_prints_a_table_and_exact_numbers(capsys):
    assert acutance("vdsr", "espcn", "--scale", "2") == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == [
        "system",
        "scale",
        "parameters",
        *["statistics", "fixed", "LR", "G", "MAC"],
    ]
    assert table[1].split() == ["vdsr", "x2", "665,856", "0", "0", "640x360", "613.6529"]
    assert table[-1] == "G MAC: multiply-adds for 1280 × 720 pixels out"
    assert acutance("espcn", "--lr", "50x40", "--unit", "flop", "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["scale"] for row in rows] == ["2", "3", "4"]
    weights = 64 * 3 * 25 + 32 * 64 * 9 + 12 * 32 * 9
    assert int(rows[0]["value"]) == 2 * weights * 50 * 40


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vdrs"], "no entry 'vdrs' in systems; did you mean 'vdsr'?"),
        (["vdsr", "--scale", "7"], "--scale: 'vdsr' is not declared at scale 7"),
        (
            ["vdsr", "--lr", "50x"],
            "--lr: wants width and height in pixels",
        ),
        (["vdsr", "--output", "0x9"], "--output: wants width and height"),
        (["vdsr", "--lr", "5x5", "--cut"], "leave --output and --cut out"),
    ],
)
def test_what_cannot_be_counted_is_refused(words, message, capsys):
    assert acutance(*words) == 2
    assert message in capsys.readouterr().err
