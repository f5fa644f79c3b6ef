"""Claims on sizes: each direction by hand, and the papers' own on print and on counts."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from acutance import comparisons, paths, published, study, tabulate
from acutance.intervals import FAILS, HOLDS, NOT_COMPUTED
from acutance.published import Claim
from acutance.rows import read_rows
from acutance.size_verdicts import ABOUT, _ratio, _verdict, of_sizes
from acutance.sizes import HEAD
from synthetic import lay

# What a paper called x, lapsrn or srcnn has: made up, in values and multiply-adds
SIZES = {"lapsrn": (870_112, 125_741_894_400), "lapsrn+fd": (934_307, 128_315_000_000)}


def claim(direction: str, margin: str = "", metrics: tuple[str, ...] = ("params",)) -> Claim:
    return Claim(
        id="x01", paper="x", claim="", systems=("a",), baselines=("b",), metrics=metrics,
        datasets=(), scales=(4,), direction=direction, margin=margin, source="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "margin", "one", "other", "expected"),
    [
        ("higher", "", "2", "1", HOLDS),
        ("higher", "", "1", "1", FAILS),
        ("lower", "", "14.6", "24.8", HOLDS),
        ("lowest", "", "24.8", "24.8", FAILS),
        ("equal", "", "862", "862", HOLDS),
        ("equal", "", "862", "862.001", FAILS),
        ("similar", "", "934", "862", HOLDS),
        ("similar", "", "115", "100", HOLDS),
        ("similar", "", "116", "100", FAILS),
        ("similar", "", "84", "100", FAILS),
        ("similar", "", "1", "0", FAILS),
        ("ratio", "printed: 1/4", "23.7", "89.7", HOLDS),
        ("ratio", "printed: 1/10", "23.7", "265.1", HOLDS),
        ("ratio", "printed: 1/4", "23.7", "265.1", FAILS),
    ],
)
def test_a_verdict_by_hand(direction, margin, one, other, expected):
    assert _verdict(claim(direction, margin), Decimal(one), Decimal(other)) == expected


def test_what_about_means_is_one_number():
    assert Fraction(15, 100) == ABOUT
    assert _ratio(claim("ratio", "table: -66.0, printed: 3/4")) == Fraction(3, 4)
    assert _ratio(claim("ratio", "printed: a quarter")) is None


def test_claims_on_sizes_are_told_from_others():
    assert of_sizes(claim("equal"))
    assert of_sizes(claim("ratio", metrics=("madds", "flops")))
    assert not of_sizes(claim("similar", metrics=("psnr",)))
    assert not of_sizes(claim("higher", metrics=("params", "psnr")))
    assert not of_sizes(claim("sharper"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Rows of claims by paper and identifier; sizes of LapSRN and of the loss on it are given."""
    root = lay(tmp_path_factory.mktemp("project"))
    each = study.load(root, "papers")
    lines = [HEAD]
    for system, sizes in SIZES.items():
        for rule, value in zip(("parameters", "macs-720p"), sizes, strict=True):
            lines += [f"fd,{system},{system},{scale},{rule},{value}" for scale in (2, 3, 4)]
    (root / each.counts).parent.mkdir(parents=True)
    (root / each.counts).write_text("\n".join(lines) + "\n", encoding="utf-8")
    tabulate.tabulate(each, root)
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for paper in ("fd", "dgggan"):
        path = root / paths.CLAIMS.format(study="papers", paper=paper)
        for _, row in read_rows(path, comparisons.HEAD):
            found.setdefault((paper, row["id"]), []).append(row)
    return found


def test_more_computation_is_not_the_same(judged):
    """FD prints 862 K and 934 K, and says that its results come without extra computation."""
    rows = judged["fd", "fd11"]
    assert [(row["metric"], row["scale"]) for row in rows] == [
        (metric, scale) for metric in ("params", "madds") for scale in "234"
    ]
    assert {row["printed"] for row in rows} == {row["rebuilt"] for row in rows} == {FAILS}
    assert rows[0]["printed_difference"] == "72"
    assert rows[0]["rebuilt_difference"] == "64.195"
    assert rows[0]["reason"] == "870.1 K to 934.3 K, 1.074 times"
    assert {row["low"] + row["images"] + row["level"] for row in rows} == {""}


def test_a_few_percent_more_are_cheap(judged):
    rows = judged["fd", "fd14"]
    assert {row["printed"] for row in rows} == {row["rebuilt"] for row in rows} == {HOLDS}


def test_what_is_not_counted_is_judged_on_print_alone(judged):
    for name in ("dgggan06", "dgggan14", "dgggan15", "dgggan16", "dgggan17"):
        (row,) = (row for row in judged["dgggan", name] if row["track"] == "dgggan")
        assert row["printed"] == HOLDS
        assert row["rebuilt"] in (NOT_COMPUTED, HOLDS, FAILS)
        assert bool(row["reason"])
    assert judged["dgggan", "dgggan14"][0]["printed_difference"] == "-66.0"


def test_claims_of_the_papers_name_a_ratio_that_can_be_read():
    folder = Path(__file__).resolve().parent.parent / paths.PUBLISHED
    found = [
        each
        for path in sorted(folder.glob("*/claims.csv"))
        for each in published.read_claims(path)
        if each.direction == "ratio" and of_sizes(each)
    ]
    assert [_ratio(each) for each in found] == [Fraction(1, 4), Fraction(1, 10)]
