"""restore: goes on to the bit, stops at what is no number, runs in every precision."""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acutance.image import write_png
from acutance.loops.restore import restore
from acutance.optim import Diverged, Term, term
from acutance.pack import pack
from acutance.packed import Packed, open_packed
from acutance.pairs import FLIPS, Pairs, whole
from acutance.spec import Recipe

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="tiny",
    patch=6,
    batch=4,
    steps=40,
    learning_rate=1e-2,
    milestones=(15, 30),
    factor=0.3,
    augment=FLIPS,
    validate_every=10,
)
SGD = replace(
    RECIPE,
    optimiser="sgd",
    momentum=0.9,
    weight_decay=1e-4,
    sampling="epoch",
    batch=2,
    clip_norm=0.4,
    keep="best",
)


class Tiny(nn.Module):
    """Two convolutions with dropout between them, so that random state matters."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Conv2d(8, 12, 3, padding=1)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        features = self.drop(torch.relu(self.norm(self.first(lr))))
        base = nn.functional.interpolate(lr, scale_factor=2, mode="nearest")
        return {"sr": base + nn.functional.pixel_shuffle(self.last(features), 2)}


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).square().mean()


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).abs().mean()


TERMS = (term("l2", 1.0, l2), term("l1", 0.1, l1))


@dataclass
class Told:
    """What the loop recorded, and the states it was asked for."""

    want: Callable[[int], bool] = lambda _: False
    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    states: dict[int, bytes] = field(default_factory=dict)

    def record(self, step: int, row: Mapping[str, float]) -> None:
        self.rows[step] = dict(row)

    def keep(self, step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        if self.want(step):
            buffer = io.BytesIO()
            torch.save(dict(snapshot()), buffer)
            self.states[step] = buffer.getvalue()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    place: Path = tmp_path_factory.mktemp("restore")
    for number in range(5):
        rows, columns = np.mgrid[0:24, 0:28]
        waves = [np.sin((rows * (c + 1) + columns * (number + 1)) / 5) for c in range(3)]
        image = (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)
        write_png(place / "hr" / f"{number}.png", image)
    pack([place / "hr"], place / "out", degradation=lambda h, s: h[::s, ::s], scale=2)
    return open_packed(place / "out")


def fit(
    packed: Packed,
    recipe: Recipe,
    told: Told,
    *,
    state: bytes | None = None,
    build: Callable[[], nn.Module] = Tiny,
    terms: tuple[Term, ...] = TERMS,
    device: torch.device = CPU,
    validation: bool = True,
) -> dict[str, Tensor]:
    pairs = Pairs(
        packed,
        patch=recipe.patch,
        batch=recipe.batch,
        seed=1,
        sampling=recipe.sampling,
        augment=recipe.augment,
        device=device,
    )
    return restore(
        build,
        terms,
        pairs,
        recipe,
        seed=1,
        device=device,
        validation=packed if validation else None,
        state=torch.load(io.BytesIO(state), weights_only=True) if state else None,
        record=told.record,
        keep=told.keep,
    )


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


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


def plain() -> nn.Module:
    network = Tiny()
    network.drop = nn.Dropout(0.0)
    return network


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
