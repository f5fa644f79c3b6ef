"""Claims on the sizes of networks: exact counts, so no interval; each holds or fails.

`higher` and `lower` are meant strictly. `equal` is equal to the last value. What a paper calls
about the same, or cheap, is within `ABOUT` of the baseline; about a quarter of it is within `ABOUT`
of that quarter.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from acutance.comparisons import SIGNS, Comparison, comparisons, named, printed_pair, untested
from acutance.counted import Counts
from acutance.intervals import FAILS, HOLDS, NOT_COMPUTED
from acutance.measured import Measured
from acutance.published import Claim, Paper, Table
from acutance.sheet import rounded
from acutance.sizes import WORDS

ABOUT = Fraction(15, 100)
DIRECTIONS = (*SIGNS, "equal", "similar", "ratio")


def of_sizes(claim: Claim) -> bool:
    """Returns whether a claim is about sizes alone, and can be judged by counting."""
    return claim.direction in DIRECTIONS and all(metric in WORDS for metric in claim.metrics)


def rows(
    paper: Paper, claim: Claim, measured: Measured, counts: Counts
) -> Iterator[dict[str, str]]:
    """Yields one row for each comparison of a claim on sizes: fields of `comparisons.HEAD`.

    Differences are in the printed unit; `reason` says what they are of.
    """
    if claim.direction == "ratio" and _ratio(claim) is None:
        yield untested(claim, measured, "the claim says no ratio")
        return
    for each in comparisons(claim):
        row = named(claim, each, measured)
        pair = printed_pair(paper.cells, each)
        if pair is not None:
            one, other = (cell.number for cell in pair)
            row |= {"printed_difference": str(one - other), "printed": _verdict(claim, one, other)}
        yield row | _rebuilt(paper, claim, each, measured, counts)


def _rebuilt(
    paper: Paper, claim: Claim, each: Comparison, measured: Measured, counts: Counts
) -> dict[str, str]:
    """Returns the fields of a row that counts fill, or the reason for their absence."""
    tables = [t for t in paper.tables.values() if each.metric in t.order("metric")]
    if not tables:
        return {"rebuilt": NOT_COMPUTED, "reason": f"{each.metric} is not counted"}
    sides = [
        counts.size(measured.track, paper, tables[0], (name, each.scale, each.metric))
        for name in (each.system, each.baseline)
    ]
    one, other = (side.value for side in sides)
    if one is None or other is None:
        reason = next(side.reason for side in sides if side.value is None)
        return {"rebuilt": NOT_COMPUTED, "reason": reason}
    return {
        "rebuilt_difference": str(one - other),
        "rebuilt": _verdict(claim, one, other),
        "reason": _words(tables[0], each.metric, one, other),
    }


def _verdict(claim: Claim, one: Decimal, other: Decimal) -> str:
    """Returns whether a system of size `one` is to a baseline of size `other` as the claim says."""
    if claim.direction in SIGNS:
        return HOLDS if SIGNS[claim.direction] * (one - other) > 0 else FAILS
    if claim.direction == "equal":
        return HOLDS if one == other else FAILS
    wanted = _ratio(claim) if claim.direction == "ratio" else Fraction(1)
    if wanted is None or not other:
        return FAILS
    return HOLDS if abs(Fraction(one) / Fraction(other) / wanted - 1) <= ABOUT else FAILS


def _ratio(claim: Claim) -> Fraction | None:
    """Returns the ratio that a claim's margin says: a quarter for `printed: 1/4`."""
    found = re.search(r"\b([1-9][0-9]*)/([1-9][0-9]*)\b", claim.margin)
    return Fraction(int(found[1]), int(found[2])) if found else None


def _words(table: Table, metric: str, one: Decimal, other: Decimal) -> str:
    """Returns two sizes and what they are to each other: `870.1 K to 934.3 K, 1.074 times`."""
    digits, unit = table.decimals(metric) + 1, table.unit(metric)
    before, after = (f"{rounded(float(each), digits)} {unit}" for each in (other, one))
    return f"{before} to {after}" + (f", {one / other:.3f} times" if other else "")
