"""restore: in every precision, compiled or not, on a CPU or a GPU."""

from dataclasses import replace

import pytest
import torch
from tiny import RECIPE, SGD, Told, fit, l2, plain, same
from torch import Tensor

from acutance.optim import term
from acutance.packed import Packed


def test_bf16_is_near_fp32_and_losses_stay_float32(packed: Packed) -> None:
    seen = set()

    def watched(sr: Tensor, hr: Tensor) -> Tensor:
        seen.add((sr.dtype, hr.dtype))
        return l2(sr, hr)

    half, single = Told(), Told()
    terms = (term("l2", 1.0, watched),)
    weights = fit(packed, replace(RECIPE, precision="bf16"), half, terms=terms)
    fit(packed, RECIPE, single, terms=terms)
    assert seen == {(torch.float32, torch.float32)}
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    assert half.rows[1]["loss"] == pytest.approx(single.rows[1]["loss"], rel=0.05)
    assert half.rows[1]["loss"] != single.rows[1]["loss"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # torch's compiler, of torch
def test_compiled_is_near_eager_and_goes_on_to_the_bit(packed: Packed) -> None:
    recipe = replace(SGD, compile=True, steps=6, validate_every=3)  # an epoch: 2, 2 and 1 images
    eager, compiled = Told(), Told(want=lambda step: step == 4)
    fit(packed, replace(recipe, compile=False), eager, build=plain)
    weights = fit(packed, recipe, compiled, build=plain)
    for step, row in eager.rows.items():
        assert compiled.rows[step] == pytest.approx(row, rel=1e-3)
    torch.compiler.reset()
    assert same(weights, fit(packed, recipe, Told(), build=plain, state=compiled.states[4]))


@pytest.mark.cuda
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_on_a_gpu(packed: Packed, precision: str, compiled: bool) -> None:
    recipe = replace(RECIPE, precision=precision, compile=compiled, channels_last=compiled)
    gpu = torch.device("cuda")
    told = Told(want=lambda step: step == 21)
    weights = fit(packed, recipe, told, device=gpu)
    assert same(weights, fit(packed, recipe, Told(), device=gpu, state=told.states[21]))
    assert {value.device.type for value in weights.values()} == {"cpu"}
    here = Told()
    fit(packed, replace(RECIPE, compile=False), here, build=plain)
    there = Told()
    fit(packed, recipe, there, device=gpu, build=plain)
    tolerance = {"fp32": 1e-3, "tf32": 1e-2, "bf16": 5e-2}[precision]
    assert there.rows[1]["loss"] == pytest.approx(here.rows[1]["loss"], rel=tolerance)
