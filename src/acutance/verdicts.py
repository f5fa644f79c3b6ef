"""A claim's verdict: on the paper's own numbers, and on rebuilt scores with an interval.

A claim is a set of comparisons; it holds when every comparison does. On print, ties count against
it. On rebuilt scores the numbers are paired image by image, and a bootstrap over images and seeds
says how far they can be told from zero. What is compared, and how, is a matter of the claim's
direction: one entry of `TESTS`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from acutance import comparisons, correlations, gains, size_verdicts
from acutance.comparisons import untested
from acutance.counted import Counts
from acutance.intervals import FAILS, HOLDS, UNDECIDED
from acutance.measured import Measured
from acutance.published import Claim, Paper

Test = Callable[[Paper, Claim, Measured], Iterator[dict[str, str]]]
TESTS: Mapping[str, Test] = {
    **dict.fromkeys(comparisons.SIGNS, comparisons.rows),
    **dict.fromkeys(correlations.SIGNS, correlations.rows),
    "largest-at-4": gains.rows,
}


def claim_rows(
    paper: Paper, measured: Measured, counts: Counts | None = None
) -> Iterator[dict[str, str]]:
    """Yields the rows of each claim of a paper, for one track: fields of `comparisons.HEAD`.

    A claim without a numeric test here gives one row that says so. Where the track tests on none of
    a claim's data sets, its own sets are compared as well, marked as not claimed. Claims on sizes
    are judged by `counts`, where they are given.
    """
    for claim in paper.claims:
        if counts is not None and size_verdicts.of_sizes(claim):
            yield from size_verdicts.rows(paper, claim, measured, counts)
            continue
        test = TESTS.get(claim.direction)
        yield from test(paper, claim, measured) if test else _none(claim, measured)


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


def _none(claim: Claim, measured: Measured) -> Iterator[dict[str, str]]:
    unmeasured = [metric for metric in claim.metrics if measured.protocol(metric) is None]
    reason = f"no numeric test here for the direction '{claim.direction}'"
    if unmeasured:
        reason = f"{' and '.join(unmeasured)}: not measured"
    yield untested(claim, measured, reason)
