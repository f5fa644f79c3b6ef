"""What a training loop calls: a settled machine, players, their optimisers, schedules and clips."""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from acutance import ranks
from acutance.errors import Refused
from acutance.recipes import Recipe
from acutance.reduce import coarser


class Diverged(Refused):
    """The loss or the weights left the numbers that training can go on from."""


class Part(Protocol):
    """A weighted part of an objective: a loss, or a contest with a critic."""

    @property
    def name(self) -> str:
        """What the log calls it."""

    @property
    def weight(self) -> float:
        """What it is multiplied by."""

    def __call__(self, named: Mapping[str, Tensor]) -> Tensor:
        """Returns its value, unweighted, from `hr` and the network's outputs."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss with its weight.

    Attributes:
        name: As in params.yaml.
        weight: What it is multiplied by.
        function: Gives a scalar from what it asks for.
        asks: Names of the tensors it wants: `hr`, or an output of the network.
        levels: Whether it is taken of the coarser outputs too, and summed.
    """

    name: str
    weight: float
    function: Callable[..., Tensor]
    asks: tuple[str, ...]
    levels: bool = False

    def __call__(self, named: Mapping[str, Tensor]) -> Tensor:
        """Returns its value, unweighted.

        Args:
            named: `hr` and the network's outputs; `hr/2` and `sr/2` are those of half the size.
        """
        value = self.function(**{name: named[name] for name in self.asks})
        for factor in coarser(named) if self.levels else ():
            at = {name: named.get(f"{name}/{factor}", named[name]) for name in self.asks}
            value = value + self.function(**at)
        return value


@dataclass(frozen=True, kw_only=True)
class Player:
    """A network that learns, what it is to make small, and the optimiser that does so."""

    name: str = "the network"
    network: nn.Module
    terms: tuple[Part, ...]
    optimiser: torch.optim.Optimizer


def term(
    name: str, weight: float, function: Callable[..., Tensor], *, levels: bool = False
) -> Term:
    """Returns a term that asks for what the positional parameters of `function` name."""
    parameters = inspect.signature(function).parameters.values()
    asks = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
    return Term(name=name, weight=weight, function=function, asks=asks, levels=levels)


def settle(seed: int, precision: str) -> None:
    """Seeds torch and makes what it computes depend on nothing but machine kind and threads.

    Args:
        seed: For initial weights.
        precision: `fp32`, `tf32` or `bf16`; the first and last keep float32 products whole.
    """
    # cuBLAS is deterministic with a fixed workspace only, and reads this when it first runs.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True)
    # Filling fresh memory costs time and changes no number. Both are missing in torch's stubs.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    products = "tf32" if precision == "tf32" else "ieee"
    torch.backends.cuda.matmul.fp32_precision = products
    torch.backends.cudnn.conv.fp32_precision = products  # type: ignore[attr-defined]
    torch.manual_seed(seed)


def optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Returns the recipe's optimiser; its arithmetic (fused) is the same on every run."""
    kept = [parameter for parameter in parameters if parameter.requires_grad]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(
            kept,
            lr=recipe.learning_rate,
            betas=recipe.betas,
            eps=recipe.eps,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
    return torch.optim.SGD(
        kept,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def learning_rate(recipe: Recipe, step: int) -> float:
    """Returns the learning rate of a step, counted from 0: a milestone m is felt from step m on.

    >>> recipe = Recipe(name="r", patch=8, batch=1, steps=30, learning_rate=1.0,
    ...                 milestones=(10, 20), factor=0.5)
    >>> [learning_rate(recipe, step) for step in (0, 9, 10, 29)]
    [1.0, 1.0, 0.5, 0.25]
    """
    return recipe.learning_rate * recipe.factor ** sum(step >= m for m in recipe.milestones)


def clip(recipe: Recipe, parameters: Sequence[nn.Parameter], rate: float) -> None:
    """Clips gradients in place as the recipe says: by their norm, or each entry by ±theta / rate.

    Source: The second is the adjustable clipping of VDSR, section 3.2.
    """
    if recipe.clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
    if recipe.clip_adjustable is not None:
        nn.utils.clip_grad_value_(parameters, recipe.clip_adjustable / rate)


def play(
    player: Player, named: Mapping[str, Tensor], recipe: Recipe, step: int, *, norm: bool = False
) -> Tensor:
    """Lets a player learn once from the tensors of a step.

    Args:
        player: Whose weights are updated.
        named: What its terms may ask for.
        recipe: Learning rate, clips, and what the loss is multiplied by for its gradient.
        step: Counted from 0.
        norm: Whether the norm of the gradient is wanted too.

    Returns:
        Its loss before that, and each term before weighting, and the norm of the gradient before
        it is clipped, where wanted: (1 + T,) or (2 + T,), not waited for.
    """
    values = [part(named) for part in player.terms]
    weighted = [part.weight * value for part, value in zip(player.terms, values, strict=True)]
    loss = torch.stack(weighted).sum()
    player.optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(recipe.loss_scale * loss)
    parameters = list(player.network.parameters())
    slopes = [p.grad for p in parameters if p.grad is not None]
    ranks.add_up(slopes)
    lengths = [nn.utils.get_total_norm(slopes)] if norm else []
    rate = learning_rate(recipe, step)
    clip(recipe, parameters, rate)
    for group in player.optimiser.param_groups:
        group["lr"] = rate
    player.optimiser.step()
    return torch.stack((loss, *values, *lengths)).detach()


def check_finite(network: nn.Module, when: str, *, whose: str) -> None:
    """Raises `Diverged` if a weight is NaN or infinite; waits for the device.

    Args:
        network: What is looked at.
        when: For the message.
        whose: Likewise: what has the weights.
    """
    floats = [value for value in network.state_dict().values() if value.is_floating_point()]
    if not torch.stack([value.isfinite().all() for value in floats]).all():
        raise Diverged(f"{when}: a weight is NaN or infinite, of {whose}")
