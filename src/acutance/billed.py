"""A bill in words, for a terminal, and as plain values, for machines."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Container, Iterator, Sequence
from typing import Any

from acutance import paths
from acutance.bill import HOUR, Bill, Job
from acutance.sheet import plural
from acutance.spec import Run, Track

_WIDEST = 100
_NONE = "\N{EN DASH}"
_KINDS = {"cpu": "CPU", "cuda": "GPU"}


def text(bill: Bill, *, every_run: bool = False) -> str:
    """Returns a bill for people.

    Args:
        bill: What is told.
        every_run: Whether to list each run.
    """
    lines = [f"{bill.study.title} (study {bill.study.name})", ""]
    for track in bill.study.tracks:
        lines += _track(track)
    lines += ["", *_systems(bill)]
    if every_run:
        lines += [
            "",
            *(_run(job) for job in bill.jobs),
            *(_other(run, bill.imported) for run in bill.others),
        ]
    lines += ["", *_time(bill), *_disk(bill), *_network(bill)]
    lines.append(_fact("tests", f"{bill.scored} of {len(bill.study.evaluations)} are scored"))
    return "\n".join(lines) + "\n"


def plain(bill: Bill) -> dict[str, Any]:
    """Returns a bill as plain values: FLOPs, seconds and bytes; None where nothing is known."""
    wall, longest = bill.wall or (None, None)
    return {
        "study": bill.study.name,
        "rate": bill.rate and {"device": bill.rate.name, "about": bill.rate.about},
        "devices": bill.devices,
        "flops": sum(job.flops for job in bill.jobs),
        "flops_ahead": sum((1 - job.done) * job.flops for job in bill.jobs),
        "seconds_ahead": None if bill.hours is None else bill.hours * HOUR,
        "wall_seconds": wall,
        "longest_chain_seconds": longest,
        "tests": len(bill.study.evaluations),
        "scored": bill.scored,
        "runs": [_values(job) for job in bill.jobs],
        "disk": [vars(share) for share in bill.disk],
        "network": vars(bill.network),
    }


def spent(bill: Bill) -> str:
    """Returns planned hours beside spent ones, of the trainings that are done, and how far off."""
    done = [job for job in bill.jobs if job.origin.state == "trained" and job.origin.hours]
    if not done:
        return "no training is done yet\n"
    wide = max(len(_short(job.run)) for job in done) + 2
    lines = [f"{'run':<{wide}}{'planned':>10}{'spent':>10}{'factor':>8}{'TFLOP/s':>9}  device"]
    for job in done:
        hours = job.seconds[0] / HOUR if job.seconds else None
        row = _compared(_short(job.run), wide, hours, job.origin.hours, job.flops)
        lines.append(f"{row}  {job.origin.device}")
    known = [job for job in done if job.seconds]
    planned = sum(job.seconds[0] for job in known if job.seconds) / HOUR if known else None
    of_these = known or done
    took, work = (sum(v) for v in zip(*((j.origin.hours, j.flops) for j in of_these), strict=True))
    lines.append(_compared(f"in all, {len(of_these)}", wide, planned, took, work))
    rate = bill.rate.about if bill.rate else f"no rate is known; {_remedy()}"
    return "\n".join([*lines, "", _fact("planned", f"hours; {rate}")]) + "\n"


def size(count: float) -> str:
    """Returns bytes in words.

    >>> size(3_530_603_713)
    '3.5 GB'
    """
    thousands = min(4, (len(str(round(count))) - 1) // 3)
    told, unit = count / 1000**thousands, ("B", "kB", "MB", "GB", "TB")[thousands]
    return f"{told:.0f} {unit}" if told >= 10 or not thousands else f"{told:.1f} {unit}"


def hours(seconds: float) -> str:
    """Returns a duration in hours, with as many digits as say something.

    >>> hours(4_500_000), hours(90_000), hours(36)
    ('1,250', '25.0', '0.010')
    """
    found = seconds / HOUR
    if 0 < found < 0.001:
        return "<0.001"
    return f"{found:,.0f}" if found >= 100 else f"{found:.1f}" if found >= 1 else f"{found:.3f}"


def _track(track: Track) -> Iterator[str]:
    runs = list({e.run.id: e.run for e in track.evaluations}.values())
    images = sum(e.dataset.images for e in track.evaluations)
    yield from _wrapped(f"{track.name}: {track.about}", "  ")
    yield from _wrapped(f"  tables: {', '.join(track.tables)}", "    ")
    fitted = sum(run.trained for run in runs)
    tests = f"{plural(len(track.evaluations), 'test')}, {images:,} SR images"
    yield f"  {plural(len(runs), 'run')}, {fitted} of them with weights to fit; {tests}"


def _systems(bill: Bill) -> Iterator[str]:
    kind = f"{_KINDS[bill.rate.kind]} hours" if bill.rate else "hours"
    names = list(dict.fromkeys(run.system for run in bill.study.runs))
    wide = max(map(len, [*names, "in all"])) + 1
    yield f"{'system':<{wide}}{'runs':>5}{'to train':>10}{'TFLOP':>14}{kind:>11}  recipes"
    for name in names:
        jobs = [job for job in bill.jobs if job.run.system == name]
        others = sum(run.system == name for run in bill.others)
        recipes = ", ".join(dict.fromkeys(j.run.recipe.name for j in jobs if j.run.recipe))
        yield f"{_sum(name, wide, jobs, others)}  {recipes}".rstrip()
    yield _sum("in all", wide, bill.jobs, len(bill.others))


def _sum(name: str, wide: int, jobs: Sequence[Job], others: int) -> str:
    ahead = [job for job in jobs if job.done < 1]
    work = sum((1 - job.done) * job.flops for job in ahead) / 1e12
    told = _NONE
    if all(job.seconds for job in ahead):
        told = hours(sum(job.ahead for job in ahead)) if ahead else "0"
    return f"{name:<{wide}}{len(jobs) + others:>5}{len(ahead):>10}{work:>14,.1f}{told:>11}"


def _run(job: Job) -> str:
    state = "done" if job.done == 1 else f"{job.done:.0%} done" if job.done else "to train"
    told = f"{hours(job.seconds[0])} h" if job.seconds else ""
    return f"{job.run.id:<44} {state:<11}{job.flops / 1e12:>14,.1f} TFLOP{told:>10}".rstrip()


def _other(run: Run, imported: Container[str]) -> str:
    released = run.released is not None or run.images is not None
    state = "done" if run.id in imported else "released" if released else "no weights"
    return f"{run.id:<44} {state}"


def _time(bill: Bill) -> Iterator[str]:
    if bill.rate is None or bill.wall is None or bill.hours is None:
        why = "no rate is known" if bill.rate is None else f"{bill.rate.about}; not of all runs"
        yield _fact("hours", f"{why}; {_remedy()}")
        return
    kind = _KINDS[bill.rate.kind]
    told = f"{hours(bill.hours * HOUR)} {kind} hours of training; {bill.rate.about}"
    yield _fact("hours", f"{told}; without validation, prediction and scoring")
    wall, longest = map(hours, bill.wall)
    machines = plural(bill.devices, f"{kind}")
    order = "if the longest chain begins first and a training waits for the one it begins with"
    yield _fact("wall time", f"{wall} h on {machines}, {order}; no less than {longest} h on any")


def _remedy() -> str:
    measure, assume = "`acutance plan --probe` measures here", "`--device h100` assumes"
    return f"{measure}, {assume} ({paths.DEVICES})"


def _disk(bill: Bill) -> Iterator[str]:
    yield f"{'disk':<24}{'there':>10}{'to come':>12}"
    for share in bill.disk:
        ahead = f"{share.sign} {size(share.ahead)}" if share.ahead else "0 B"
        row = f"  {share.what:<22}{size(share.there):>10}{ahead:>12}"
        lacking = f"  and, of unknown size: {', '.join(share.unknown)}" if share.unknown else ""
        yield from _wrapped(row + lacking, " " * 48)


def _network(bill: Bill) -> Iterator[str]:
    network = bill.network
    told = f"{size(sum(network.ahead.values()))} to come, kept in {paths.DOWNLOADS}"
    if network.unknown:
        told += f"; and, of unknown size: {', '.join(network.unknown)}"
    yield _fact("downloads", told)


def _values(job: Job) -> dict[str, Any]:
    seconds, known = job.seconds or (None, None)
    return {
        "run": job.run.id,
        "done": job.done,
        "flops": job.flops,
        "seconds": seconds,
        "known": known,
        "begins_with": job.run.start.run.id if job.run.start else None,
        "spent_seconds": round(job.origin.hours * HOUR, 1),
        "spent_on": job.origin.device,
    }


def _compared(name: str, wide: int, planned: float | None, took: float, work: float) -> str:
    told = f"{hours(planned * HOUR):>10}" if planned is not None else f"{_NONE:>10}"
    factor = f"{took / planned:>8.2f}" if planned else f"{_NONE:>8}"
    pace = work / (took * HOUR) / 1e12
    return f"{name:<{wide}}{told}{hours(took * HOUR):>10}{factor}{pace:>9.3g}"


def _short(run: Run) -> str:
    return run.id.partition("@")[0]


def _fact(name: str, said: str) -> str:
    return "\n".join(_wrapped(f"{name:<11}{said}", " " * 11))


def _wrapped(line: str, indent: str) -> list[str]:
    wide = max(60, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    return textwrap.wrap(
        line, wide, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
