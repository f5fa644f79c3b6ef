"""The comparisons that a claim implies: printed differences, rebuilt ones paired image by image.

One comparison is one system, one baseline, one metric, one data set, one scale.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from acutance.intervals import (
    FAILS,
    HOLDS,
    LEVEL,
    NOT_COMPUTED,
    NOT_TESTABLE,
    Interval,
    bootstrap,
    judge,
)
from acutance.measured import Measured
from acutance.published import Cell, Claim, Paper

HEAD = (
    "track,id,direction,system,baseline,metric,dataset,scale,claimed,printed_difference,printed,"
    "rebuilt_difference,low,high,level,images,seeds,rebuilt,reason"
)
# +1: the system's number is to be the greater one
SIGNS: Mapping[str, int] = {"higher": 1, "highest": 1, "lower": -1, "lowest": -1}
# Scores by seed and image; None stands for a run without training
Scored = Mapping[int | None, Mapping[str, float]]
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A system against a baseline, in one metric, on one data set, at one scale.

    Attributes:
        claimed: Whether a claim speaks of this data set.
        source: Where in the paper the claim stands; it tells which table's numbers are meant.
    """

    system: str
    baseline: str
    metric: str
    dataset: str
    scale: int
    claimed: bool = True
    source: str = ""


def comparisons(claim: Claim, datasets: tuple[str, ...] | None = None) -> Iterator[Comparison]:
    """Yields every comparison that a claim implies."""
    sets = claim.datasets or ("",) if datasets is None else datasets
    for system, baseline in product(claim.systems, claim.baselines):
        for metric, dataset, scale in product(claim.metrics, sets, claim.scales):
            yield Comparison(
                system=system,
                baseline=baseline,
                metric=metric,
                dataset=dataset,
                scale=scale,
                claimed=dataset in claim.datasets or not claim.datasets,
                source=claim.source,
            )


def rows(paper: Paper, claim: Claim, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields one row for each comparison of a claim that a number is higher or lower."""
    sign = SIGNS[claim.direction]
    if not claim.baselines:
        yield untested(claim, measured, "the claim names no baseline")
        return
    if "any" in (*claim.baselines, *(name.partition("+")[0] for name in claim.systems)):
        yield untested(claim, measured, "the claim is about networks that the paper does not name")
        return
    for each in (*comparisons(claim), *_own(claim, measured)):
        printed = printed_difference(paper.cells, each)
        row = named(claim, each, measured) | on_print(printed, sign)
        yield row | rebuilt(paired(each, measured, paper), sign, row)


def printed_difference(cells: tuple[Cell, ...], comparison: Comparison) -> Decimal | None:
    """Returns system minus baseline as printed, or None where the paper does not print both."""
    pair = printed_pair(cells, comparison)
    return pair[0].number - pair[1].number if pair else None


def printed_pair(cells: tuple[Cell, ...], comparison: Comparison) -> tuple[Cell, Cell] | None:
    """Returns the printed numbers of system and baseline, or None where there are not both.

    Both numbers come from one table: the first that the claim's source names, else the first that
    has both (a number that a paper prints twice can be rounded differently).
    """
    tables = tuple(dict.fromkeys(cell.table for cell in cells))
    named = [f"table{n}" for n in _tables(comparison.source)]
    for table in dict.fromkeys([*(t for t in named if t in tables), *tables]):
        system = _cell(cells, table, comparison.system, comparison)
        baseline = _cell(cells, table, comparison.baseline, comparison)
        if system and baseline:
            return system, baseline
    return None


def named(claim: Claim, each: Comparison, measured: Measured, **other: str) -> dict[str, str]:
    """Returns a row that says what is compared; `other` fields as they are given."""
    row = _blank(claim, measured) | {
        "system": each.system,
        "baseline": each.baseline,
        "metric": each.metric,
        "dataset": each.dataset,
        "scale": str(each.scale),
        "claimed": "yes" if each.claimed else "no",
    }
    return row | other


def on_print(difference: Decimal | None, sign: int) -> dict[str, str]:
    """Returns the fields of a row that the printed numbers fill; a tie counts against the claim."""
    if difference is None:
        return {}
    verdict = HOLDS if sign * difference > 0 else FAILS
    return {"printed_difference": str(difference), "printed": verdict}


def rebuilt(found: Scored | str, sign: int, row: Mapping[str, str]) -> dict[str, str]:
    """Returns the fields of a row that paired differences fill, or the reason for their absence.

    Args:
        found: The differences, or why there are none.
        sign: See `judge`.
        row: What is compared; it seeds the resampling, so the same row gives the same interval.
    """
    if isinstance(found, str):
        return {"rebuilt": NOT_COMPUTED, "reason": found}
    return judged(bootstrap(array(found), seed_of(row)), sign)


def judged(interval: Interval, sign: int) -> dict[str, str]:
    """Returns the fields of a row that an interval fills."""
    return {
        "rebuilt_difference": f"{interval.mean:.8f}",
        "low": f"{interval.low:.8f}",
        "high": f"{interval.high:.8f}",
        "level": str(LEVEL),
        "images": str(interval.images),
        "seeds": str(interval.seeds),
        "rebuilt": judge(interval, sign),
    }


def seed_of(row: Mapping[str, str]) -> int:
    """Returns the seed of a row's resampling."""
    return crc32(repr((row["id"], *row.values())).encode())


def untested(claim: Claim, measured: Measured, reason: str) -> dict[str, str]:
    """Returns the one row of a claim that is not tested."""
    words = {"printed": NOT_TESTABLE, "rebuilt": NOT_COMPUTED, "claimed": "yes", "reason": reason}
    return _blank(claim, measured) | words


def paired(each: Comparison, measured: Measured, paper: Paper) -> Scored | str:
    """Returns differences by seed and image, or why there are none.

    Without a baseline these are the system's own scores.
    """
    system = scored(each, measured, paper)
    if isinstance(system, str) or not each.baseline:
        return system
    baseline = scored(replace(each, system=each.baseline), measured, paper)
    return baseline if isinstance(baseline, str) else minus(system, baseline)


def scored(each: Comparison, measured: Measured, paper: Paper) -> Scored | str:
    """Returns the scores of a comparison's system, or why there are none."""
    protocol = measured.protocol(each.metric)
    if protocol is None:
        return f"{each.metric} is not measured"
    dataset = paper.label("dataset", each.dataset)
    if each.dataset not in {dataset.name for dataset in measured.track.datasets}:
        return f"{dataset} is not in this study"
    wanted = measured.wanted.get((each.system, each.scale, each.dataset))
    label = paper.label("system", each.system)
    if not wanted:
        return f"{label} at scale {each.scale} is not in this study"
    found: dict[int | None, Mapping[str, float]] = {}
    for evaluation in wanted:
        images = measured.images(evaluation, protocol)
        if isinstance(images, str):
            return f"{each.metric} of {label} is not measured on {images}, {dataset}"
        if images is not None:
            found[evaluation.run.seed if evaluation.run.trained else None] = images
    return found or f"{label} at scale {each.scale} on {dataset} is not computed yet"


def minus(system: Scored, baseline: Scored) -> Scored | str:
    """Returns paired differences; what is not trained pairs with every seed."""
    seeds = [s for s in system if s in baseline or None in baseline]
    seeds += [s for s in baseline if None in system and s not in seeds]
    if not seeds:
        return "the two systems have no seed in common yet"
    found: dict[int | None, dict[str, float]] = {}
    for seed in seeds:
        one, other = system.get(seed, system.get(None)), baseline.get(seed, baseline.get(None))
        if one is None or other is None or set(one) != set(other):
            return "the two score files do not hold the same images"
        found[seed] = {name: one[name] - other[name] for name in sorted(one)}
    finite = all(np.isfinite(value) for row in found.values() for value in row.values())
    return found if finite else "an image is met exactly, its score is infinite"


def array(found: Scored) -> NDArray[np.float64]:
    """Returns scores as float64 (seeds, images), images by name."""
    return np.array([[row[name] for name in sorted(row)] for row in found.values()])


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
