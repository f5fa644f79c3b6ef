"""How fast devices train: measured here (`acutance plan --probe`), or assumed of a kind of GPU."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from acutance import params, paths
from acutance.book import known_keys, word
from acutance.errors import Refused, nearest
from acutance.identity import digest
from acutance.spec import Run

_COST = ("patch", "batch", "precision", "compile", "channels_last", "optimiser")
PRECISIONS = ("fp32", "tf32", "bf16")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One update of a kind of training, as it was measured.

    Attributes:
        what: System, scale and recipe.
        seconds: It takes.
        flops: It takes.
        steps: How many were timed.
        peak_memory_bytes: The most that was held.
        measured: When, in UTC.
    """

    what: str
    seconds: float
    flops: float
    steps: int
    peak_memory_bytes: int
    measured: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a probe found on a device.

    Attributes:
        name: Of the device.
        kind: `cpu` or `cuda`.
        threads: Of the CPU.
        versions: Of the packages that computed.
        steps: By `step_key`.
    """

    name: str
    kind: str
    threads: int
    versions: Mapping[str, str]
    steps: Mapping[str, Step]

    @property
    def file(self) -> str:
        """What its file is called, and what `--device` takes: `nvidia-h100-80gb-hbm3`."""
        return file_of(self.name, self.kind, self.threads)

    @property
    def about(self) -> str:
        """Where the rate comes from."""
        last = max((step.measured for step in self.steps.values()), default="")[:10]
        cores = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.kind == "cpu" else ""
        return f"measured on {self.name}{cores}, {last}, {len(self.steps)} kinds of step"

    def seconds(self, run: Run, flops: float) -> tuple[float, str] | None:
        """Returns how long a run takes: by its own step, else by the others' median FLOP/s."""
        step = self.steps.get(step_key(run))
        if step is not None and run.recipe is not None:
            return step.seconds * run.recipe.steps, "measured"
        usual = [each.flops / each.seconds for each in self.steps.values() if each.flops]
        return (flops / median(usual), "by other steps") if usual and flops else None


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """A kind of GPU: dense peaks of its data sheet, and the share of them that is kept up.

    Attributes:
        name: Of the device.
        peak: TFLOP/s by precision.
        sustained: Share of the peak by precision.
        least: Seconds that a step takes in any case.
        source: Of the peaks.
        kind: `cuda`.
    """

    name: str
    peak: Mapping[str, float]
    sustained: Mapping[str, float]
    least: float
    source: str
    kind: str = "cuda"

    @property
    def about(self) -> str:
        """Where the rate comes from."""
        rates = (
            f"{self.sustained[p]:.0%} of {self.peak[p]:g} TFLOP/s in {p}"
            for p in PRECISIONS
            if p in self.peak
        )
        said = f"{', '.join(rates)}, no step below {1000 * self.least:g} ms"
        return f"assumed of {self.name}: {said}; peaks: {self.source}"

    def seconds(self, run: Run, flops: float) -> tuple[float, str] | None:
        """Returns how long a run takes at the rate of its precision."""
        if run.recipe is None or run.recipe.precision not in self.peak:
            return None
        pace = 1e12 * self.peak[run.recipe.precision] * self.sustained[run.recipe.precision]
        return max(flops / pace, self.least * run.recipe.steps), "assumed"


Rate: TypeAlias = Measured | Assumed


def step_key(run: Run) -> str:
    """Returns what the duration of an update depends on, as ten hex digits."""
    kept = asdict(run.recipe) if run.recipe else {}
    return digest(
        run.model.identity,
        [loss.identity for loss in run.losses],
        [contest.identity for contest in run.contests],
        {key: kept[key] for key in _COST if key in kept},
        run.scale,
        run.channels,
    )


def slug(name: str) -> str:
    """Returns a device's name as that of a file.

    >>> slug("AMD EPYC 7763, 2 threads")
    'amd-epyc-7763-2-threads'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def file_of(name: str, kind: str, threads: int) -> str:
    """Returns what the file of a device is called; of a CPU, its threads belong to it."""
    return slug(name if kind == "cuda" else f"{name} {threads} threads")


def written(found: Measured) -> str:
    """Returns what is kept of a probe."""
    return json.dumps(asdict(found), indent=1) + "\n"


def measured(root: Path) -> dict[str, Measured]:
    """Returns all that was measured, by the device's name as that of a file, the newest first.

    Raises:
        Refused: If a file is damaged.
    """
    files = (root / paths.RATES).parent.glob("*.json")
    found = {path.stem: _read(path) for path in files}
    newest = {
        name: max((step.measured for step in each.steps.values()), default="")
        for name, each in found.items()
    }
    return {name: found[name] for name in sorted(found, key=lambda n: (newest[n], n), reverse=True)}


def assumed(root: Path) -> dict[str, Assumed]:
    """Returns the kinds of GPU that workflow/devices.yaml describes, by their short names.

    Raises:
        Refused: If an entry has a mistake.
    """
    path, place = root / paths.DEVICES, paths.DEVICES
    if not path.is_file():
        return {}
    content = params.read(path)
    known_keys(content, ("sustained", "least", "devices"), place)
    sustained = _numbers(content.get("sustained"), f"{place}: sustained", most=1.0)
    least = _number(content.get("least"), f"{place}: least", most=10.0)
    found = {}
    for name, value in params.mapping(content.get("devices"), f"{place}: devices").items():
        inside = f"{place}: devices.{name}"
        entry = params.mapping(value, inside)
        known_keys(entry, ("name", "peak", "source"), inside)
        said = {key: word(entry, key, None, inside) for key in ("name", "source")}
        peak = _numbers(entry.get("peak"), f"{inside}.peak", most=1e6)
        if lacking := sorted(set(peak) - set(sustained)):
            raise Refused(f"{place}: sustained: says nothing of {lacking[0]}")
        found[name] = Assumed(**said, peak=peak, sustained=sustained, least=least)
    return found


def choose(root: Path, name: str | None) -> Rate | None:
    """Returns the rate to reckon with: that of `name`, else what was measured last, else none.

    Args:
        root: The project's root.
        name: A short name of workflow/devices.yaml, or a device that was measured.

    Raises:
        Refused: If there is none of that name.
    """
    here = measured(root)
    if name is None:
        return next(iter(here.values()), None)
    known: dict[str, Rate] = {**assumed(root), **here}
    found = known.get(name) or known.get(slug(name))
    if found is None:
        what = f"--device: no rate for '{name}'; measure it there with `acutance plan --probe`"
        raise Refused(f"{what}, or add it to {paths.DEVICES}{nearest(name, known)}")
    return found


def _numbers(value: object, place: str, *, most: float) -> dict[str, float]:
    entry = params.mapping(value, place)
    known_keys(entry, PRECISIONS, place)
    return {key: _number(value, f"{place}.{key}", most=most) for key, value in entry.items()}


def _number(value: object, place: str, *, most: float) -> float:
    if not isinstance(value, int | float) or not 0 < value <= most:
        raise Refused(f"{place}: wants a number above 0 up to {most:g}, found {value!r}")
    return float(value)


def _read(path: Path) -> Measured:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        steps = {key: Step(**step) for key, step in content.pop("steps").items()}
        found = Measured(**content, steps=steps)
        if not all(step.seconds > 0 for step in steps.values()):
            raise ValueError("a step that takes no time")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = f"no rates ({error}); remove it and run `acutance plan --probe`"
        raise Refused(f"{path.parent.name}/{path.name}: {what}") from None
    return found
