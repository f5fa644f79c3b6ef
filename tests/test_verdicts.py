"""Verdicts on the printed numbers against an independent audit; intervals against their laws."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance import paths
from acutance.calls import Call
from acutance.comparisons import comparisons, printed_difference
from acutance.intervals import (
    FAILS,
    HOLDS,
    NOT_TESTABLE,
    UNDECIDED,
    Interval,
    bootstrap,
    judge,
)
from acutance.measured import Measured
from acutance.published import Paper, read_cells, read_claims
from acutance.spec import Track
from acutance.verdicts import claim_rows, overall

PUBLISHED = Path(__file__).resolve().parent.parent / paths.PUBLISHED

# A track that measures nothing: what is printed is judged all the same.
NOTHING = Track(
    name="nothing",
    paper="",
    about="",
    compare=True,
    tables=(),
    datasets=(),
    systems=(),
    metrics=(),
    also=(),
    seeds=(0,),
    degradation=Call(kind="degradations", name="bicubic", function="imresize", arguments=()),
    output="png",
    train=(),
    evaluations=(),
)
# Source: an audit of the printed tables made by hand before this code was: how many of the
# comparisons that a claim implies hold, for the claims that do not hold everywhere.
EXCEPTIONS = {
    "gv03": (6, 12), "gv04": (11, 12),
    "spsr08": (4, 5), "spsr09": (9, 10), "spsr11": (7, 10), "spsr12": (56, 60),
    "spsr14": (84, 90), "spsr15": (32, 40), "spsr21": (2, 3), "spsr22": (13, 15),
    "spsr23": (25, 30), "spsr27": (3, 6), "spsr38": (34, 40), "spsr40": (6, 20),
    "spsr46": (5, 10), "spsr47": (5, 10), "spsr52": (6, 10),
    "fd05": (11, 12), "fd07": (94, 96),
}  # fmt: skip
# Claims that have a test of their own here, which the audit judged by means over the sets.
OWN = {"fd08": (5, 8)}
UNTESTED = {"gv17", "gv18", "gv19", "spsr19", "spsr35", "spsr36", "spsr55", "spsr56"}
UNTESTED |= {"spsr31", "spsr32", "spsr33", "spsr34", "fd09", "fd10", "fd11", "fd13", "fd14"}


def on_print(name: str):
    """Yields each claim of a paper with its (verdict, comparisons that hold, all comparisons)."""
    cells = read_cells(PUBLISHED / name / "cells.csv")
    claims = read_claims(PUBLISHED / name / "claims.csv")
    words = dict.fromkeys(("name", "short", "title", "authors", "venue", "url"), "")
    paper = Paper(**words, notes=(), names={}, tables={}, figures={}, cells=cells, claims=claims)
    rows = list(claim_rows(paper, Measured(NOTHING, Path())))
    for claim in claims:
        found = [row["printed"] for row in rows if row["id"] == claim.id]
        assert found, f"{claim.id} has no row"
        yield claim.id, overall(found, NOT_TESTABLE), (found.count(HOLDS), len(found))


@pytest.mark.parametrize("paper", ["gv", "spsr", "fd"])
def test_printed_verdicts_are_those_of_the_audit(paper):
    for claim, verdict, counts in on_print(paper):
        if claim in UNTESTED:
            assert verdict == NOT_TESTABLE, claim
        elif claim in EXCEPTIONS | OWN:
            assert (verdict, counts) == (FAILS, (EXCEPTIONS | OWN)[claim]), claim
        else:
            assert verdict == HOLDS, claim


def test_the_margins_of_the_claims_are_those_of_the_cells():
    """`margin` was computed from the same cells by another program."""
    cells = read_cells(PUBLISHED / "gv" / "cells.csv")
    for claim in read_claims(PUBLISHED / "gv" / "claims.csv"):
        ends = re.fullmatch(r"table: ([+-][\d.]+)\.\.([+-][\d.]+) \(mean .*\)", claim.margin)
        if ends is None:
            continue
        found = [printed_difference(cells, each) for each in comparisons(claim)]
        assert [float(min(found)), float(max(found))] == [float(end) for end in ends.groups()]


def test_the_table_that_the_source_names_is_used():
    """Table 1 prints this SSIM cut to four digits, Table 2 in full."""
    cells = read_cells(PUBLISHED / "gv" / "cells.csv")
    claim = next(c for c in read_claims(PUBLISHED / "gv" / "claims.csv") if c.id == "gv12")
    found = {each.metric: printed_difference(cells, each) for each in comparisons(claim)}
    assert str(found["ssim"]) == "0.015949"


def test_an_interval_covers_what_it_says():
    """On normal data the interval is that of the mean: half width 1.96 s / sqrt(n)."""
    rng = np.random.default_rng(0)
    found = bootstrap(rng.normal(0.3, 1.0, (1, 400)), seed=0)
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.1)
    covered = 0
    for trial in range(100):
        each = bootstrap(np.random.default_rng(trial).normal(0.3, 1.0, (1, 50)), seed=trial)
        covered += each.low < 0.3 < each.high
    assert 88 <= covered <= 99


def test_seeds_that_disagree_widen_the_interval():
    images = np.random.default_rng(0).normal(0, 0.1, 100)
    same = bootstrap(np.stack([images, images, images]), seed=0)
    apart = bootstrap(np.stack([images - 1, images, images + 1]), seed=0)
    assert apart.high - apart.low > 10 * (same.high - same.low)
    assert (same.seeds, same.images) == (3, 100)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 9), st.lists(st.floats(-5, 5), min_size=2, max_size=9))
def test_an_interval_is_reproducible_and_odd(seed, values):
    """The same numbers give the same interval; swapped systems give the mirrored verdict."""
    table = np.array([values])
    found, again, swapped = bootstrap(table, seed), bootstrap(table, seed), bootstrap(-table, seed)
    assert found == again
    assert judge(found, 1) == judge(swapped, -1)
    assert found.low <= found.mean + 1e-9
    assert found.mean <= found.high + 1e-9


def test_nothing_to_resample_is_refused():
    with pytest.raises(ValueError, match="no differences"):
        bootstrap(np.empty((1, 0)), seed=0)


@pytest.mark.parametrize(
    ("low", "high", "images", "sign", "verdict"),
    [
        (0.1, 0.2, 5, 1, HOLDS),
        (0.1, 0.2, 5, -1, FAILS),
        (-0.2, -0.1, 5, -1, HOLDS),
        (-0.1, 0.2, 5, 1, UNDECIDED),
        (0.0, 0.0, 5, 1, FAILS),  # no difference at all: a tie
        (0.1, 0.1, 1, 1, UNDECIDED),  # one image has no spread
    ],
)
def test_what_an_interval_says(low, high, images, sign, verdict):
    mean = (low + high) / 2
    found = Interval(mean=mean, low=low, high=high, images=images, seeds=1)
    assert judge(found, sign) == verdict


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        ([HOLDS, HOLDS], HOLDS),
        ([HOLDS, "?"], UNDECIDED),
        ([FAILS, "?"], FAILS),
        ([HOLDS, UNDECIDED], UNDECIDED),
        (["?", "?"], "?"),
        ([], "?"),
    ],
)
def test_a_claim_holds_when_every_comparison_does(each, verdict):
    assert overall(each, "?") == verdict
