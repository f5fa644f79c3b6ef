"""What made the numbers of a report, in words: runs with their cost, data, protocols."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance import paths
from acutance.calls import Call
from acutance.errors import Refused
from acutance.sets import Dataset
from acutance.spec import Run, Study, Track


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A run and what its record says of it; empty texts where it says nothing.

    Attributes:
        number: Its place in the study, from 1.
        run: The run.
        state: What there is of it: `trained`, `not trained yet`, or `nothing to train`.
        commit: Of the code that trained it; `+ changes` where files differed from it.
        device: Names of the machines, one per kind.
        hours: Of training, all sittings together.
        facts: Further lines (name, value): network, objective, recipe, data, versions.
        scores: Its score files by (track, data set), those that are there.
    """

    number: int
    run: Run
    state: str
    commit: str
    device: str
    hours: float
    facts: tuple[tuple[str, str], ...]
    scores: Mapping[tuple[str, str], str]

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
    return {
        run.id: _origin(number, run, root, scores.get(run.id, {}))
        for number, run in enumerate(study.runs, start=1)
    }


def _origin(number: int, run: Run, root: Path, scores: Mapping[tuple[str, str], str]) -> Origin:
    name = paths.RUN_RECORD.format(run=run.id)
    record = _record(root / name, name) if run.trained else {}
    trained = "trained" if record else "not trained yet"
    commit = str(record.get("commit") or "")[:10]
    machines = [record, *record.get("sittings", [])]
    devices = dict.fromkeys(str(m["device"]) for m in machines if m.get("device"))
    return Origin(
        number=number,
        run=run,
        state=trained if run.trained else "nothing to train",
        commit=f"{commit} + changes" if commit and record.get("dirty") else commit,
        device=", ".join(devices),
        hours=float(record.get("seconds", 0)) / 3600,
        facts=tuple(_facts(run, record)),
        scores=scores,
    )


def _record(path: Path, name: str) -> dict[str, Any]:
    """Returns what run.json says, empty if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Refused(f"{name}: not JSON ({error}); remove the folder and train again") from None
    if not isinstance(found, dict) or not isinstance(found.get("seconds"), int | float):
        raise Refused(f"{name}: does not say `seconds`; remove the folder and train again")
    return found


def _facts(run: Run, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [("network", spelled(run.model))]
    if run.recipe is not None and run.train is not None:
        terms = [f"{loss.weight:g} · {spelled(loss)}" for loss in run.losses]
        recipe = f"{run.recipe.name}, {run.recipe.steps:,} updates of {run.recipe.batch} crops"
        found += [("objective", " + ".join(terms)), ("recipe", recipe)]
        found += [("trained on", run.train.id)]
    if record.get("parameters"):
        found.append(("parameters", f"{record['parameters']:,}"))
    if record.get("peak_memory_bytes"):
        found.append(("peak memory", f"{record['peak_memory_bytes'] / 2**20:,.0f} MiB"))
    if record.get("threads"):
        found.append(("CPU threads", str(record["threads"])))
    versions = record.get("versions")
    if isinstance(versions, dict):
        found.append(("versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return found


def spelled(call: Call, by_scale: Mapping[int, Call] | None = None) -> str:
    """Returns a noun with its arguments: `psnr (channel y, shave 2, 3, 4 at ×2, ×3, ×4)`.

    Args:
        call: The noun.
        by_scale: The same noun at each scale, where its arguments follow the scale.
    """
    words = []
    for name, value in call.arguments:
        each = {scale: c.kwargs.get(name) for scale, c in (by_scale or {}).items()}
        text = _plain(value)
        if len(set(each.values())) > 1:
            scales = ", ".join(f"×{scale}" for scale in each)
            text = f"{', '.join(_plain(v) for v in each.values())} at {scales}"
        words.append(f"{name} {text}")
    return f"{call.function} ({'; '.join(words)})" if words else call.function


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def protocol(track: Track) -> list[tuple[str, str]]:
    """Returns (what, how) of a track's measuring: LR images, files, each metric."""
    at: dict[str, dict[int, Call]] = {}
    lr: dict[int, Call] = {}
    for each in track.evaluations:
        lr[each.run.scale] = each.pairs.degradation
        for metric in each.metrics:
            at.setdefault(metric.name, {})[each.run.scale] = metric
    output = "8-bit PNG" if track.output == "png" else "32-bit floats, neither rounded nor clipped"
    found = [("LR images", f"{track.degradation.name} = {spelled(track.degradation, lr)}")]
    found.append(("SR images", output))
    for column, metric in track.metrics:
        how = spelled(metric, at.get(metric.name))
        found.append((column.upper(), f"{metric.name} = {how}, mean over images"))
    return found


def data(track: Track) -> list[tuple[str, str]]:
    """Returns (what, which) of a track's data: training sets and test sets."""
    found = [("trained on", "; ".join(_described(d) for d in track.train))] if track.train else []
    return [*found, ("tested on", "; ".join(_described(d) for d in track.datasets))]


def _described(dataset: Dataset) -> str:
    plural = "" if dataset.images == 1 else "s"
    return f"{dataset.name} ({dataset.images} image{plural})"
