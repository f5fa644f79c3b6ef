"""What made the numbers of a report, run by run: where, when, at what cost, by which code."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance import paths, rates
from acutance.errors import Refused
from acutance.protocols import spelled, told
from acutance.rows import Score, average, read_scores
from acutance.spec import Run, Study

_KINDS = {"cpu": "CPU", "cuda": "GPU"}
# Records of before `device_type` name the machine alone.
_NAMES = {
    "GPU": re.compile(r"NVIDIA|Tesla|GeForce|Quadro|Instinct|Radeon"),
    "CPU": re.compile(r"EPYC|Ryzen|Threadripper|Intel|Xeon|CPU|[Pp]rocessor"),
}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A run and what its record says of it; empty texts where it says nothing.

    Attributes:
        number: Its place in the study, from 1.
        run: The run.
        state: What there is of it: `trained`, `not trained yet`, `nothing to train`; of what others
            made, `released`, `released, not imported yet`.
        commit: Of the code that trained it, one per sitting, and whether files differed from it.
        device: Names of the machines, one per kind, and how many threads of a CPU.
        kind: `CPU` or `GPU`; empty where it was both or is not known.
        finished: When, as the record says it: `2026-10-18 12:31 UTC`.
        hours: Of training by the clock, all sittings together.
        facts: Further lines (name, value): network, objective, recipe, data, versions.
        scores: Its score files by (track, data set), those that are there.
        collapsed: What it ended in, where its training collapsed.
    """

    number: int
    run: Run
    state: str
    commit: str
    device: str
    kind: str
    finished: str
    hours: float
    facts: tuple[tuple[str, str], ...]
    scores: Mapping[tuple[str, str], str]
    collapsed: str = ""

    @property
    def where(self) -> str:
        """What its hours were: `CPU hours on AMD EPYC, 1 thread`."""
        return f"{self.kind} hours on {self.device or 'a machine without a name'}".strip()

    @property
    def files(self) -> tuple[str, ...]:
        """Its score files, each once."""
        return tuple(dict.fromkeys(self.scores.values()))


def origins(study: Study, root: Path) -> dict[str, Origin]:
    """Returns the origin of each run of a study by the run's id, in the study's order.

    Raises:
        Refused: If a run's record is not what `train` writes.
    """
    scores: dict[str, dict[tuple[str, str], str]] = {}
    for track in study.tracks:
        for each in track.evaluations:
            if (root / each.scores).is_file():
                place = (track.name, each.dataset.name)
                scores.setdefault(each.run.id, {})[place] = each.scores
    known = rates.measured(root)
    return {
        run.id: _origin(number, run, root, scores.get(run.id, {}), known)
        for number, run in enumerate(study.runs, start=1)
    }


def _origin(
    number: int,
    run: Run,
    root: Path,
    scores: Mapping[tuple[str, str], str],
    known: Mapping[str, rates.Measured],
) -> Origin:
    name = paths.RUN_RECORD.format(run=run.id)
    record = _record(root / name, name) if run.weighted else {}
    sittings = [*record.get("sittings", []), record]
    kinds = {_kind(sitting) for sitting in sittings}
    return Origin(
        number=number,
        run=run,
        state=_state(run, bool(record or (run.images and scores))),
        commit=", ".join(dict.fromkeys(_commit(s) for s in sittings if s.get("commit"))),
        device="; ".join(dict.fromkeys(_device(s) for s in sittings if s.get("device"))),
        kind=kinds.pop() if len(kinds) == 1 else "",
        finished=_date(str(record.get("finished") or "")),
        hours=float(record.get("seconds", 0)) / 3600,
        facts=(
            *_facts(run, record),
            *_planned(run, record, sittings, known),
            *_of_others(run, root, scores),
        ),
        scores=scores,
        collapsed=str(record.get("collapsed") or ""),
    )


def _state(run: Run, made: bool) -> str:
    if run.released is not None or run.images is not None:
        return "released" if made else "released, not imported yet"
    if not run.trained:
        return "nothing to train"
    return "trained" if made else "not trained yet"


def _kind(sitting: Mapping[str, Any]) -> str:
    """Returns what kind of machine a sitting had, or nothing where its record does not tell."""
    if sitting.get("device_type"):
        return _KINDS.get(sitting["device_type"], "")
    name = str(sitting.get("device", ""))
    return next((kind for kind, names in _NAMES.items() if names.search(name)), "")


def _device(sitting: Mapping[str, Any]) -> str:
    threads = sitting.get("threads")
    if _kind(sitting) != "CPU" or not threads:
        return str(sitting["device"])
    return f"{sitting['device']}, {threads} thread{'' if threads == 1 else 's'}"


def _commit(sitting: Mapping[str, Any]) -> str:
    dirty = " with uncommitted changes" if sitting.get("dirty") else ""
    return f"{str(sitting['commit'])[:10]}{dirty}"


def _date(finished: str) -> str:
    """Returns `2026-10-18 12:31 UTC` for `2026-10-18T12:31:05Z`."""
    day, _, time = finished.partition("T")
    return f"{day} {time[:5]} UTC" if time else day


def _record(path: Path, name: str) -> dict[str, Any]:
    """Returns what run.json says, empty if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Refused(f"{name}: not JSON ({error}); remove the folder and train again") from None
    remedy = "remove the folder and train again"
    if not isinstance(found, dict) or not isinstance(found.get("seconds"), int | float):
        raise Refused(f"{name}: does not say `seconds`; {remedy}")
    sittings = found.get("sittings", [])
    whole = isinstance(sittings, list) and all(isinstance(each, dict) for each in sittings)
    numbers = (found.get(field, 0) for field in ("parameters", "peak_memory_bytes"))
    findings = found.get("findings", [])
    try:
        whole = whole and all(map(_finding, findings))
    except (TypeError, KeyError, ValueError):
        whole = False
    if not whole or not all(isinstance(number, int | float) for number in numbers):
        raise Refused(f"{name}: not what a training writes; {remedy}")
    return found


def _facts(run: Run, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [] if run.images else [("network", spelled(run.model))]
    if run.recipe is not None and run.train is not None:
        terms = [f"{loss.weight:g} · {spelled(loss)}" for loss in run.losses]
        terms += [f"{contest.weight:g} · {told(contest)}" for contest in run.contests]
        recipe = f"{run.recipe.name}, {run.recipe.steps:,} updates of {run.recipe.batch} crops"
        found += [("objective", " + ".join(terms)), ("recipe", recipe)]
        found += [("trained on", run.train.id)]
    if record.get("parameters"):
        found.append(("parameters", f"{record['parameters']:,}"))
    if record.get("peak_memory_bytes"):
        found.append(("peak memory", f"{record['peak_memory_bytes'] / 2**20:,.0f} MiB"))
    found += [("finding", _finding(each)) for each in record.get("findings", [])]
    if record.get("collapsed"):
        found.append(("collapsed", str(record["collapsed"])))
    versions = record.get("versions")
    if isinstance(versions, dict):
        found.append(("versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    for each in record.get("adopted", []):
        although = f", although {'; '.join(each['differing'])}" if each["differing"] else ""
        found.append(("adopted from", f"{each['from']} on {_date(each['when'])}{although}"))
    return found


def _planned(
    run: Run,
    record: Mapping[str, Any],
    sittings: Sequence[Mapping[str, Any]],
    known: Mapping[str, rates.Measured],
) -> Iterator[tuple[str, str]]:
    """Yields planned hours beside spent ones, where such steps were measured on the same device."""
    devices = {
        rates.file_of(str(s.get("device", "")), str(s.get("device_type", "")), s.get("threads", 0))
        for s in sittings
    }
    rate = known.get(devices.pop()) if len(devices) == 1 else None
    step = rate.steps.get(rates.step_key(run)) if rate else None
    if step is not None and run.recipe is not None and record.get("seconds"):
        planned, spent = step.seconds * run.recipe.steps, float(record["seconds"])
        hours = f"{spent / 3600:.2f} spent, {planned / 3600:.2f} planned by steps measured there"
        yield "hours", f"{hours}: {spent / planned:.2f} times as many"


def _finding(found: Mapping[str, Any]) -> str:
    """Returns a sign of collapse, and when it was there."""
    return f"{found['sign']}, from step {found['first']:,} to {found['last']:,} at the latest"


def _of_others(
    run: Run, root: Path, scores: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, str]]:
    """Yields what is known of a released system, and beside it what was measured here."""
    found = run.released or run.images
    if found is None:
        return
    yield "weights" if run.released else "images", found.about
    if run.released is not None:
        sha256 = run.released.file.promised or "nobody gives its checksum"
        yield "file", f"{run.released.file.name} ({sha256})"
    yield "licence", found.licence
    yield "cite", found.cite
    for known in found.known:
        measured = dict(_measured(known.dataset, known.metric, root, scores))
        shown = {
            t: f"not on {v}" if isinstance(v, str) else f"{v:.4f}" for t, v in measured.items()
        }
        beside = "; ".join(f"{value} in {track}" for track, value in shown.items())
        where = f"{known.metric} on {known.dataset}"
        yield "known to score", f"{known.value:g} {where}; measured: {beside or 'not yet'}"


def _measured(
    dataset: str, metric: str, root: Path, scores: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, Score]]:
    """Yields the mean of a metric on a data set, or why there is none, by track."""
    for (track, tested), name in scores.items():
        if tested == dataset and (values := read_scores(root / name).get(metric)):
            yield track, average(values)
