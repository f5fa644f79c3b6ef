"""A claim's verdict: on the paper's own numbers, and on rebuilt scores with an interval.

A claim is a set of comparisons: one system, one baseline, one metric, one data set, one scale each.
It holds when every comparison does. On print, ties count against it. On rebuilt scores the
differences are paired image by image, and a bootstrap over images and seeds says how far they can
be told from zero.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from acutance.calls import Call
from acutance.measured import Measured
from acutance.published import Cell, Claim, Paper
from acutance.spec import Evaluation

HEAD = (
    "track,id,direction,system,baseline,metric,dataset,scale,claimed,printed_difference,printed,"
    "rebuilt_difference,low,high,level,images,seeds,rebuilt,reason"
)
HOLDS, FAILS, UNDECIDED, NOT_TESTABLE = "holds", "fails", "undecided", "not testable"
NOT_COMPUTED = "not computed"
LEVEL = 0.95
RESAMPLES = 10_000
# +1: the system's number is to be the greater one
SIGNS: Mapping[str, int] = {"higher": 1, "highest": 1, "lower": -1, "lowest": -1}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A system against a baseline, in one metric, on one data set, at one scale."""

    claim: Claim
    system: str
    baseline: str
    metric: str
    dataset: str
    scale: int

    @property
    def claimed(self) -> bool:
        """Whether the claim speaks of this data set."""
        return self.dataset in self.claim.datasets or not self.claim.datasets


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean of paired differences with its bootstrap interval.

    Attributes:
        mean: Mean over images and seeds; positive where the system's number is greater.
        low: Lower end.
        high: Upper end.
        images: How many images.
        seeds: How many seeds.
    """

    mean: float
    low: float
    high: float
    images: int
    seeds: int


def claim_rows(paper: Paper, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields one row for each comparison of each claim of a paper, for one track.

    A claim without a numeric test here gives one row that says so. Where the track tests on none of
    a claim's data sets, its own sets are compared as well, marked as not claimed.
    """
    for claim in paper.claims:
        sign = SIGNS.get(claim.direction)
        unmeasured = [m for m in claim.metrics if measured.protocol(m) is None]
        if sign is None:
            reason = f"no numeric test here for the direction '{claim.direction}'"
            if unmeasured:
                reason = f"{' and '.join(unmeasured)}: not measured"
            yield _untested(claim, measured, reason)
        elif not claim.baselines:
            yield _untested(claim, measured, "the claim names no baseline")
        else:
            for each in (*comparisons(claim), *_own(claim, measured)):
                yield _row(paper, each, measured, sign)


def comparisons(claim: Claim, datasets: tuple[str, ...] | None = None) -> Iterator[Comparison]:
    """Yields every comparison that a claim implies."""
    sets = claim.datasets or ("",) if datasets is None else datasets
    for system, baseline in product(claim.systems, claim.baselines):
        for metric, dataset, scale in product(claim.metrics, sets, claim.scales):
            yield Comparison(
                claim=claim,
                system=system,
                baseline=baseline,
                metric=metric,
                dataset=dataset,
                scale=scale,
            )


def printed_difference(cells: tuple[Cell, ...], comparison: Comparison) -> Decimal | None:
    """Returns system minus baseline as printed, or None where the paper does not print both.

    Both numbers come from one table: the first that the claim's source names, else the first that
    has both (a number that a paper prints twice can be rounded differently).
    """
    tables = tuple(dict.fromkeys(cell.table for cell in cells))
    named = [f"table{n}" for n in _tables(comparison.claim.source)]
    for table in dict.fromkeys([*(t for t in named if t in tables), *tables]):
        system = _cell(cells, table, comparison.system, comparison)
        baseline = _cell(cells, table, comparison.baseline, comparison)
        if system and baseline:
            return system.number - baseline.number
    return None


def bootstrap(differences: NDArray[np.float64], seed: int) -> Interval:
    """Returns the mean of paired differences and its percentile bootstrap interval.

    Images and seeds are resampled independently of each other, so that the interval covers other
    images and other seeds (Owen, "The pigeonhole bootstrap", 2007). With one seed it covers other
    images only; with few images it is too narrow.

    Args:
        differences: float64 (seeds, images), system minus baseline.
        seed: Of the resampling; the same one gives the same interval.

    Raises:
        ValueError: If there is nothing to resample.
    """
    seeds, images = differences.shape
    if not differences.size:
        raise ValueError("no differences to resample")
    rng = np.random.default_rng(seed)
    over_seeds, over_images = _resampled(rng, seeds), _resampled(rng, images)
    means = ((over_seeds @ differences) * over_images).sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(
        mean=math.fsum(differences.ravel()) / differences.size,
        low=float(low),
        high=float(high),
        images=images,
        seeds=seeds,
    )


def _resampled(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Returns how often each of `count` things is drawn, as a share: (RESAMPLES, count)."""
    drawn = rng.integers(count, size=(RESAMPLES, count)) + count * np.arange(RESAMPLES)[:, None]
    times = np.bincount(drawn.ravel(), minlength=RESAMPLES * count)
    return times.reshape(RESAMPLES, count) / count


def judge(interval: Interval, sign: int) -> str:
    """Returns what an interval says of `system > baseline` (sign +1) or `system < baseline` (-1).

    A single image has no spread, so it decides nothing.
    """
    low, high = sorted((sign * interval.low, sign * interval.high))
    if interval.images < 2:
        return UNDECIDED
    if low > 0:
        return HOLDS
    return FAILS if high <= 0 else UNDECIDED


def overall(verdicts: Iterable[str], unknown: str) -> str:
    """Returns the verdict on a claim from those on its comparisons.

    One that fails makes the claim fail, all that hold make it hold; `unknown` where none is known.
    """
    counts = Counter(verdicts)
    known = counts.total() - counts[unknown]
    if not known:
        return unknown
    if counts[FAILS]:
        return FAILS
    return HOLDS if counts[HOLDS] == counts.total() else UNDECIDED


def _row(paper: Paper, each: Comparison, measured: Measured, sign: int) -> dict[str, str]:
    printed = printed_difference(paper.cells, each)
    row = _blank(each.claim, measured) | {
        "system": each.system,
        "baseline": each.baseline,
        "metric": each.metric,
        "dataset": each.dataset,
        "scale": str(each.scale),
        "claimed": "yes" if each.claimed else "no",
    }
    if printed is not None:
        row["printed_difference"] = str(printed)
        row["printed"] = HOLDS if sign * printed > 0 else FAILS
    found = _paired(each, measured, paper)
    if isinstance(found, str):
        return row | {"rebuilt": NOT_COMPUTED, "reason": found}
    interval = bootstrap(found, crc32(repr((each.claim.id, *row.values())).encode()))
    return row | {
        "rebuilt_difference": f"{interval.mean:.8f}",
        "low": f"{interval.low:.8f}",
        "high": f"{interval.high:.8f}",
        "level": str(LEVEL),
        "images": str(interval.images),
        "seeds": str(interval.seeds),
        "rebuilt": judge(interval, sign),
    }


def _untested(claim: Claim, measured: Measured, reason: str) -> dict[str, str]:
    words = {"printed": NOT_TESTABLE, "rebuilt": NOT_COMPUTED, "claimed": "yes", "reason": reason}
    return _blank(claim, measured) | words


def _blank(claim: Claim, measured: Measured) -> dict[str, str]:
    empty = dict.fromkeys(HEAD.split(","), "")
    named = {"track": measured.track.name, "id": claim.id, "direction": claim.direction}
    return empty | named | {"printed": NOT_TESTABLE}


def _own(claim: Claim, measured: Measured) -> Iterator[Comparison]:
    """Yields the comparisons on a track's own sets, where it tests on none of the claim's."""
    tested = dict.fromkeys(dataset.name for dataset in measured.track.datasets)
    if not claim.datasets or set(tested) & set(claim.datasets):
        return
    for each in comparisons(claim, tuple(tested)):
        places = [(name, each.scale, each.dataset) for name in (each.system, each.baseline)]
        if all(place in measured.wanted for place in places) and measured.protocol(each.metric):
            yield each


def _paired(each: Comparison, measured: Measured, paper: Paper) -> NDArray[np.float64] | str:
    """Returns the differences (seeds, images), or why there are none."""
    protocol = measured.protocol(each.metric)
    if protocol is None:
        return f"{each.metric} is not measured"
    dataset = paper.label("dataset", each.dataset)
    if each.dataset not in {dataset.name for dataset in measured.track.datasets}:
        return f"{dataset} is not in this study"
    sides = []
    for name in (each.system, each.baseline):
        wanted = measured.wanted.get((name, each.scale, each.dataset))
        label = paper.label("system", name)
        if not wanted:
            return f"{label} at scale {each.scale} is not in this study"
        found = _by_seed(wanted, measured, protocol)
        if not found:
            return f"{label} at scale {each.scale} on {dataset} is not computed yet"
        sides.append(found)
    return _aligned(*sides)


Scored = Mapping[int | None, Mapping[str, float]]


def _by_seed(wanted: tuple[Evaluation, ...], measured: Measured, protocol: Call) -> Scored:
    """Returns the scores that are there, by seed; None stands for a run without training."""
    found = {e.run.seed if e.run.trained else None: measured.images(e, protocol) for e in wanted}
    return {seed: images for seed, images in found.items() if images is not None}


def _aligned(system: Scored, baseline: Scored) -> NDArray[np.float64] | str:
    """Returns paired differences (seeds, images); what is not trained pairs with every seed."""
    seeds = [s for s in system if s in baseline or None in baseline]
    seeds += [s for s in baseline if None in system and s not in seeds]
    if not seeds:
        return "the two systems have no seed in common yet"
    pairs = [(system.get(s, system.get(None)), baseline.get(s, baseline.get(None))) for s in seeds]
    rows = []
    for one, other in pairs:
        if one is None or other is None or set(one) != set(other):
            return "the two score files do not hold the same images"
        rows.append([one[name] - other[name] for name in sorted(one)])
    found = np.array(rows, dtype=np.float64)
    return found if np.isfinite(found).all() else "an image is met exactly, its score is infinite"


def _cell(cells: tuple[Cell, ...], table: str, system: str, each: Comparison) -> Cell | None:
    place = (table, system, each.metric, each.dataset, each.scale)
    for cell in cells:
        if (cell.table, cell.system, cell.metric, cell.dataset, cell.scale) == place:
            return cell
    return None


def _tables(source: str) -> list[int]:
    """Returns the numbers of the tables that a source names, Arabic or Roman."""
    found = re.findall(r"Tables? (\d+|[IVX]+)", source)
    return [int(n) if n.isdigit() else _ROMAN[n] for n in found if n.isdigit() or n in _ROMAN]
