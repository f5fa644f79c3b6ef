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
from acutance.reduce import coarser, shrink
from acutance.spec import Recipe

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
        sums: Of loss and terms since the last row, float64 on the device.
        since: Updates in the sums.
        first: Loss of the first step.
        best: Highest validation PSNR so far.
        weights: Those that had it, where they are wanted.
    """

    step: int
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
) -> Weights:
    """Returns the weights that a recipe gives, on the CPU.

    Continuing from any state it handed out gives the same bits as never having stopped.

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

    Raises:
        Diverged: If a loss or a weight is NaN or infinite, or a loss exceeds 1 and `EXPLODED` times
            that of the first step.
    """
    settle(seed, recipe.precision)
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    network = build().to(device).train()
    network.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stubs
    learner = Player(
        network=network, terms=tuple(terms), optimiser=optimiser(recipe, network.parameters())
    )
    sums = torch.zeros(1 + len(terms), dtype=torch.float64, device=device)
    now = _Progress(step=0, sums=sums)
    if state is not None:
        _go_on(learner, now, state)
    forward = torch.compile(network, dynamic=False) if recipe.compile else network
    half = torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16")
    often = min(FARTHEST, max(1, recipe.steps // ROWS))

    while now.step < recipe.steps:
        lr, hr = pairs.batch(now.step)
        with half:
            outputs = forward(lr.contiguous(memory_format=layout))
        named = {name: output.float() for name, output in outputs.items()} | _pyramid(hr, outputs)
        now.sums += play(learner, named, recipe, now.step)
        now.step, now.since = now.step + 1, now.since + 1

        last = now.step == recipe.steps
        measure = _due(now.step, recipe.validate_every, last=last)
        if now.step == 1 or measure or last or now.step % often == 0:
            row = _row(now, learner.terms, learning_rate(recipe, now.step - 1))
            if validation is not None and measure:
                row["psnr"] = _psnr(network, whole(validation, pairs.channels, device))
                _remember(now, row["psnr"], network, recipe)
            record(now.step, row)
        keep(now.step, lambda: _state(learner, now))

    check_finite(network, f"step {now.step}")
    return now.weights or _copied(network)


def _pyramid(hr: Tensor, outputs: Mapping[str, object]) -> dict[str, Tensor]:
    """Returns `hr`, and for each coarser level among the outputs `hr/f`, f times as small.

    Source: LapSRN (Lai et al. 2017), section 3.2: the target of a level is HR, shrunk bicubically.
    """
    height, width = hr.shape[2:]
    small = {f"hr/{f}": shrink(hr, height // f, width // f) for f in coarser(outputs)}
    return {"hr": hr, **small}


def _due(step: int, every: int, *, last: bool) -> bool:
    """Says whether validation comes after a step."""
    return every > 0 and (last or step % every == 0)


def _row(now: _Progress, terms: Sequence[Term], rate: float) -> dict[str, float]:
    """Returns a row of the log and begins the sums anew; stops training that has run away."""
    loss, *values = (now.sums / now.since).tolist()
    span = f"steps {now.step - now.since + 1} to {now.step}"
    now.first = loss if now.first is None else now.first
    now.sums.zero_()
    now.since = 0
    if not math.isfinite(loss):
        raise Diverged(f"{span}: the loss is {loss}")
    if loss > max(1, EXPLODED * abs(now.first)):
        raise Diverged(f"{span}: the loss rose to {loss:.3g} from {now.first:.3g} at step 1")
    named = {part.name: value for part, value in zip(terms, values, strict=True)}
    return {"loss": loss, **named, "learning_rate": rate}


@torch.no_grad()
def _psnr(network: nn.Module, images: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Returns the mean over images of PSNR in dB on the network's channels.

    Of unclipped, unrounded values against a peak of 1, no border shaved: as the released code of
    GV chooses its weights. Computed in float32 whatever the training's precision.
    """
    network.eval()
    errors = [(network(lr)["sr"] - hr).double().square().mean() for lr, hr in images]
    network.train()
    return float(-10 * torch.stack(errors).log10().mean())


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


def _state(learner: Player, now: _Progress) -> State:
    """Returns all that the next steps depend on; refuses to, where a weight is not a number."""
    check_finite(learner.network, f"step {now.step}")
    device = now.sums.device
    return {
        "progress": vars(now),
        "players": [
            {"network": learner.network.state_dict(), "optimiser": learner.optimiser.state_dict()}
        ],
        "random": [
            torch.get_rng_state(),
            *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else []),
        ],
    }


def _go_on(learner: Player, now: _Progress, state: State) -> None:
    """Puts everything back to where it was when `state` was handed out."""
    (player,) = state["players"]
    learner.network.load_state_dict(player["network"])
    learner.optimiser.load_state_dict(player["optimiser"])
    for name, value in state["progress"].items():
        setattr(now, name, value.to(now.sums.device) if name == "sums" else value)
    cpu, *cuda = state["random"]
    torch.set_rng_state(cpu)
    for held in cuda:
        torch.cuda.set_rng_state(held, now.sums.device)
