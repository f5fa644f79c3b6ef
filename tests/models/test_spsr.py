"""SPSR: its size to the unit, its trunk RRDBNet's, its taps and fusion where the code has them."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from acutance.errors import Refused
from acutance.gradient import gradient_map
from acutance.models.rrdbnet import RRDBNet
from acutance.models.spsr import SPSR

SMALL = {"blocks": 4, "every": 1, "width": 4, "growth": 2}


def small(scale: int = 2) -> SPSR:
    torch.manual_seed(0)
    network = SPSR(scale, **SMALL).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # He's weights, of which a tenth is drawn
            parameter.mul_(5)
    return network


def count(parts: str) -> int:
    with torch.device("meta"):
        named = SPSR(4).named_parameters()
    return sum(p.numel() for name, p in named if name.startswith(parts))


def test_size_of_each_part() -> None:
    # The authors' 24,796,248 count the gradient map's two fixed 3x3 kernels too.
    assert count("") == 24_796_248 - 18
    assert count("branch.") == 6_456_835
    assert count("fusion.") == 1_606_211
    assert count("conv_hr.") == count("conv_hr1.") == 36_928


def test_multiply_adds() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        SPSR(4)(torch.empty(1, 3, 32, 32))
    assert counter.get_total_flops() / 2e9 == pytest.approx(53.66, abs=0.005)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_weights_of_rrdbnet_fit_but_for_its_last_convolution(scale: int) -> None:
    with torch.device("meta"):
        own = {k: v.shape for k, v in SPSR(scale).state_dict().items()}
        trunk = {k: v.shape for k, v in RRDBNet(scale).state_dict().items()}
    assert {k for k in trunk if own.get(k) != trunk[k]} == {"conv_last.weight", "conv_last.bias"}


def test_the_branch_is_shown_the_gradient_map_and_the_taps_in_order() -> None:
    network, image = small(), torch.rand(1, 3, 6, 5)
    blocks: list[torch.Tensor] = []
    for block in network.body:
        block.register_forward_hook(lambda _module, _inputs, output: blocks.append(output))
    seen = []
    network.branch.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs))
    network(image)
    ((slopes, taps),) = seen
    assert torch.equal(slopes, gradient_map(image))
    assert len(taps) == len(blocks) == 4
    assert all(torch.equal(tap, block) for tap, block in zip(taps, blocks, strict=True))


def test_taps_lie_so_many_blocks_apart() -> None:
    torch.manual_seed(0)
    network = SPSR(2, blocks=9, every=2, width=2, growth=2).eval()
    made: list[torch.Tensor] = []
    for block in network.body:
        block.register_forward_hook(lambda _module, _inputs, output: made.append(output))
    seen = []
    network.branch.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[1]))
    network(torch.rand(1, 3, 4, 4))
    assert all(torch.equal(a, b) for a, b in zip(seen[0], made[1:8:2], strict=True))


def test_fusion_and_branch_join_gradient_features_first() -> None:
    network = small()
    widths = []
    network.fusion.block.register_forward_pre_hook(lambda _m, inputs: widths.append(inputs[0]))
    slopes = []
    network.branch.register_forward_hook(lambda _m, _inputs, output: slopes.append(output))
    network(torch.rand(1, 3, 4, 4))
    assert torch.equal(widths[0][:, :4], slopes[0])


def test_what_the_branch_says_depends_on_the_branch_alone_behind_the_taps() -> None:
    network, image = small(), torch.rand(1, 3, 5, 5)
    before = network(image)
    with torch.no_grad():
        network.fusion.conv_last.weight.mul_(2)
    after = network(image)
    assert torch.equal(before["gradient"], after["gradient"])
    assert not torch.equal(before["sr"], after["sr"])


def test_too_few_blocks_for_the_taps() -> None:
    with pytest.raises(Refused, match=r"model spsr: blocks: found 19 with every 5.*at least 20"):
        SPSR(4, blocks=19)
