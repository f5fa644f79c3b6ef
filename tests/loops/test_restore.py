"""restore: goes on to the bit, stops at what is no number, keeps the weights asked for."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import CPU, RECIPE, SGD, Tiny, Told, fit, l2, same
from torch import Tensor

from acutance.optim import Diverged, Term, term
from acutance.packed import Packed
from acutance.pairs import whole
from acutance.resize import resize

VARIANTS = {
    "adam": RECIPE,
    "sgd": SGD,
    "bf16": replace(RECIPE, precision="bf16"),
    "channels last": replace(RECIPE, channels_last=True),
    "adjustable": replace(RECIPE, clip_adjustable=0.01, loss_scale=840.5, learning_rate=1e-3),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_n_steps_are_n_steps_however_often_one_stops(packed: Packed, name: str) -> None:
    recipe = VARIANTS[name]
    whole_run, told = Told(want=lambda step: step in (1, 17, 20, 39)), None
    undisturbed = fit(packed, recipe, whole_run)
    assert list(whole_run.states) == [1, 17, 20, 39]
    for step, state in whole_run.states.items():
        torch.rand(7)  # what else uses torch's generator must not matter
        told = Told()
        assert same(undisturbed, fit(packed, recipe, told, state=state)), f"from step {step}"
        rest = {at: row for at, row in whole_run.rows.items() if at > step}
        assert told.rows == rest, f"log from step {step}"


def test_saving_and_validating_move_no_number(packed: Packed) -> None:
    often = Told(want=lambda _: True)
    plain = fit(packed, RECIPE, Told(), validation=False)
    assert same(plain, fit(packed, RECIPE, often))
    assert same(plain, fit(packed, replace(RECIPE, validate_every=7), Told()))
    assert not same(plain, fit(packed, replace(RECIPE, learning_rate=1.1e-2), Told()))


def test_it_learns_and_says_so(packed: Packed) -> None:
    told = Told()
    fit(packed, replace(RECIPE, steps=200), told)
    assert told.rows[200]["loss"] < 0.5 * told.rows[1]["loss"]
    row = told.rows[100]
    assert set(row) == {"loss", "l2", "l1", "learning_rate", "psnr"}
    assert row["loss"] == pytest.approx(row["l2"] + 0.1 * row["l1"], rel=1e-5)
    assert "psnr" not in told.rows[101]
    rates = [told.rows[step]["learning_rate"] for step in (15, 16, 30, 31)]
    assert rates == pytest.approx([1e-2, 3e-3, 3e-3, 9e-4])


def test_rows_of_a_long_run_are_means(packed: Packed) -> None:
    each, some = Told(), Told()
    fit(packed, replace(RECIPE, steps=499), each)
    fit(packed, replace(RECIPE, steps=1000), some)  # a row every second step
    assert list(some.rows)[:3] == [1, 2, 4]
    for step in (4, 6, 100):
        mean = (each.rows[step]["loss"] + each.rows[step - 1]["loss"]) / 2
        assert some.rows[step]["loss"] == pytest.approx(mean, rel=1e-12)


@torch.no_grad()
def psnr(weights: dict[str, Tensor], packed: Packed) -> float:
    network = Tiny().eval()
    network.load_state_dict(weights)
    values = []
    for lr, hr in whole(packed, 3, CPU):
        error = (network(lr)["sr"] - hr).numpy().astype(np.float64)
        values.append(-10 * math.log10(np.mean(error**2)))
    return float(np.mean(values))


def test_the_weights_kept_are_the_best_or_the_last(packed: Packed) -> None:
    told = Told()
    # A learning rate that rises: the best weights come early.
    recipe = replace(RECIPE, steps=60, milestones=(30,), factor=30.0, validate_every=5)
    last = fit(packed, recipe, told)
    best = fit(packed, replace(recipe, keep="best"), Told())
    measured = {step: row["psnr"] for step, row in told.rows.items() if "psnr" in row}
    assert list(measured) == list(range(5, 61, 5))
    assert psnr(last, packed) == pytest.approx(measured[60], abs=1e-4)
    assert psnr(best, packed) == pytest.approx(max(measured.values()), abs=1e-4)
    assert max(measured.values()) > measured[60] + 0.5


def test_a_run_away_stops_with_the_steps_named(packed: Packed) -> None:
    told = Told(want=lambda step: step % 5 == 0)
    recipe = replace(SGD, learning_rate=1e6, clip_norm=None, keep="last")
    with pytest.raises(Diverged, match=r"steps \d+ to \d+: the loss (is nan|is inf|rose to)"):
        fit(packed, recipe, told)
    assert all(math.isfinite(row["loss"]) for row in told.rows.values())


def test_a_nan_is_noticed_wherever_it_comes(packed: Packed) -> None:
    def fails_at(step: int) -> Term:
        calls = iter(range(1, 1000))

        def odd(sr: Tensor, hr: Tensor) -> Tensor:
            return l2(sr, hr) * (math.nan if next(calls) == step else 1.0)

        return term("odd", 1.0, odd)

    for step in (1, 23, 40):
        with pytest.raises(Diverged, match=f"steps {step} to {step}: the loss is nan"):
            fit(packed, RECIPE, Told(), terms=(fails_at(step),))
    # A row stands for two steps here, so a state wanted between rows must look by itself.
    told = Told(want=lambda step: step in (8, 9))
    with pytest.raises(Diverged, match="step 9: a weight is NaN"):
        fit(packed, replace(RECIPE, steps=1000), told, terms=(fails_at(9),))
    assert list(told.states) == [8]


def test_a_loss_that_explodes_without_nan(packed: Packed) -> None:
    calls = iter(range(1, 1000))

    def steep(sr: Tensor, hr: Tensor) -> Tensor:
        return l2(sr, hr) * (1e6 if next(calls) > 12 else 1.0)

    with pytest.raises(Diverged, match=r"steps 13 to 13: the loss rose to .* at step 1"):
        fit(packed, replace(RECIPE, learning_rate=0.0), Told(), terms=(term("x", 1.0, steep),))


def test_outputs_reach_the_losses_that_ask_for_them(packed: Packed) -> None:
    class Two(Tiny):
        def forward(self, lr: Tensor) -> dict[str, Tensor]:
            outputs = super().forward(lr)
            return {**outputs, "coarse": outputs["sr"][..., ::2, ::2]}

    def coarse(coarse: Tensor, hr: Tensor) -> Tensor:
        return (coarse - hr[..., ::2, ::2]).abs().mean()

    told = Told()
    fit(packed, RECIPE, told, build=Two, terms=(term("coarse", 1.0, coarse),))
    assert told.rows[40]["coarse"] < told.rows[1]["coarse"]


def test_a_coarser_output_is_measured_against_hr_shrunk_to_its_size(packed: Packed) -> None:
    class Pyramid(Tiny):
        def forward(self, lr: Tensor) -> dict[str, Tensor]:
            return {**super().forward(lr), "sr/2": lr}

    seen: list[Tensor] = []

    def look(sr: Tensor, hr: Tensor) -> Tensor:
        seen.append(hr)
        return (sr - hr).square().mean()

    fit(packed, RECIPE, Told(), build=Pyramid, terms=(term("look", 1.0, look, levels=True),))
    whole, half = (hr[0].permute(1, 2, 0).double().numpy() for hr in seen[:2])
    assert whole.shape == (12, 12, 3)
    np.testing.assert_allclose(half, resize(whole, 6, 6), rtol=0, atol=1e-6)
