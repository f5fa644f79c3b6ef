"""What an update of a training computes, counted without data on torch's meta device.

Products of convolutions and linear layers count, as in `flops`: of the network, of its critics, and
of the networks that losses read; each forward, and backward as far as anything learns from it.
Element-wise work, norms, other losses, optimisers and validation do not.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from acutance import resolve
from acutance.calls import Call, Loss
from acutance.contests import Contest
from acutance.optim import term
from acutance.rivals import rival_of
from acutance.spec import Run

__all__ = ["Counter", "step_flops", "step_parts"]

_CROPS = 2  # that are run: one alone has no variance for a critic's norm of single pixels
_META = torch.device("meta")


class Counter(TorchDispatchMode):
    """Adds up the floating-point operations of what torch runs inside, second derivatives too.

    torch's own FlopCounterMode stops at a gradient that is taken of a gradient.

    Attributes:
        flops: So far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops: int = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs an operation and counts it."""
        del types
        out = func(*args, **(kwargs or {}))
        if counted := flop_registry.get(func._overloadpacket):  # noqa: SLF001 (its public key)
            self.flops += counted(*args, **(kwargs or {}), out_val=out)
        return out


def step_flops(run: Run) -> float:
    """Returns the floating-point operations of one update: 2 per multiply-add.

    Args:
        run: What is trained; 0 where nothing is. Steps in which only some weights learn are
            counted as all others.
    """
    return sum(step_parts(run).values())


def step_parts(run: Run) -> dict[str, float]:
    """Returns the operations of one update by who needs them.

    Returns:
        `network`, then one for each loss that reads a network, by its name, and one for each
        critic: `critic image`.
    """
    if run.recipe is None:
        return {}
    patch, channels = run.recipe.patch, run.channels
    side = patch * run.scale
    found = {"network": _network(run.model, run.scale, patch, channels)}
    found |= {loss.name: _loss(loss, side, channels) for loss in run.losses if loss.assets}
    found |= {f"critic {each.name}": _critic(each, side, channels) for each in run.contests}
    return {name: flops * run.recipe.batch / _CROPS for name, flops in found.items()}


@cache
def _network(model: Call, scale: int, patch: int, channels: int) -> int:
    made: Any = resolve.load("models", model.function)
    with _META:
        network: nn.Module = made(scale, **model.kwargs).train()
        lr = torch.empty(_CROPS, channels, patch, patch)
    counter = Counter()
    with counter:
        _backward(*network(lr).values())
    return counter.flops


@cache
def _loss(loss: Loss, side: int, channels: int) -> int:
    """Returns the work of a loss that reads a network, down to its gradient by `sr`."""
    function: Any = resolve.load("losses", loss.function)
    files = {name: Path(needed.path) for name, needed in loss.assets}  # never opened
    kwargs: Any = loss.kwargs
    part = term(loss.name, loss.weight, lambda sr, hr: function(sr, hr, **files, **kwargs))
    named = _images(side, channels)
    counter = Counter()
    with counter:
        _backward(part(named))
    return counter.flops


@cache
def _critic(contest: Contest, side: int, channels: int) -> int:
    """Returns the work of a contest: of what the network learns, and of what the critic does."""
    rival = rival_of(contest, side, channels)
    with _META:
        critic = rival.build().train()
    named = _images(side, channels)
    real, fake = (rival.view(named[name]) for name in ("hr", "sr"))
    counter = Counter()
    with counter:
        critic.requires_grad_(requires_grad=False)
        _backward(rival.game.learner(critic, real, fake))
        critic.requires_grad_(requires_grad=True)
        _backward(rival.game.critic(critic, real.detach(), fake.detach()))
    return counter.flops


def _images(side: int, channels: int) -> Mapping[str, Tensor]:
    hr = torch.empty(_CROPS, channels, side, side, device=_META)
    return {"hr": hr, "sr": torch.empty_like(hr, requires_grad=True)}


def _backward(*outputs: Tensor) -> None:
    learnt = [output for output in outputs if output.requires_grad]
    torch.autograd.backward(learnt, [torch.empty_like(each) for each in learnt])
