"""The bill before anything starts, and after: FLOPs, hours, wall time, bytes; planned and spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from acutance import beats, paths, rates, resolve, schedule, space
from acutance.calls import Call
from acutance.origins import Origin, origins
from acutance.spec import Run, Study
from acutance.work import step_flops

HOUR = 3600.0
_COPIES = {"adam": 4, "sgd": 3}  # weights, the best of them, and what the optimiser remembers


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a run takes, all of it, and how far it is.

    Attributes:
        run: The run.
        flops: Of its whole training.
        done: Share of its steps that are done.
        seconds: Of its whole training by the rate, and how that is known; None without a rate.
        origin: What the run's record says.
    """

    run: Run
    flops: float
    done: float
    seconds: tuple[float, str] | None
    origin: Origin

    @property
    def ahead(self) -> float:
        """Seconds still to come; 0 where there is no rate."""
        return (1 - self.done) * self.seconds[0] if self.seconds else 0.0


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a study takes.

    Attributes:
        study: The study.
        jobs: Its runs that are trained.
        others: Its runs that are not.
        imported: Those of them whose weights are here, by their ids.
        rate: What hours are reckoned with, if anything.
        devices: How many.
        wall: Seconds until the last training ends, and of the longest chain; None without hours.
        scored: How many of the tests are scored.
        disk: Bytes by kind of file.
        network: What is downloaded.
    """

    study: Study
    jobs: tuple[Job, ...]
    others: tuple[Run, ...]
    imported: frozenset[str]
    rate: rates.Rate | None
    devices: int
    wall: tuple[float, float] | None
    scored: int
    disk: tuple[space.Share, ...]
    network: space.Transfer

    @property
    def hours(self) -> float | None:
        """Of training that is ahead; None where a training has no rate."""
        return None if self.wall is None else sum(job.ahead for job in self.jobs) / HOUR


def bill(study: Study, root: Path, *, device: str | None = None, devices: int = 1) -> Bill:
    """Returns what a study takes: what is there already counts as done.

    Args:
        study: What is to be rebuilt.
        root: The project's root.
        device: What hours are reckoned with; see `rates.choose`.
        devices: How many of them.

    Raises:
        Refused: If there is no such rate, or a file of rates or of a run is damaged.
    """
    rate, made = rates.choose(root, device), origins(study, root)
    jobs = tuple(_job(run, root, rate, made[run.id]) for run in study.runs if run.trained)
    others = tuple(run for run in study.runs if not run.trained)
    return Bill(
        study=study,
        jobs=jobs,
        others=others,
        imported=frozenset(run.id for run in others if _weights(run, root)),
        rate=rate,
        devices=devices,
        wall=_wall(jobs, devices),
        scored=sum((root / each.scores).is_file() for each in study.evaluations),
        disk=space.shares(study, root, held=held, jobs=devices),
        network=space.transfer(study, root),
    )


def training_flops(run: Run) -> float:
    """Returns the floating-point operations of a training: of its updates, without validation."""
    return step_flops(run) * run.recipe.steps if run.recipe else 0.0


def held(run: Run) -> tuple[int, int]:
    """Returns the bytes of a run's weights, and at most of its states while it trains."""
    if run.images is not None:
        return 0, 0
    values = _network(run.model, run.scale).state_dict().values()
    weights = sum(value.nbytes for value in values)
    copies = _COPIES[run.recipe.optimiser] if run.recipe else 0
    return weights, space.SAVED * copies * weights


@cache
def _network(model: Call, scale: int) -> torch.nn.Module:
    made: Any = resolve.load("models", model.function)
    with torch.device("meta"):
        network: torch.nn.Module = made(scale, **model.kwargs)
    return network


def _job(run: Run, root: Path, rate: rates.Rate | None, origin: Origin) -> Job:
    work = training_flops(run)
    beat = beats.read(root / paths.STATE.format(run=run.id))
    done = beat.step / max(beat.steps, 1) if beat else 0.0
    return Job(
        run=run,
        flops=work,
        done=1.0 if _weights(run, root) else done,
        seconds=rate.seconds(run, work) if rate else None,
        origin=origin,
    )


def _weights(run: Run, root: Path) -> bool:
    """Returns whether a run's weights are here."""
    return (root / paths.WEIGHTS.format(run=run.id)).is_file()


def _wall(jobs: Iterable[Job], devices: int) -> tuple[float, float] | None:
    """Returns seconds to the end of the last training, and those of the longest chain."""
    ahead = {job.run.id: job for job in jobs if job.done < 1}
    if any(job.seconds is None for job in ahead.values()):
        return None
    seconds = {name: job.ahead for name, job in ahead.items()}
    begun = {name: job.run.start.run.id for name, job in ahead.items() if job.run.start}
    after = {name: before for name, before in begun.items() if before in ahead}
    chains = schedule.longest(seconds, after)
    return schedule.makespan(seconds, after, devices), max(chains.values(), default=0.0)
