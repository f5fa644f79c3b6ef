"""The VGG critic: sizes to the unit, sides that are no powers of two, what it refuses."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from acutance.critics.vgg import VGG
from acutance.errors import Refused

# parameters with biases and batch normalisation, without running statistics
SIZES = [
    (128, {}, 14_502_281),
    (192, {"pairs": 6}, 20_700_553),
    (192, {"pairs": 6, "norm": False}, 20_692_745),
    (192, {"pairs": 6, "norm": False, "plain": False}, 11_607_177),
]


@pytest.mark.parametrize(("size", "arguments", "expected"), SIZES)
def test_parameters(size: int, arguments: dict[str, int], expected: int) -> None:
    with torch.device("meta"):
        critic = VGG(size, **arguments)
    assert sum(p.numel() for p in critic.parameters()) == expected


@pytest.mark.parametrize(
    ("size", "pairs", "giga"), [(128, 5, 2.227), (130, 5, 2.246), (192, 6, 5.13)]
)
def test_multiply_adds(size: int, pairs: int, giga: float) -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        logits = VGG(size, pairs=pairs)(torch.empty(1, 3, size, size))
    assert logits.shape == (1, 1)
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, rel=1e-3)


def test_the_released_order_of_layers() -> None:
    kinds = {nn.Conv2d: "c", nn.BatchNorm2d: "n", nn.LeakyReLU: "a"}
    layers = [kinds[type(layer)] for layer in VGG(32, pairs=2, width=4).features]
    assert "".join(layers) == "cacna" + "cnacna"
    strides = [layer.stride[0] for layer in VGG(32, pairs=2).features if hasattr(layer, "stride")]
    assert strides == [1, 2, 1, 2]


def test_halving_convolutions_alone() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        critic = VGG(192, pairs=6, norm=False, plain=False)
        critic(torch.empty(1, 3, 192, 192))
    assert counter.get_total_flops() / 2e9 == pytest.approx(1.12, abs=0.005)
    convs = [layer for layer in critic.features if isinstance(layer, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64, 128, 256, 512, 512, 512]
    assert {(conv.kernel_size, conv.stride) for conv in convs} == {((4, 4), (2, 2))}
    normed = VGG(32, pairs=2, width=4, plain=False).features
    assert [type(layer) for layer in normed].count(nn.BatchNorm2d) == 1, "not behind the first"


def test_widths_double_eight_times_at_most() -> None:
    convs = [m for m in VGG(64, pairs=6, width=2).features if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convs][::2] == [2, 4, 8, 16, 16, 16]


def test_too_many_pairs_are_refused() -> None:
    with pytest.raises(
        Refused, match=r"critic vgg: pairs: 6 leave nothing of 32 pixels; at most 5"
    ):
        VGG(32, pairs=6)
