"""Critics in a training: each a player of its own, and a term of the network it plays against."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from acutance import ranks
from acutance.contests import Contest
from acutance.gradient import gradient_map
from acutance.optim import Part, Player, optimiser, play
from acutance.recipes import Recipe
from acutance.resolve import load
from acutance.spec import Run

Critic = Callable[[Tensor], Tensor]
View = Callable[[Tensor], Tensor]


class Game(Protocol):
    """What each side of a contest is to make small; see `acutance.games`."""

    def learner(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the network that made `fake`."""

    def critic(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of the critic."""


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A critic before training.

    Attributes:
        name: As in params.yaml.
        weight: Of the contest in the network's objective.
        build: Makes the critic; called once, after the network, with torch seeded.
        game: What both sides are to make small.
        view: What the critic is shown of an image.
        recipe: Its optimiser and schedule.
    """

    name: str
    weight: float
    build: Callable[[], nn.Module]
    game: Game
    view: View
    recipe: Recipe


def itself(image: Tensor) -> Tensor:
    """Returns the image: what a critic of images is shown."""
    return image


def rivals_of(run: Run) -> list[Rival]:
    """Returns the critics that the run's network is trained against."""
    side = run.recipe.patch * run.scale if run.recipe else 0
    return [rival_of(contest, side, run.channels) for contest in run.contests]


def rival_of(contest: Contest, side: int, channels: int) -> Rival:
    """Returns a critic before training.

    Args:
        contest: As params.yaml declares it.
        side: Of the HR crops.
        channels: Of the images.
    """
    critic = cast(Callable[..., nn.Module], load("critics", contest.critic.function))
    game = cast(Callable[..., Game], load("games", contest.game.function))
    graded = contest.view == "gradient"
    kwargs: dict[str, Any] = {"channels": channels, **contest.critic.kwargs}
    return Rival(
        name=contest.name,
        weight=contest.weight,
        build=partial(critic, side + 2 * graded, **kwargs),
        game=game(**contest.game.kwargs),
        view=partial(gradient_map, padding=2) if graded else itself,
        recipe=contest.recipe,
    )


def columns(terms: Sequence[Part], rivals: Sequence[Rival]) -> tuple[str, ...]:
    """Returns the names of what the log tells beside the loss, in the order of the sums.

    Args:
        terms: Of the network's objective, without its contests.
        rivals: Its critics.
    """
    names = [part.name for part in terms] + [f"adversarial_{rival.name}" for rival in rivals]
    if rivals:
        names += ["norm", "contrast"]
    return (*names, *(f"critic_{r.name}{part}" for r in rivals for part in _TOLD))


_TOLD = ("", "_norm", "_real", "_fake")


class Opponent:
    """A critic in training; as a term of an objective, the network's side of the contest.

    Attributes:
        name: Of the network's side in the log.
        weight: Of the network's side.
        player: The critic's side.
    """

    def __init__(self, rival: Rival, device: torch.device, *, layout: torch.memory_format) -> None:
        network = ranks.as_one(rival.build()).to(device).train()
        network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stubs
        self.name, self.weight = f"adversarial_{rival.name}", rival.weight
        self._rival, self._layout = rival, layout
        self._half = rival.recipe.precision == "bf16"
        self._means: dict[str, Tensor] = {}
        self.player = Player(
            name=f"critic '{rival.name}'",
            network=network,
            terms=(_Answer(self),),
            optimiser=optimiser(rival.recipe, network.parameters()),
        )

    def __call__(self, named: Mapping[str, Tensor]) -> Tensor:
        """Returns the network's loss; the critic's weights get no gradient of it."""
        with _frozen(self.player.network):
            return self._rival.game.learner(self._score, *self._views(named))

    def answer(self, named: Mapping[str, Tensor], step: int) -> Tensor:
        """Lets the critic learn once from what the network made.

        Args:
            named: `hr`, and `sr` as it was before the network learnt from this step.
            step: Counted from 0.

        Returns:
            Its loss, the norm of its gradient, and its mean score of HR and of SR: (4,).
        """
        loss, _, norm = play(self.player, named, self._rival.recipe, step, norm=True)
        return torch.stack((loss, norm, self._means["real"], self._means["fake"]))

    def side(self, named: Mapping[str, Tensor]) -> Tensor:
        """Returns the critic's loss; the network gets no gradient of it."""
        real, fake = (image.detach() for image in self._views(named))

        def score(image: Tensor) -> Tensor:
            scores = self._score(image)
            if image is real or image is fake:
                self._means["real" if image is real else "fake"] = scores.detach().mean()
            return scores

        return self._rival.game.critic(score, real, fake)

    def _views(self, named: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        real, fake = (self._rival.view(named[name]) for name in ("hr", "sr"))
        return (
            real.contiguous(memory_format=self._layout),
            fake.contiguous(memory_format=self._layout),
        )

    def _score(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self._half):
            scores: Tensor = self.player.network(ranks.mine(image))
        return ranks.whole(scores.float(), len(image))


@dataclass(frozen=True)
class _Answer:
    """The critic's side as a term of its own objective."""

    opponent: Opponent
    name: str = "answer"
    weight: float = 1.0

    def __call__(self, named: Mapping[str, Tensor]) -> Tensor:
        return self.opponent.side(named)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Keeps the weights out of what is computed inside."""
    for parameter in network.parameters():
        parameter.requires_grad = False
    yield
    for parameter in network.parameters():
        parameter.requires_grad = True
