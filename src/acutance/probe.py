"""`plan --probe`: how long steps of a study's trainings take on this machine's device, measured.

Each kind of step is trained for some seconds by the verb `train` itself, on pictures of noise, in a
process of its own that may take no more memory than there is: what is too large for this machine
gets no rate, and ends nothing else.
"""

from __future__ import annotations

import csv
import hashlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from acutance import machine, paths, rates
from acutance.errors import Refused, one_line
from acutance.files import write_atomically
from acutance.packed import INDEX, SIDES, VERSION, entry
from acutance.rates import Measured, Step
from acutance.spec import Run, Study
from acutance.work import step_flops

FIRST, GROWTH = 3, 8  # steps of the first attempt, and at most so many times more in the next
PATIENCE = 60.0  # seconds for a process to start, beside what its steps may take
PICTURES, MARGIN = 4, 16  # of noise; their LR sides are so many pixels longer than a crop
_KEPT = 0.9  # of the memory that is free

Fit = Callable[..., int]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a process is to time: `seconds` of a run, trained by `fit` on a CPU's `threads`."""

    run: Run
    assets: Path
    fit: Fit
    seconds: float
    threads: int | None


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What a process found: its device, and what a step takes there."""

    name: str
    kind: str
    threads: int
    seconds: float
    steps: int
    peak: int


def probe(
    study: Study,
    root: Path,
    *,
    fit: Fit,
    seconds: float,
    threads: int | None = None,
    say: Callable[[str], None],
) -> str:
    """Measures every kind of step of a study, and keeps what was found in results/rates.

    Args:
        study: The study.
        root: The project's root.
        fit: The verb `train`.
        seconds: How long each kind of step is trained, about. One whose first steps take four times
            as long, beside a minute to start, is given up.
        threads: Of the CPU; None for torch's own choice.
        say: Takes a line for each.

    Returns:
        The name of the device, as `--device` takes it.

    Raises:
        Refused: If no step could be measured.
    """
    kinds = {rates.step_key(run): run for run in reversed(study.runs) if run.trained}
    say(f"{len(kinds)} kinds of step, {seconds:g} s of training each, and some to start")
    found: Measured | None = None
    for key, run in reversed(kinds.items()):
        what = f"{run.system}_x{run.scale}, {run.recipe.name if run.recipe else ''}"
        task = Task(run=run, assets=root / paths.ASSETS, fit=fit, seconds=seconds, threads=threads)
        took = timed(task)
        if isinstance(took, str):
            say(f"{what}: no rate: {took}")
            continue
        work = step_flops(run)
        step = Step(
            what=what,
            seconds=took.seconds,
            flops=work,
            steps=took.steps,
            peak_memory_bytes=took.peak,
            measured=machine.now(),
        )
        found = _kept(root, took, key, step)
        pace = work / took.seconds / 1e12
        say(f"{what}: {1000 * took.seconds:.3g} ms a step, {pace:.3g} TFLOP/s")
    if found is None:
        raise Refused("--probe: no step could be measured; the lines above say why")
    return found.file


def _kept(root: Path, took: Timed, key: str, step: Step) -> Measured:
    """Adds a step to the device's file; what other versions of the packages took is dropped."""
    versions = {str(name): str(number) for name, number in _versions().items()}
    fresh = Measured(
        name=took.name, kind=took.kind, threads=took.threads, versions=versions, steps={}
    )
    before = rates.measured(root).get(fresh.file)
    held = before.steps if before and before.versions == versions else {}
    found = replace(fresh, steps={**held, key: step})
    write_atomically(root / paths.RATES.format(device=found.file), rates.written(found))
    return found


def _versions() -> dict[str, object]:
    found = machine.versions()["versions"]
    return dict(found) if isinstance(found, dict) else {}


def timed(task: Task) -> Timed | str:
    """Returns what a step takes, or why that could not be found out."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    limit = PATIENCE + 4 * task.seconds
    with tempfile.TemporaryDirectory(prefix="acutance-probe-") as folder, receiver:
        given = (sender, task, Path(folder))
        process = context.Process(target=_child, args=given, daemon=True)
        process.start()
        sender.close()
        try:
            if not receiver.poll(limit):
                return f"its first steps take longer than {limit:.0f} s"
            answer: Timed | str = receiver.recv()
        except EOFError:
            process.join()
            return f"its process ended with {process.exitcode}; was there too little memory?"
        finally:
            process.kill()
            process.join()
    return answer


def _child(sender: Connection, task: Task, folder: Path) -> None:
    """Answers with what a step takes, or with the reason in a line."""
    with (folder / "said").open("w") as said:
        os.dup2(said.fileno(), sys.stderr.fileno())  # progress of no interest
    if not torch.cuda.is_available():
        resource.setrlimit(resource.RLIMIT_DATA, (_free(), resource.RLIM_INFINITY))
    try:
        sender.send(_trained(task, folder))
    except (Refused, RuntimeError, MemoryError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        sender.send(one_line(lines[0]) if lines else type(error).__name__)


def _trained(task: Task, folder: Path) -> Timed:
    """Trains ever more steps until they take long enough to be told from the clock's tenths."""
    packed, steps, took = _noise(task.run, folder / "packed"), FIRST, 0.0
    while True:
        out = folder / str(steps)
        task.fit(
            _shortened(task.run, steps),
            packed=packed,
            validation=None,
            out=out,
            state=folder / "state",
            assets=task.assets,
            threads=task.threads,
            checkpoint_seconds=1e9,
        )
        took = _between(out / "log.csv")
        if took >= task.seconds / 2:
            break
        wanted = round(task.seconds * (steps - 1) / max(took, 0.1))
        steps = max(steps + 1, min(GROWTH * steps, wanted))
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return Timed(
        name=record["device"],
        kind=record["device_type"],
        threads=record["threads"],
        seconds=took / (steps - 1),
        steps=steps - 1,
        peak=record["peak_memory_bytes"],
    )


def _shortened(run: Run, steps: int) -> Run:
    """Returns a run of a few steps that cost what the run's own cost, and hardly move a weight."""
    if run.recipe is None:
        raise Refused(f"{run.id}: nothing to train")
    recipe = replace(
        run.recipe,
        steps=steps,
        learning_rate=1e-9,
        milestones=(),
        sampling="uniform",
        keep="last",
        validate_every=0,
        first_only=None,
        first_steps=0,
    )
    return replace(run, recipe=recipe, start=None, validate=None)


def _between(log: Path) -> float:
    """Returns the seconds from the first to the last step of a log."""
    with log.open(encoding="utf-8", newline="") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return seconds[-1] - seconds[0]


def _noise(run: Run, folder: Path) -> Path:
    """Packs pictures of noise, as large as crops need: what pixels show costs no time."""
    folder.mkdir()
    side = MARGIN + (run.recipe.patch if run.recipe else 0)
    small = np.random.default_rng(0).integers(0, 256, (PICTURES, 3, side, side), dtype=np.uint8)
    large = small.repeat(run.scale, axis=2).repeat(run.scale, axis=3)
    images: list[dict[str, object]] = [{"name": str(n)} for n in range(PICTURES)]
    for name, pixels in zip(SIDES, (small, large), strict=True):
        (folder / f"{name}.bin").write_bytes(pixels.tobytes())
        for number, each in enumerate(pixels):
            digest = hashlib.sha256(each.tobytes()).hexdigest()
            height, width = each.shape[1:]
            images[number][name] = entry(number * each.nbytes, height, width, digest)
    index = {"version": VERSION, "scale": run.scale, "images": images}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return folder


def _free() -> int:
    """Returns how many bytes of memory a process may take without starving the machine."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return round(_KEPT * 1024 * int(line.split()[1]))
    return resource.RLIM_INFINITY
