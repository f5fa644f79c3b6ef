"""Parameters and multiply-adds of a network, counted without data on torch's meta device.

A multiply-add is one product of a convolution, a transposed convolution or a linear layer, those
with zero padding among them. Biases, activations, norms, pooling and interpolation do not count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from acutance.errors import Refused

# LR sizes (height, width) by which a count is found to be affine in pixels, or not. A multiple of
# every stride: a network that skips border pixels is not taken for another one.
_PROBES = ((96, 96), (96, 192), (192, 192))
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # as torch's norms name them


@dataclass(frozen=True, kw_only=True)
class State:
    """What a network holds, in numbers of float values.

    Attributes:
        weights: Learnable, without the biases of convolutions and linear layers. A weight-normed
            layer has as many as its weight: its gains fold into it.
        biases: Learnable biases of convolutions and linear layers.
        statistics: Running means and variances of batch norms, with their counters.
        fixed: Other state that no training moves: kernels, mean shifts.
    """

    weights: int
    biases: int
    statistics: int
    fixed: int

    @property
    def learnable(self) -> int:
        """Weights and biases: what papers call parameters."""
        return self.weights + self.biases


@dataclass(frozen=True, kw_only=True)
class MultiplyAdds:
    """Of one pass.

    A k x k transposed convolution from a to b channels has k*k*a*b products for each pixel that
    goes in. Some count as many for each pixel that comes out: stride * stride times too many.

    Attributes:
        at_input: Transposed convolutions at the resolution of their input.
        at_output: Transposed convolutions at the resolution of their output.
        biases: Additions of a bias, in neither of them.
    """

    at_input: Fraction
    at_output: Fraction
    biases: Fraction


def state(network: nn.Module) -> State:
    """Returns how many values a network holds; what is registered twice counts once."""
    learnable = {id(p): p.numel() for p in network.parameters() if p.requires_grad}
    gains = {id(gain) for gain in _gains(network)}
    biases = {id(bias) for bias in _biases(network)} & set(learnable)
    statistics = {id(b): b.numel() for b in _statistics(network)}
    rest = [*network.buffers(), *(p for p in network.parameters() if not p.requires_grad)]
    return State(
        weights=sum(n for key, n in learnable.items() if key not in gains | biases),
        biases=sum(learnable[key] for key in biases),
        statistics=sum(statistics.values()),
        fixed=sum(t.numel() for t in rest if id(t) not in statistics),
    )


def multiply_adds(network: nn.Module, height: Fraction, width: Fraction) -> MultiplyAdds:
    """Returns the multiply-adds that a network takes for one LR image.

    Sides that are whole are run. Others (1280 / 3 pixels) stand for a number of pixels alone: the
    count is then that of whole sides, carried on in proportion.

    Args:
        network: On the meta device; its attribute `channels` says what it takes, 3 if nothing.
        height: Of the LR image, in pixels.
        width: Likewise.

    Raises:
        Refused: If sides are not whole, and the network's count is not affine in pixels.
    """
    if height.denominator == width.denominator == 1:
        return _run(network, int(height), int(width))
    at = [_run(network, *probe) for probe in _PROBES]
    names = ("at_input", "at_output", "biases")
    return MultiplyAdds(
        **{name: _carried([getattr(each, name) for each in at], height * width) for name in names}
    )


def _carried(found: list[Fraction], pixels: Fraction) -> Fraction:
    """Returns the count at `pixels`, of a network that took `found` at the probes."""
    first, second, third = (height * width for height, width in _PROBES)
    slope = (found[1] - found[0]) / (second - first)
    if found[1] + slope * (third - second) != found[2]:
        raise Refused("its multiply-adds do not grow as its pixels do; give whole sides with --lr")
    return found[0] + slope * (pixels - first)


def _run(network: nn.Module, height: int, width: int) -> MultiplyAdds:
    """Returns what torch counts in one pass; 2 FLOP are a multiply-add."""
    more = biases = 0

    def convolution(
        x: Any, w: Any, bias: Any, stride: Any, *rest: Any, out_shape: Any, **_: Any
    ) -> int:
        nonlocal more, biases
        out, transposed, groups = out_shape, rest[2], rest[4]
        flop: int = conv_flop_count(x, w, out, transposed=transposed)
        pixels = prod((out[0], *out[2:]))
        if transposed:  # borders that are cropped later do not count
            more += flop * (prod(stride) - 1)
            pixels = prod((x[0], *x[2:], *stride))
        biases += 0 if bias is None else pixels * (w[1] * groups if transposed else w[0])
        return flop

    def linear(_bias: Any, x: Any, w: Any, *_rest: Any, out_shape: Any, **_: Any) -> int:
        nonlocal biases
        biases += prod(out_shape)
        return 2 * int(x[0] * x[1] * w[1])

    mapping: dict[Any, Any] = {
        torch.ops.aten.convolution: convolution,
        torch.ops.aten.addmm: linear,
    }
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    channels = getattr(network, "channels", None) or 3
    with torch.no_grad(), counter:
        network.eval()(torch.empty(1, channels, height, width, device="meta"))
    flop = int(counter.get_total_flops())
    return MultiplyAdds(
        at_input=Fraction(flop, 2),
        at_output=Fraction(flop + more, 2),
        biases=Fraction(biases),
    )


def _gains(network: nn.Module) -> Iterator[Tensor]:
    """Yields what weight norm adds to a layer: one length for each of its output channels."""
    for module in network.modules():
        for each in getattr(module, "parametrizations", {}).values():
            if any(type(part).__name__ == "_WeightNorm" for part in each):
                yield each.original0


def _biases(network: nn.Module) -> Iterator[Tensor]:
    """Yields the biases of layers that multiply; those of norms, whose weights are rows, do not."""
    for module in network.modules():
        bias, weight = getattr(module, "bias", None), getattr(module, "weight", None)
        if isinstance(bias, Tensor) and isinstance(weight, Tensor) and weight.dim() > 1:
            yield bias


def _statistics(network: nn.Module) -> Iterator[Tensor]:
    for name, buffer in network.named_buffers():
        if name.rpartition(".")[2] in _STATISTICS:
            yield buffer
