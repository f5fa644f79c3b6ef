"""restore: fits a network that makes SR images from LR images.

Paper: none; each paper's own training is a recipe and an objective given to this loop.
Code:  own.
Here:  departs in nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acutance import ranks
from acutance.optim import (
    Diverged,
    Player,
    Term,
    check_finite,
    learning_rate,
    optimiser,
    play,
    settle,
)
from acutance.packed import Packed
from acutance.pairs import Pairs, whole
from acutance.recipes import Recipe
from acutance.reduce import coarser, shrink
from acutance.rivals import Opponent, Rival, columns

__all__ = ["restore"]

ROWS = 500  # of the log, about, however long the run
FARTHEST = 1000  # steps between rows, at most: this late is a NaN noticed
EXPLODED = 1000  # times the first loss

Weights = dict[str, Tensor]
State = Mapping[str, Any]


@dataclass(kw_only=True)
class _Progress:
    """What the loop knows beside its players.

    Attributes:
        step: Updates done.
        columns: Names of the sums: the loss, its terms, and what tells how critics fare.
        sums: Since the last row, float64 on the device.
        since: Updates in the sums.
        first: Loss of the first step.
        best: Highest validation PSNR so far.
        weights: Those that had it, where they are wanted.
    """

    step: int
    columns: tuple[str, ...]
    sums: Tensor
    since: int = 0
    first: float | None = None
    best: float | None = None
    weights: Weights | None = None


def restore(
    build: Callable[[], nn.Module],
    terms: Sequence[Term],
    pairs: Pairs,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device,
    validation: Packed | None,
    state: State | None,
    record: Callable[[int, Mapping[str, float]], None],
    keep: Callable[[int, Callable[[], State]], None],
    rivals: Sequence[Rival] = (),
) -> Weights:
    """Returns the weights that a recipe gives, on the CPU.

    Continuing from any state it handed out gives the same bits as never having stopped. Several
    processes (`acutance.ranks`) that call it alike get the same weights as one, up to rounding.

    Args:
        build: Makes the network; called once, after torch is seeded.
        terms: The objective.
        pairs: The batch of each step.
        recipe: How to train.
        seed: For initial weights.
        device: Where to train.
        validation: Images whose PSNR is taken every `recipe.validate_every` steps, and at the end.
        state: One that `keep` was offered before, or None to begin.
        record: Takes a row of the log: the step and its values (loss and terms are means over the
            steps since the last row).
        keep: Is offered the state after every step; asking for it waits for the device.
        rivals: Critics; each learns once after the network in every step, from the same batch.

    Raises:
        Diverged: If a loss or a weight is NaN or infinite, or a loss exceeds 1 and `EXPLODED` times
            that of the first step.
    """
    settle(seed, recipe.precision)
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    network = ranks.as_one(build()).to(device).train()
    network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stubs
    opponents = [Opponent(rival, device, layout=layout) for rival in rivals]
    learner = Player(
        network=network,
        terms=(*terms, *opponents),
        optimiser=optimiser(recipe, network.parameters()),
    )
    players = [learner, *(opponent.player for opponent in opponents)]
    names = ("loss", *columns(terms, rivals))
    now = _Progress(
        step=0, columns=names, sums=torch.zeros(len(names), dtype=torch.float64, device=device)
    )
    if state is not None:
        _go_on(players, now, state)
    forward = torch.compile(network, dynamic=False) if recipe.compile else network
    half = torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16")
    often = min(FARTHEST, max(1, recipe.steps // ROWS))

    while now.step < recipe.steps:
        _phase(network, recipe, now.step)
        lr, hr = pairs.batch(now.step)
        with half:
            outputs = forward(ranks.mine(lr).contiguous(memory_format=layout))
        found = {name: ranks.whole(output.float(), len(lr)) for name, output in outputs.items()}
        named = found | _pyramid(hr, found)
        told = [play(learner, named, recipe, now.step, norm=bool(opponents))]
        if opponents:
            told.append(_contrast(named["sr"], hr))
        told += [opponent.answer(named, now.step) for opponent in opponents]
        now.sums += torch.cat(told)
        now.step, now.since = now.step + 1, now.since + 1

        last = now.step == recipe.steps
        measure = _due(now.step, recipe.validate_every, last=last)
        if now.step == 1 or measure or last or now.step % often == 0:
            row = _row(now, learning_rate(recipe, now.step - 1))
            if validation is not None and measure:
                row["psnr"] = _psnr(network, whole(validation, pairs.channels, device))
                _remember(now, row["psnr"], network, recipe)
            record(now.step, row)
        keep(now.step, lambda: _state(players, now))

    check_finite(network, f"step {now.step}", whose=learner.name)
    return now.weights or _copied(network)


def _phase(network: nn.Module, recipe: Recipe, step: int) -> None:
    """Lets only some weights learn at first, where the recipe says so; then all of them."""
    if recipe.first_only is not None and step <= recipe.first_steps:
        for name, parameter in network.named_parameters():
            learns = step == recipe.first_steps or name.startswith(recipe.first_only)
            parameter.requires_grad = learns


def _pyramid(hr: Tensor, outputs: Mapping[str, object]) -> dict[str, Tensor]:
    """Returns `hr`, and for each coarser level among the outputs `hr/f`, f times as small.

    Source: LapSRN (Lai et al. 2017), section 3.2: the target of a level is HR, shrunk bicubically.
    """
    height, width = hr.shape[2:]
    small = {f"hr/{f}": shrink(hr, height // f, width // f) for f in coarser(outputs)}
    return {"hr": hr, **small}


@torch.no_grad()
def _contrast(sr: Tensor, hr: Tensor) -> Tensor:
    """Returns how much SR images vary beside HR images, by mean standard deviation: (1,).

    0 is a network that makes plain areas whatever it is given.
    """
    found, wanted = (image.flatten(1).std(dim=1).mean() for image in (sr, hr))
    return (found / wanted.clamp_min(1e-6)).reshape(1)


def _due(step: int, every: int, *, last: bool) -> bool:
    """Says whether validation comes after a step."""
    return every > 0 and (last or step % every == 0)


def _row(now: _Progress, rate: float) -> dict[str, float]:
    """Returns a row of the log and begins the sums anew; stops training that has run away."""
    row = dict(zip(now.columns, (now.sums / now.since).tolist(), strict=True))
    span = f"steps {now.step - now.since + 1} to {now.step}"
    now.first = row["loss"] if now.first is None else now.first
    now.sums.zero_()
    now.since = 0
    for name, value in row.items():
        if not math.isfinite(value):
            raise Diverged(f"{span}: the {name.replace('_', ' ')} is {value}")
    if row["loss"] > max(1, EXPLODED * abs(now.first)):
        raise Diverged(f"{span}: the loss rose to {row['loss']:.3g} from {now.first:.3g} at step 1")
    return {**row, "learning_rate": rate}


@torch.no_grad()
def _psnr(network: nn.Module, images: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Returns the mean over images of PSNR in dB on the network's channels.

    Of unclipped, unrounded values against a peak of 1, no border shaved: as the released code of
    GV chooses its weights. Computed in float32 whatever the training's precision.
    """
    network.eval()
    errors = [
        (network(lr)["sr"] - hr).double().square().mean()
        if number % ranks.world() == ranks.rank()
        else hr.new_zeros((), dtype=torch.float64)  # another process looks at it
        for number, (lr, hr) in enumerate(images)
    ]
    network.train()
    found = torch.stack(errors)
    ranks.add_up([found])
    return float(-10 * found.log10().mean())


def _remember(now: _Progress, psnr: float, network: nn.Module, recipe: Recipe) -> None:
    """Keeps the weights if they are wanted and the best so far; a tie keeps the earlier ones."""
    if now.best is None or psnr > now.best:
        now.best = psnr
        now.weights = _copied(network) if recipe.keep == "best" else None


def _copied(network: nn.Module) -> Weights:
    """Returns the weights as tensors of their own on the CPU."""
    return {
        name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, value in network.state_dict().items()
    }


def _state(players: Sequence[Player], now: _Progress) -> State:
    """Returns all that the next steps depend on; refuses to, where a weight is not a number."""
    for player in players:
        check_finite(player.network, f"step {now.step}", whose=player.name)
    device = now.sums.device
    return {
        "progress": vars(now),
        "players": [
            {"network": player.network.state_dict(), "optimiser": player.optimiser.state_dict()}
            for player in players
        ],
        "random": [
            torch.get_rng_state(),
            *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else []),
        ],
    }


def _go_on(players: Sequence[Player], now: _Progress, state: State) -> None:
    """Puts everything back to where it was when `state` was handed out."""
    for player, held in zip(players, state["players"], strict=True):
        player.network.load_state_dict(held["network"])
        player.optimiser.load_state_dict(held["optimiser"])
    for name, value in state["progress"].items():
        setattr(now, name, value.to(now.sums.device) if name == "sums" else value)
    cpu, *cuda = state["random"]
    torch.set_rng_state(cpu)
    for held in cuda:
        torch.cuda.set_rng_state(held, now.sums.device)
