"""The verb `train`: assembles what a run names, lets the loop fit it, and keeps what came out."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from acutance import ranks, signals
from acutance.calls import Loss
from acutance.device import device as device_called
from acutance.device import set_threads
from acutance.errors import Refused
from acutance.journal import Journal
from acutance.optim import Diverged, Term, term
from acutance.packed import Packed, open_packed
from acutance.pairs import Pairs
from acutance.recipes import Recipe
from acutance.resolve import load
from acutance.rivals import columns, rivals_of
from acutance.sitting import Follower, LeftError, Sitting
from acutance.spec import Run
from acutance.state import Checkpoints
from acutance.weights import begin_with

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
TROUBLE = 2


def train(
    run: Run,
    *,
    packed: Path,
    validation: Path | None,
    out: Path,
    state: Path,
    start: Path | None = None,
    assets: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> int:
    """Trains a run, going on from its last state, and writes its weights, log and origin.

    Where torchrun started several processes, each calls this with the same arguments, and the
    leading one alone writes.

    Args:
        run: What to train.
        packed: Its training pairs, as `pack` wrote them.
        validation: Whole pairs that PSNR is measured on while training, packed too.
        out: The folder to write: `weights.safetensors`, `log.csv`, `run.json`.
        state: The folder of its state; removed when the run is done.
        start: The weights of the run that it begins with, where it names one.
        assets: The folder of the files that its losses need, where one needs any.
        device: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:1`.
        threads: Of the CPU; None for torch's own choice.
        checkpoint_seconds: Between two states, at least.

    Returns:
        The exit status: 0, or `TRY_AGAIN` where SIGTERM or SIGINT cut it short: the state has been
        saved, and the same call goes on from it.

    Raises:
        Refused: If something is missing or does not fit, or the loss ran away.
    """
    recipe = _recipe(run, validation)
    set_threads(threads)
    chosen = device_called(device)
    pairs = _pairs(run, recipe, open_packed(packed, verify=True), chosen)
    loop = cast(Callable[..., dict[str, Tensor]], load("loops", run.loop))
    terms = [_fed(loss, assets) if loss.assets else _term(loss) for loss in run.losses]
    rivals = rivals_of(run)
    fit = partial(
        loop,
        _network(run, start),
        terms,
        pairs,
        recipe,
        seed=run.seed,
        device=chosen,
        validation=open_packed(validation, verify=True) if validation else None,
        rivals=rivals,
    )
    with ranks.joined(chosen):
        _check_share(run, pairs)
        if ranks.rank():
            return _follow(fit)
        title, names = run.id.partition("@")[0], columns(terms, rivals)
        journal = Journal(state / "log.csv", names, title=title, steps=recipe.steps)
        with Checkpoints(state, seconds=checkpoint_seconds, say=journal.say) as checkpoints:
            build, asked = _network(replace(run, start=None)), signals.Asked()
            sitting = Sitting(run, journal, checkpoints, chosen, asked=asked, build=build)
            begun = ranks.shared(sitting.state)
            with asked.listening(), journal:  # who sees it begin may end it
                try:
                    weights = fit(state=begun, record=journal.record, keep=sitting.keep)
                except LeftError:
                    return TRY_AGAIN
                except Diverged as problem:
                    raise Refused(f"{run.id}: {problem}; {sitting.last_good()}") from None
            sitting.write(out, weights)
            checkpoints.remove()
    return 0


def _check_share(run: Run, pairs: Pairs) -> None:
    """Checks that there are crops for every process."""
    if pairs.least < ranks.world():
        raise Refused(
            f"{run.id}: has batches of {pairs.least} crops, too few for {ranks.world()}"
            " processes; start fewer"
        )


def _follow(fit: Callable[..., object]) -> int:
    """Trains where another process leads; returns the exit status."""
    follower = Follower()
    try:
        with signals.ignored():
            fit(state=ranks.shared(None), record=follower.record, keep=follower.keep)
    except LeftError:
        return TRY_AGAIN
    except (Diverged, ranks.Lost):
        return TROUBLE  # the leading process says which, or whoever started it
    return 0


def _recipe(run: Run, validation: Path | None) -> Recipe:
    """Returns the recipe of a run that can be trained."""
    if run.recipe is None or run.train is None:
        raise Refused(f"{run.id}: nothing to train; its model has no weights")
    if run.recipe.keep == "best" and (validation is None or run.recipe.validate_every < 1):
        raise Refused(f"{run.id}: keep: best wants a validation set and validate_every above 0")
    compilers = (os.environ.get("CXX", "g++"), "clang++")
    if run.recipe.compile and not any(map(shutil.which, compilers)):
        raise Refused(f"{run.id}: compile: true wants a C++ compiler; install g++ or set CXX")
    return run.recipe


def _network(run: Run, start: Path | None = None) -> Callable[[], nn.Module]:
    """Returns what makes the run's network, with the weights it begins with."""
    model = cast(Callable[..., nn.Module], load("models", run.model.function))
    made = partial(model, run.scale, **run.model.kwargs)
    if run.start is None:
        return made
    if start is None:
        raise Refused(f"{run.id}: begins with {run.start.run.id}; train that run first")

    def begun(weights: Path, without: tuple[str, ...]) -> nn.Module:
        network = made()
        begin_with(network, weights, without=without)
        return network

    return partial(begun, start, run.start.without)


def _pairs(run: Run, recipe: Recipe, packed: Packed, device: torch.device) -> Pairs:
    if packed.scale != run.scale:
        raise Refused(f"{packed.folder}: packed for x{packed.scale}, the run wants x{run.scale}")
    return Pairs(
        packed,
        patch=recipe.patch,
        batch=recipe.batch,
        seed=run.seed,
        sampling=recipe.sampling,
        augment=recipe.augment,
        channels=run.channels,
        device=device,
    )


def _term(loss: Loss) -> Term:
    function = cast(Callable[..., Tensor], load("losses", loss.function))
    return term(loss.name, loss.weight, partial(function, **loss.kwargs), levels=loss.levels)


def _fed(loss: Loss, assets: Path | None) -> Term:
    """Returns the term of a loss that reads files."""
    if assets is None:
        raise Refused(f"loss '{loss.name}': reads {loss.assets[0][1].file.name}; give its folder")
    function = cast(Callable[..., Tensor], load("losses", loss.function))
    bound = partial(function, **loss.files(assets), **cast(dict[str, Any], loss.kwargs))
    return term(loss.name, loss.weight, bound, levels=loss.levels)
