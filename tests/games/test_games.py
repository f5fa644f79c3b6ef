"""Games by hand: both sides' losses of logits that are given, and the slope penalty's slope."""

import math

import pytest
import torch
from torch import Tensor, nn

from acutance.games._slope import slope_penalty
from acutance.games.relativistic import Relativistic
from acutance.games.vanilla import Vanilla
from acutance.games.wgan_gp import WGANGP

# Three "images" of one pixel, and a critic that gives that pixel as logit.
REAL = torch.tensor([2.0, 0.0, 1.0]).view(3, 1, 1, 1)
FAKE = torch.tensor([-1.0, 1.0, 0.0]).view(3, 1, 1, 1)


def pixel(image: Tensor) -> Tensor:
    return image.flatten(1).sum(1, keepdim=True)


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_relativistic_by_hand() -> None:
    # mean of real 1, of fake 0; cross-entropy of a logit z against 1 is softplus(-z), against 0
    # softplus(z). Real against the mean fake: 2, 0, 1; fake against the mean real: -2, 0, -1.
    real, fake = [2.0, 0.0, 1.0], [-2.0, 0.0, -1.0]
    critic = (mean([softplus(-z) for z in real]) + mean([softplus(z) for z in fake])) / 2
    learner = (mean([softplus(z) for z in real]) + mean([softplus(-z) for z in fake])) / 2
    game = Relativistic()
    assert float(game.critic(pixel, REAL, FAKE)) == pytest.approx(critic, rel=1e-6)
    assert float(game.learner(pixel, REAL, FAKE)) == pytest.approx(learner, rel=1e-6)
    summed = Relativistic(halved=False)
    assert float(summed.learner(pixel, REAL, FAKE)) == pytest.approx(2 * learner, rel=1e-6)
    assert float(summed.critic(pixel, REAL, FAKE)) == pytest.approx(2 * critic, rel=1e-6)


def test_relativistic_gradient_of_the_learner_by_hand() -> None:
    # d/df_i of half of [mean softplus(r - mean f) + mean softplus(-(f - mean r))], r detached
    fake = FAKE.clone().requires_grad_()
    Relativistic().learner(pixel, REAL.clone().requires_grad_(), fake).backward()
    sigmoid = torch.sigmoid
    pushed = -sigmoid(torch.tensor([2.0, 0.0, 1.0])).mean() / 3  # through the mean of fake
    own = -sigmoid(-torch.tensor([-2.0, 0.0, -1.0])) / 3
    assert fake.grad is not None
    torch.testing.assert_close(fake.grad.flatten(), 0.5 * (pushed + own))


def test_vanilla_by_hand() -> None:
    critic = mean([softplus(-z) for z in (2, 0, 1)]) + mean([softplus(z) for z in (-1, 1, 0)])
    assert float(Vanilla().critic(pixel, REAL, FAKE)) == pytest.approx(critic, rel=1e-6)
    learner = mean([softplus(-z) for z in (-1, 1, 0)])
    assert float(Vanilla().learner(pixel, REAL, FAKE)) == pytest.approx(learner, rel=1e-6)


def test_wasserstein_by_hand() -> None:
    # mean fake 0, mean real 1; the critic's slope is 1 everywhere, so there is no penalty
    assert float(WGANGP().critic(pixel, REAL, FAKE)) == pytest.approx(-1, rel=1e-6)
    assert float(WGANGP().learner(pixel, REAL, FAKE)) == pytest.approx(0, abs=1e-6)
    # twice as steep: -2 and a penalty of 10 * (2 - 1)^2
    steep = WGANGP().critic(lambda image: 2 * pixel(image), REAL, FAKE)
    assert float(steep) == pytest.approx(-2 + 10, rel=1e-6)


def test_the_slope_is_over_all_pixels_of_an_image() -> None:
    # the sum of 4 pixels has the slope (1, 1, 1, 1), whose norm is 2
    assert float(slope_penalty(pixel, torch.rand(3, 1, 2, 2))) == pytest.approx(1, rel=1e-6)


def small_critic() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(16, 1)]
    return nn.Sequential(*layers).double()


def test_second_derivative_of_the_penalty_against_finite_differences() -> None:
    critic, between = small_critic(), torch.rand(2, 2, 4, 4, dtype=torch.float64)
    slope_penalty(critic, between).backward()
    weight = critic[0].weight
    assert weight.grad is not None
    found, step = weight.grad.clone(), 1e-6
    for place in [(0, 0, 0, 0), (1, 1, 2, 1), (3, 0, 1, 2)]:
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[place] += sign * step
            ends.append(slope_penalty(critic, between).item())
            with torch.no_grad():
                weight[place] -= sign * step
        expected = (ends[0] - ends[1]) / (2 * step)
        assert float(found[place]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("game", [Relativistic(), Vanilla(), WGANGP(penalty=0.0)])
def test_each_side_moves_its_own_way(game: Relativistic | Vanilla | WGANGP) -> None:
    """A step along the learner's gradient makes fake look more real, the critic's parts them."""
    fake = FAKE.clone().requires_grad_()
    (slope,) = torch.autograd.grad(game.learner(pixel, REAL, fake), fake)
    assert (slope < 0).all()
    by = torch.ones(3, 1, requires_grad=True)

    def scaled(image: Tensor) -> Tensor:
        return by.mean() * pixel(image)

    (slope,) = torch.autograd.grad(game.critic(scaled, REAL, FAKE), by)
    assert (slope < 0).all()  # real's mean is above fake's: a larger factor parts them further


@pytest.mark.parametrize("game", [Relativistic(), Vanilla(), WGANGP()])
def test_the_critic_learns_from_both_kinds_and_fake_gets_nothing(game: Relativistic) -> None:
    critic = small_critic()
    real, fake = torch.rand(2, 2, 2, 4, 4, dtype=torch.float64)
    game.critic(critic, real, fake).backward()
    assert all(p.grad is not None for p in critic[0].parameters())
    assert fake.grad is None
