"""restore with critics: one loop still, exact to the bit, each side as its game says."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
import torch
from tiny import RECIPE, SGD, Tiny, Told, fit, l2, plain, same
from torch import Tensor, nn

from acutance.critics.vgg import VGG
from acutance.games.relativistic import Relativistic
from acutance.games.vanilla import Vanilla
from acutance.games.wgan_gp import WGANGP
from acutance.gradient import gradient_map
from acutance.optim import Diverged, term
from acutance.packed import Packed
from acutance.pairs import Pairs
from acutance.rivals import Rival

GAN = replace(RECIPE, learning_rate=1e-3, validate_every=0)
TERM = (term("l2", 1.0, l2),)
SIDE = 2 * RECIPE.patch


def itself(image: Tensor) -> Tensor:
    return image


IMAGE = Rival(
    name="image",
    weight=0.01,
    build=partial(VGG, SIDE, pairs=2, width=4),
    game=Relativistic(),
    view=itself,
    recipe=GAN,
)
GRADIENT = replace(
    IMAGE,
    name="gradient",
    build=partial(VGG, SIDE + 2, pairs=2, width=4, norm=False),
    game=WGANGP(),
    view=partial(gradient_map, padding=2),
    recipe=replace(GAN, learning_rate=1e-4, milestones=(10,), factor=0.5),
)


@pytest.mark.parametrize("recipe", [GAN, replace(SGD, keep="last", validate_every=0)])
def test_n_steps_are_n_steps_however_often_one_stops(packed: Packed, recipe) -> None:
    """Dropout, batch normalisation, the penalty's random points, three optimisers: one state."""
    whole = Told(want=lambda step: step in (1, 7, 25))
    weights = fit(packed, recipe, whole, terms=TERM, rivals=(IMAGE, GRADIENT))
    for state in whole.states.values():
        again = fit(packed, recipe, Told(), state=state, terms=TERM, rivals=(IMAGE, GRADIENT))
        assert same(weights, again)


def test_a_contest_of_no_weight_moves_no_weight(packed: Packed) -> None:
    alone = fit(packed, GAN, Told(), terms=TERM, build=plain)
    watched = fit(packed, GAN, Told(), terms=TERM, build=plain, rivals=(replace(IMAGE, weight=0),))
    assert same(alone, watched)


def reference(packed: Packed, steps: int) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """The authors' order of things, written out: network, critic; both see the network's old SR."""
    pairs = Pairs(packed, patch=6, batch=4, seed=1, augment=GAN.augment)
    torch.manual_seed(1)
    network, critic = plain().train(), IMAGE.build().train()
    learner = torch.optim.SGD(network.parameters(), lr=1e-2)
    judge = torch.optim.SGD(critic.parameters(), lr=1e-2)
    bce = nn.functional.binary_cross_entropy_with_logits
    rows = []
    for step in range(steps):
        lr, hr = pairs.batch(step)
        sr = network(lr)["sr"]
        fake, real = critic(sr), critic(hr).detach()
        one, nought = torch.ones_like(real), torch.zeros_like(real)
        told = (bce(real - fake.mean(), nought) + bce(fake - real.mean(), one)) / 2
        loss = l2(sr, hr) + 0.01 * told
        learner.zero_grad()
        loss.backward()
        learner.step()
        judge.zero_grad()
        real, fake = critic(hr), critic(sr.detach())
        answer = (bce(real - fake.mean(), one) + bce(fake - real.mean(), nought)) / 2
        answer.backward()
        judge.step()
        rows.append({"adversarial_image": told.item(), "critic_image": answer.item()})
        rows[-1] |= {"critic_image_real": real.mean().item()}
    return network.state_dict(), rows


def test_the_updates_are_the_authors(packed: Packed) -> None:
    # not Adam, which makes steps of rounding errors where batch normalisation undoes a bias
    recipe = replace(GAN, steps=3, milestones=(), optimiser="sgd", learning_rate=1e-2)
    told = Told()
    rival = replace(IMAGE, recipe=recipe)
    weights = fit(packed, recipe, told, terms=TERM, build=plain, rivals=(rival,))
    expected, rows = reference(packed, 3)
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-6)
    for step, row in enumerate(rows, start=1):
        for name, value in row.items():
            assert told.rows[step][name] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_the_log_says_how_both_sides_fare(packed: Packed) -> None:
    told = Told()
    fit(packed, GAN, told, terms=TERM, rivals=(IMAGE, GRADIENT))
    sides = {f"critic_{name}{part}" for name in ("image", "gradient") for part in PARTS}
    contests = {"adversarial_image", "adversarial_gradient"}
    assert (
        set(told.rows[40]) == {"loss", "l2", "norm", "contrast", "learning_rate"} | contests | sides
    )
    row = told.rows[1]
    parts = row["l2"] + 0.01 * (row["adversarial_image"] + row["adversarial_gradient"])
    assert row["loss"] == pytest.approx(parts, rel=1e-5)
    assert row["norm"] > 0


PARTS = ("", "_norm", "_real", "_fake")


def test_a_critic_that_runs_away_is_named(packed: Packed) -> None:
    class Steep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.by = nn.Parameter(torch.full((), 1e30))

        def forward(self, image: Tensor) -> Tensor:
            return self.by * self.by * image.flatten(1).sum(1)

    rival = replace(IMAGE, build=Steep, weight=0.0, game=Vanilla())
    with pytest.raises(
        Diverged, match=r"steps 1 to 1: the .*(critic|adversarial|loss).* is (nan|inf)"
    ):
        fit(packed, GAN, Told(), terms=TERM, rivals=(rival,))


def test_at_first_only_the_weights_named_learn(packed: Packed) -> None:
    def kept(step: int) -> Mapping[str, Tensor]:
        recipe = replace(GAN, steps=step, milestones=(), first_only="last.", first_steps=5)
        return fit(packed, recipe, Told(), terms=TERM, build=plain)

    begun, first, then = kept(1), kept(5), kept(6)
    learnt = [name for name in begun if "weight" in name or "bias" in name]
    for name in learnt:
        assert torch.equal(begun[name], first[name]) == (not name.startswith("last."))
        assert not torch.equal(first[name], then[name])


def test_a_phase_is_gone_on_with_to_the_bit(packed: Packed) -> None:
    recipe = replace(GAN, steps=12, milestones=(), first_only="last.", first_steps=6)
    whole = Told(want=lambda step: step in (3, 6, 9))
    weights = fit(packed, recipe, whole, terms=TERM, build=Tiny)
    for state in whole.states.values():
        assert same(weights, fit(packed, recipe, Told(), state=state, terms=TERM, build=Tiny))
