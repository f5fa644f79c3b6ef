"""What each run of a study is doing, by the files that it leaves: no job is asked anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acutance import beats, paths
from acutance.beats import Beat
from acutance.errors import one_line
from acutance.slots import WAITING
from acutance.spec import Run, Study

State = Literal["running", "quiet", "failed", "stopped", "waiting", "done"]
_TAIL = 4096  # bytes of a log that hold its last line
_FAULT = re.compile(r"acutance: (.+)|((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)\b.*)")


@dataclass(frozen=True, kw_only=True)
class Life:
    """A run that has weights to get, and how far it is.

    Attributes:
        run: The run.
        state: What it is doing. Who has said nothing for long is `quiet`; whose process is no more,
            or was told to end, `stopped`.
        why: More on that, in words.
        beat: Its last sign of life, unless it is done.
    """

    run: Run
    state: State
    why: str = ""
    beat: Beat | None = None

    @property
    def name(self) -> str:
        """System, scale and seed."""
        return self.run.id.partition("@")[0]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A job other than a training that left a reason in its log, and no result.

    Attributes:
        what: The job.
        why: The last line of its log.
        log: Where that lies.
    """

    what: str
    why: str
    log: str


@dataclass(frozen=True, kw_only=True)
class View:
    """A study as it stood at a moment.

    Attributes:
        study: The study.
        at: The moment, in seconds since 1970.
        lives: Its runs that have weights to get.
        pictured: How many of the tests have SR images.
        scored: How many of them are scored.
        faults: Other jobs that failed.
    """

    study: Study
    at: float
    lives: tuple[Life, ...]
    pictured: int
    scored: int
    faults: tuple[Fault, ...]

    @property
    def done(self) -> bool:
        """Whether nothing is left but tables and pages."""
        trained = all(life.state == "done" for life in self.lives)
        return trained and self.scored == len(self.study.evaluations)

    def of(self, state: State) -> tuple[Life, ...]:
        """Returns the runs in a state."""
        return tuple(life for life in self.lives if life.state == state)


def look(study: Study, root: Path, now: float) -> View:
    """Returns how a study stands.

    Args:
        study: The study.
        root: The project's root; nothing below it is changed.
        now: Seconds since 1970.
    """
    every = study.evaluations
    return View(
        study=study,
        at=now,
        lives=tuple(_life(run, root, now) for run in study.runs if run.weighted),
        pictured=sum((root / each.sr).is_dir() or _scored(root, each.scores) for each in every),
        scored=sum(_scored(root, each.scores) for each in every),
        faults=tuple(_faults(study, root)),
    )


def last_words(view: View) -> list[str]:
    """Returns what to know of a rebuild that ended before it was done: why, and what now."""
    ended = [f"{life.name}: {life.why}" for life in (*view.of("failed"), *view.of("stopped"))]
    ended += [f"{fault.what}: {fault.why} ({fault.log})" for fault in view.faults]
    return [*ended, "What is finished stays. The same command goes on with the rest."]


def _scored(root: Path, scores: str) -> bool:
    return (root / scores).is_file()


def _life(run: Run, root: Path, now: float) -> Life:
    wanted = paths.WHOLE_RUN if run.trained else paths.IMPORTED_RUN
    if all((root / name.format(run=run.id)).is_file() for name in wanted):
        return Life(run=run, state="done")
    log = root / paths.LOGS / ("train" if run.trained else "import") / f"{run.id}.log"
    beat = beats.read(root / paths.STATE.format(run=run.id))
    last, written = _last(log)
    if (beat is None or written >= beat.written) and (fault := _fault(last)):
        return Life(run=run, state="failed", why=fault, beat=beat)
    if beat is None:
        return Life(run=run, state="waiting", why=_awaited(run, root, last))
    state, why = _told(beat, now)
    return Life(run=run, state=state, why=why, beat=beat)


def _told(beat: Beat, now: float) -> tuple[State, str]:
    """Returns what a sign of life says at a later moment."""
    if beat.ended:
        told = beat.ended.startswith(("SIG", "KeyboardInterrupt"))
        return "stopped" if told else "failed", one_line(beat.ended)
    if beat.gone:
        return "stopped", f"its process {beat.pid} ended without a word; run again to go on"
    if silence := beat.quiet(now):
        return "quiet", f"no word for {silence / 60:.0f} min from {beat.host}, process {beat.pid}"
    return "running", beat.host


def _awaited(run: Run, root: Path, last: str) -> str:
    """Returns what a run waits for, where that is known."""
    if last.startswith(WAITING):
        return "for a GPU"
    start = run.start.run.id if run.start else None
    if start is not None and not (root / paths.WEIGHTS.format(run=start)).is_file():
        return f"for {start.partition('@')[0]}"
    return ""


def _faults(study: Study, root: Path) -> Iterator[Fault]:
    """Yields jobs whose log ends in a reason and whose result is not there."""
    for kind, name, made in dict.fromkeys(_jobs(study)):
        log = root / paths.LOGS / kind / f"{name}.log"
        if not (root / made).exists() and (why := _fault(_last(log)[0])):
            short = "/".join(part.partition("@")[0] for part in name.split("/"))
            yield Fault(what=f"{kind} {short}", why=why, log=str(log.relative_to(root)))


def _jobs(study: Study) -> Iterator[tuple[str, str, str]]:
    """Yields kind, name and result of each job that is no training."""
    fitted = [p for run in study.runs for p in (run.train, run.validate) if p]
    for pairs in (*fitted, *(each.pairs for each in study.evaluations)):
        for dataset in pairs.datasets:
            yield "fetch", dataset.id, dataset.hr
    read = [a for run in study.runs for a in run.assets]
    for asset in (*read, *(a for each in study.evaluations for a in each.assets)):
        yield "fetch", asset.file.name, asset.path
    for pairs in fitted:
        yield "pack", pairs.id, pairs.packed
    for test in study.evaluations:
        kind = "import" if test.run.images else "predict"
        if kind == "predict":
            yield "degrade", test.pairs.id, test.pairs.lr
        yield kind, f"{test.run.id}/{test.test}", test.sr
        yield "score", f"{test.run.id}/{test.measured}", test.scores
    yield "report", study.name, paths.REPORT.format(study=study.name)


def _last(log: Path) -> tuple[str, float]:
    """Returns the last line of a log, and when it was written; nothing where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
        written = log.stat().st_mtime
    except OSError:
        return "", 0.0
    return next((one_line(line.strip()) for line in reversed(lines) if line.strip()), ""), written


def _fault(line: str) -> str:
    """Returns why a job ended, if its last line says so.

    >>> _fault("acutance: set5: no space left"), _fault("espcn_x2_s0: step 30 of 60")
    ('set5: no space left', '')
    """
    found = _FAULT.fullmatch(line)
    return (found[1] or found[2]) if found else ""
