"""The verb `train`: assembles what a run names, lets the loop fit it, and keeps what came out."""

import json
import os
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from acutance.calls import Loss
from acutance.device import device as device_called
from acutance.device import set_threads
from acutance.errors import Refused
from acutance.files import folder_atomically
from acutance.gradient import gradient_map
from acutance.journal import Journal
from acutance.machine import commit, device_name, now, versions
from acutance.optim import Diverged, Term, term
from acutance.packed import Packed, open_packed
from acutance.pairs import Pairs
from acutance.recipes import Recipe
from acutance.resolve import load
from acutance.rivals import Game, Rival, columns, itself
from acutance.spec import Run
from acutance.state import Checkpoints
from acutance.weights import begin_with

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


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
    shown = open_packed(validation, verify=True) if validation else None
    terms = [_fed(loss, assets) if loss.assets else _term(loss) for loss in run.losses]
    loop = cast(Callable[..., dict[str, Tensor]], load("loops", run.loop))

    rivals = _rivals(run)
    names = columns(terms, rivals)
    title = run.id.partition("@")[0]
    journal = Journal(state / "log.csv", names, title=title, steps=recipe.steps)
    with Checkpoints(state, seconds=checkpoint_seconds, say=journal.say) as checkpoints:
        sitting = _Sitting(run, journal, checkpoints, chosen)
        with journal, sitting.told_of_signals():
            try:
                weights = loop(
                    _network(run, start),
                    terms,
                    pairs,
                    recipe,
                    seed=run.seed,
                    device=chosen,
                    validation=shown,
                    state=sitting.state,
                    record=journal.record,
                    keep=sitting.keep,
                    rivals=rivals,
                )
            except _LeftError:
                return TRY_AGAIN
            except Diverged as problem:
                raise Refused(f"{run.id}: {problem}; {sitting.last_good()}") from None
        sitting.write(out, weights)
        checkpoints.remove()
    return 0


class _LeftError(Exception):
    """The state is saved and the process was asked to end."""


class _Sitting:
    """One process's share of a run: the state it goes on from, what it saves, what it says of it.

    Attributes:
        state: The loop's own, or None at the beginning.
    """

    def __init__(
        self, run: Run, journal: Journal, checkpoints: Checkpoints, device: torch.device
    ) -> None:
        self._run, self._journal, self._checkpoints = run, journal, checkpoints
        self._device, self._asked = device, ""
        found = checkpoints.newest() or {"run": run.digest, "loop": None, "step": 0}
        if found["run"] != run.digest:
            raise Refused(
                f"{checkpoints.folder}: state of another run ({found['run']}, wants {run.digest});"
                " remove the folder"
            )
        self.state: dict[str, Any] | None = found["loop"]
        self._peak = int(found.get("peak", 0))
        bits = {"device": device_name(device), "threads": torch.get_num_threads()} | versions()
        before = list(found.get("sittings", []))
        kind = {"device_type": device.type}
        self._sittings = [*before, {"from_step": found["step"], **bits, **kind, **commit()}]
        journal.go_on(found.get("rows", []), found.get("seconds", 0.0), found["step"])
        if self.state is not None:
            journal.say(f"goes on from step {found['step']:,}")
        if any(earlier[name] != bits[name] for earlier in before for name in bits):
            journal.say("not the machine, threads or versions it began on: bits may differ")

    def keep(self, step: int, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        """Shows how far the run is; saves if it is time to; leaves if a signal asked for it."""
        self._journal.tick(step)
        if not self._asked and not self._checkpoints.due:
            return
        state = {
            "run": self._run.digest,
            "step": step,
            "loop": snapshot(),
            "rows": self._journal.rows,
            "seconds": self._journal.seconds,
            "sittings": self._sittings,
            "peak": self._peak_memory(),
        }
        self._checkpoints.save(step, state)
        if self._asked:
            self._journal.say(f"{self._asked}: saved at step {step:,}; run again to go on")
            raise _LeftError

    @contextmanager
    def told_of_signals(self) -> Iterator[None]:
        """Lets SIGTERM and SIGINT ask for a save and an end; a second one ends at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python gives signals to the main thread alone
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def ask(number: int, _: FrameType | None) -> None:
            self._asked = signal.Signals(number).name
            for each, handler in before.items():
                signal.signal(each, handler)

        for number in before:
            signal.signal(number, ask)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def last_good(self) -> str:
        """Returns where the last state lies that is whole, and what to do."""
        files = self._checkpoints.files()
        where = f"the last good state is {files[0]}" if files else "there is no state before it"
        return f"{where}; lower the learning rate or clip the gradient"

    def write(self, out: Path, weights: dict[str, Tensor]) -> None:
        """Writes weights, log and origin; the weights' bytes depend on nothing but the weights."""
        with folder_atomically(out) as fresh:
            (fresh / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
            (fresh / "log.csv").write_text(self._journal.text(), encoding="utf-8")
            origin = json.dumps(self._origin(), indent=1) + "\n"
            (fresh / "run.json").write_text(origin, encoding="utf-8")

    def _origin(self) -> dict[str, object]:
        """Returns what run.json holds."""
        measured = [row["psnr"] for row in self._journal.rows if "psnr" in row]
        with torch.device("meta"):
            parameters = _network(replace(self._run, start=None))().parameters()
        return {
            "run": self._run.shown(),
            "digest": self._run.digest,
            **{name: value for name, value in self._sittings[-1].items() if name != "from_step"},
            "sittings": self._sittings,
            "finished": now(),
            "seconds": round(self._journal.seconds, 1),
            "peak_memory_bytes": self._peak_memory(),
            "steps": self._journal.rows[-1]["step"],
            "parameters": sum(parameter.numel() for parameter in parameters),
            "validation_psnr": {"best": max(measured), "last": measured[-1]} if measured else None,
        }

    def _peak_memory(self) -> int:
        """Returns the most bytes that any sitting held, on the GPU where there is one."""
        if self._device.type == "cuda":
            return max(self._peak, torch.cuda.max_memory_allocated(self._device))
        return max(self._peak, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


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


def _rivals(run: Run) -> list[Rival]:
    """Returns the critics that the run's network is trained against."""
    if run.recipe is None:
        return []
    side, found = run.recipe.patch * run.scale, []
    for contest in run.contests:
        critic = cast(Callable[..., nn.Module], load("critics", contest.critic.function))
        game = cast(Callable[..., Game], load("games", contest.game.function))
        graded = contest.view == "gradient"
        build = partial(
            critic,
            side + 2 * graded,
            **({} if "channels" in contest.critic.kwargs else {"channels": run.channels}),
            **contest.critic.kwargs,
        )
        found.append(
            Rival(
                name=contest.name,
                weight=contest.weight,
                build=build,
                game=game(**contest.game.kwargs),
                view=partial(gradient_map, padding=2) if graded else itself,
                recipe=contest.recipe,
            )
        )
    return found


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
