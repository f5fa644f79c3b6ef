"""optim: optimisers, schedules and clips are what their papers and torch's own versions say."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from acutance.optim import (
    Diverged,
    Player,
    check_finite,
    clip,
    learning_rate,
    optimiser,
    play,
    settle,
    term,
)
from acutance.recipes import Recipe

RECIPE = Recipe(name="r", patch=8, batch=2, steps=40, learning_rate=0.1)
SGD = replace(RECIPE, optimiser="sgd", momentum=0.9, weight_decay=1e-4)


def squared(sr: Tensor, hr: Tensor) -> Tensor:
    return (sr - hr).square().mean()


def weighed(hr: Tensor, gradient: Tensor, *, by: float) -> Tensor:
    return by * (hr - gradient).abs().mean()


def network() -> nn.Module:
    settle(3, "fp32")
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))


@pytest.mark.parametrize("milestones", [(), (10,), (10, 20, 35)])
def test_learning_rate_is_that_of_torch_multistep(milestones: tuple[int, ...]) -> None:
    recipe = replace(RECIPE, milestones=milestones, factor=0.1)
    other = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(other, milestones, gamma=0.1)
    for step in range(recipe.steps):
        assert learning_rate(recipe, step) == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
        other.step()
        schedule.step()


def test_a_term_asks_for_its_positional_parameters() -> None:
    assert term("l2", 1.0, squared).asks == ("sr", "hr")
    assert term("w", 1.0, partial(weighed, by=2.0)).asks == ("hr", "gradient")


def textbook_sgd(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        foreach=False,
    )


def textbook_adam(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        parameters, lr=recipe.learning_rate, betas=recipe.betas, eps=recipe.eps, foreach=False
    )


@pytest.mark.parametrize(
    ("recipe", "textbook"),
    [
        (SGD, textbook_sgd),
        (replace(RECIPE, learning_rate=1e-3, betas=(0.8, 0.95), eps=1e-6), textbook_adam),
    ],
)
def test_updates_are_those_of_the_textbook(
    recipe: Recipe, textbook: Callable[[Recipe, list[nn.Parameter]], torch.optim.Optimizer]
) -> None:
    ours, theirs = network(), network()
    first = optimiser(recipe, ours.parameters())
    second = textbook(recipe, list(theirs.parameters()))
    lr, hr = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    for _ in range(20):
        for net, opt in ((ours, first), (theirs, second)):
            opt.zero_grad()
            squared(net(lr), hr).backward()
            opt.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_adjustable_clip_cuts_every_entry_at_theta_over_rate() -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([-5.0, -0.05, 0.09, 1e9])
    clip(replace(RECIPE, clip_adjustable=0.01), [weight], rate=0.1)
    assert weight.grad.tolist() == pytest.approx([-0.1, -0.05, 0.09, 0.1])
    clip(replace(RECIPE, clip_adjustable=0.01), [weight], rate=1.0)
    assert weight.grad.tolist() == pytest.approx([-0.01, -0.01, 0.01, 0.01])


def test_norm_clip_keeps_the_direction() -> None:
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    for weight, grad in zip(weights, (3.0, 4.0), strict=True):
        weight.grad = torch.tensor([grad])
    clip(replace(RECIPE, clip_norm=0.5), weights, rate=0.1)
    assert [float(w.grad) for w in weights] == pytest.approx([0.3, 0.4], rel=1e-5)
    clip(replace(RECIPE, clip_norm=10.0), weights, rate=0.1)
    assert [float(w.grad) for w in weights] == pytest.approx([0.3, 0.4], rel=1e-5)


def test_play_weighs_terms_and_scales_only_the_gradient() -> None:
    hr, gradient = torch.ones(2), torch.full((2,), 3.0)
    for scale in (1.0, 10.0):
        weight = nn.Parameter(torch.zeros(2))
        net = nn.Module()
        net.weight = weight
        recipe = replace(RECIPE, optimiser="sgd", loss_scale=scale)
        terms = (term("l2", 2.0, squared), term("w", 0.5, partial(weighed, by=4.0)))
        player = Player(network=net, terms=terms, optimiser=optimiser(recipe, [weight]))
        values = play(player, {"sr": weight * 1.0, "hr": hr, "gradient": gradient}, recipe, 0)
        # l2: mean (0 - 1)^2 = 1; w: 4 * |1 - 3| = 8; loss 2 * 1 + 0.5 * 8 = 6.
        assert values.tolist() == [6.0, 1.0, 8.0]
        assert not values.requires_grad
        # d(2 * mean (w - 1)^2)/dw = 2 * 2 * (0 - 1) / 2 = -2; times the rate 0.1 and the scale.
        assert weight.tolist() == pytest.approx([0.2 * scale] * 2)


def test_a_term_with_levels_sums_over_the_sizes_there_are() -> None:
    named = {"hr": torch.full((2,), 3.0), "sr": torch.zeros(2), "hr/2": torch.ones(1)}
    named |= {"sr/2": torch.zeros(1)}
    assert term("t", 1, squared)(named) == 9
    assert term("t", 1, squared, levels=True)(named) == 9 + 1
    # what has no coarser form is taken as it is: of a gradient there is one, of HR two
    named["gradient"] = torch.ones(())
    found = term("t", 1, partial(weighed, by=1.0), levels=True)(named)
    once = term("t", 1, partial(weighed, by=1.0))(named)
    assert found == once + weighed(named["hr/2"], named["gradient"], by=1.0)


def test_settled_initial_weights_follow_the_seed() -> None:
    first, again = network().state_dict(), network().state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    settle(4, "fp32")
    assert not torch.equal(nn.Conv2d(3, 8, 3, padding=1).weight, first["0.weight"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_found(value: float) -> None:
    net = network()
    check_finite(net, "step 5", whose="it")
    with torch.no_grad():
        net[2].bias[1] = value
    with pytest.raises(Diverged, match="step 5: a weight is NaN or infinite"):
        check_finite(net, "step 5", whose="it")
