"""Claims that a gain is largest at one scale: the gain there against the gain at each other scale.

The gain is system minus baseline. Scales are compared set by set, and on rebuilt scores image by
image: an image's gain at one scale minus the same image's gain at another.
"""

from collections.abc import Iterator
from dataclasses import replace

from acutance.comparisons import (
    Comparison,
    Scored,
    comparisons,
    minus,
    named,
    on_print,
    paired,
    printed_difference,
    rebuilt,
)
from acutance.measured import Measured
from acutance.published import Claim, Paper


def rows(paper: Paper, claim: Claim, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields one row for each data set and each scale but the one that `largest-at-4` names.

    The row's `scale` is `4-2`: the gain at scale 4 minus that at scale 2.
    """
    largest = int(claim.direction.rpartition("-")[2])
    for each in comparisons(claim):
        if each.scale != largest:
            there = replace(each, scale=largest)
            row = named(claim, each, measured, scale=f"{largest}-{each.scale}")
            gains = [printed_difference(paper.cells, one) for one in (there, each)]
            if gains[0] is not None and gains[1] is not None:
                row |= on_print(gains[0] - gains[1], 1)
            yield row | rebuilt(_difference(there, each, measured, paper), 1, row)


def _difference(
    there: Comparison, other: Comparison, measured: Measured, paper: Paper
) -> Scored | str:
    """Returns by how much the gain at one scale exceeds that at another, or why it is not known."""
    gains = [paired(each, measured, paper) for each in (there, other)]
    for gain in gains:
        if isinstance(gain, str):
            return gain
    return minus(*(gain for gain in gains if not isinstance(gain, str)))
