"""health: real trainings that collapse, each in its own way, and one that does not."""

from dataclasses import replace

import pytest
import torch
from test_rivals import GAN, IMAGE, TERM
from tiny import Told, fit, plain
from torch import Tensor, nn

from acutance.games.vanilla import Vanilla
from acutance.health import LASTING, Health
from acutance.optim import Diverged
from acutance.packed import Packed

QUICK = replace(GAN, steps=60, milestones=())
JUDGE = replace(IMAGE, game=Vanilla(), recipe=QUICK)


def health_of(told: Told) -> tuple[Health, list[str]]:
    health, said = Health(), []
    for step, row in told.rows.items():
        said += health.look({"step": step, **row})
    return health, said


def test_a_training_that_goes_well_has_no_findings(packed: Packed) -> None:
    told = Told()
    fit(packed, QUICK, told, terms=TERM, build=plain, rivals=(IMAGE,))
    health, said = health_of(told)
    assert (health.shown(), health.collapsed(), said) == ([], "", [])
    assert 0.5 < told.rows[60]["contrast"] < 2


def test_a_critic_that_learns_and_a_network_that_does_not(packed: Packed) -> None:
    told = Told()
    still = replace(QUICK, learning_rate=1e-9, steps=150)
    eager = replace(JUDGE, recipe=replace(still, learning_rate=1e-2))
    fit(packed, still, told, terms=TERM, build=plain, rivals=(eager,))
    health, said = health_of(told)
    assert said[0].startswith("critic 'image' tells all apart: its loss was ")
    assert f"collapse: critic 'image' tells all apart, in {LASTING} rows of the log by now" in said
    assert "critic 'image' tells all apart (since step " in health.collapsed()


class Nought(nn.Module):
    """A network whose weights are all zero, and stay so: each layer's gradient waits for another's.

    Its images are black.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.last = nn.Conv2d(4, 12, 3, padding=1, bias=False)
        for weight in self.parameters():
            nn.init.zeros_(weight)

    def forward(self, lr: Tensor) -> dict[str, Tensor]:
        return {"sr": nn.functional.pixel_shuffle(self.last(torch.relu(self.first(lr))), 2)}


def test_a_network_of_zeros(packed: Packed) -> None:
    told = Told()
    fit(packed, QUICK, told, terms=TERM, build=Nought, rivals=(IMAGE,))
    health, said = health_of(told)
    black, vanished = "the network's images are constant", "the gradient of the network vanishes"
    assert said[:2] == [f"{black}: 0.0e+00 of HR's contrast", f"{vanished}: its norm was 0.0e+00"]
    assert f"{black} (since step 1); {vanished} (since step 1)" in health.collapsed()


def test_a_critic_whose_learning_rate_is_absurd(packed: Packed) -> None:
    told = Told()
    wild = replace(JUDGE, weight=1e-12, recipe=replace(QUICK, milestones=(30,), factor=1e4))
    fit(packed, QUICK, told, terms=TERM, build=plain, rivals=(wild,))
    health, _ = health_of(told)
    (found,) = (f for s, f in health.findings.items() if s.endswith("critic 'image' explodes"))
    assert found.first in (32, 33)


@pytest.mark.parametrize("side", ["the network", "critic 'image'"])
def test_a_weight_that_is_no_number_is_named_with_its_side(packed: Packed, side: str) -> None:
    """Looked at before a state is kept: rows are too far apart here to tell.

    The rate is beyond float32 from update 5 on.
    """
    recipe = replace(QUICK, steps=2000, learning_rate=1e-3)
    broken = replace(recipe, optimiser="sgd", learning_rate=1e-3, milestones=(4,), factor=1e45)
    told = Told(want=lambda step: step == 5)
    ours, theirs = (broken, recipe) if side == "the network" else (recipe, broken)
    rival = replace(JUDGE, recipe=theirs)
    with pytest.raises(Diverged, match=f"step 5: a weight is NaN or infinite, of {side}"):
        fit(packed, ours, told, terms=TERM, build=plain, rivals=(rival,))
    assert not told.states
