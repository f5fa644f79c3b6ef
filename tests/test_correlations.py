"""Correlations against SciPy, their intervals against laws, and the claims that rest on them."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acutance import paths, tabulate
from acutance.comparisons import HEAD
from acutance.correlations import FEWEST, correlate, pearson, spearman
from acutance.rows import read_rows
from twin import lay_twin, write

PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=12)


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.data())
def test_both_coefficients_are_those_of_scipy(pairs, data):
    """On whole samples with ties, and on one resample told by how often each image counts."""
    x, y = np.array(pairs, dtype=np.float64).T
    drawn = np.array(data.draw(st.lists(st.integers(0, len(x) - 1), min_size=3, max_size=12)))
    for chosen in (np.arange(len(x)), drawn):
        assume(np.ptp(x[chosen]) > 0 and np.ptp(y[chosen]) > 0)
        times = np.bincount(chosen, minlength=len(x))[None] / len(chosen)
        ranked, plain = scipy.stats.spearmanr(y[chosen], x[chosen]), scipy.stats.pearsonr(y, x)
        assert spearman(y, x, times)[0] == pytest.approx(ranked.statistic, abs=1e-9)
        if chosen is not drawn:
            assert pearson(y, x)[0] == pytest.approx(plain.statistic, abs=1e-9)


def test_the_interval_covers_as_often_as_it_says():
    """Of normal pairs with correlation 0.6, Spearman's is 6 / pi * asin(0.6 / 2)."""
    true, covered = 6 / np.pi * np.arcsin(0.3), 0
    for trial in range(40):
        rng = np.random.default_rng(trial)
        x = rng.normal(size=80)
        found = correlate((0.6 * x + 0.8 * rng.normal(size=80))[None], x, trial)
        covered += found.low < true < found.high
    assert covered >= 34  # 38 are to be expected


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = 0.5 * x + rng.normal(size=60)
    same = correlate(np.stack([y, y, y]), x, 0)
    apart = correlate(np.stack([y, y + 3 * x, y - 3 * x]), x, 0)
    assert apart.high - apart.low > 2 * (same.high - same.low)
    assert correlate(y[None], x, 0).mean == same.mean
    assert (same.seeds, same.images) == (3, 60)


@pytest.fixture
def judge(tmp_path):
    """Judges the twin's claims on scores by hand: returns the rows of a claim."""
    each = lay_twin(tmp_path)

    def rows(claim, score, entropy, keep=lambda _: True, turned=False):
        def used(evaluation):
            run = evaluation.run
            return run.scale == 4 and run.system in ("espcn", "espcn+gv") and keep(evaluation)

        write(tmp_path, each, score, entropy, used)
        if turned:
            for path in tmp_path.glob("results/scores/*/*.csv"):
                head, *lines = path.read_text(encoding="utf-8").splitlines()
                path.write_text("\n".join([head, *reversed(lines)]) + "\n", encoding="utf-8")
        tabulate.tabulate(each, tmp_path)
        path = tmp_path / paths.CLAIMS.format(study="twin", paper="twin")
        return [row for _, row in read_rows(path, HEAD) if row["id"] in claim.split()]

    return rows


def entropy(_, number):
    return 4 + (number * 7 % 100) / 30


def falling(evaluation, number):
    """Falls with the entropy; with the twin's FD loss it falls half as much."""
    steep = -1 if evaluation.run.system == "espcn+gv" else -2
    return 40 + steep * entropy(evaluation, number) + (number % 3) * 0.2


def test_the_baseline_falls_with_entropy(judge):
    (row,) = judge("twin09", falling, entropy)
    assert (row["rebuilt"], row["printed"], row["images"]) == ("holds", "not testable", "219")
    assert row["dataset"] == "set5;set14;bsd100;urban100"
    assert -1 <= float(row["low"]) <= float(row["rebuilt_difference"]) <= float(row["high"]) < -0.9
    (rising,) = judge("twin09", lambda e, n: -falling(e, n), entropy)
    assert (rising["rebuilt"], float(rising["low"])) == ("fails", -float(row["high"]))


def test_the_gain_rises_with_entropy(judge):
    (row,) = judge("twin10", falling, entropy)
    assert (row["rebuilt"], row["rebuilt_difference"]) == ("holds", "1.00000000")
    (row,) = judge("twin10", lambda e, n: falling(e, n) * (n % 2), entropy)
    assert row["rebuilt"] in ("undecided", "holds")
    (row,) = judge("twin10", lambda _, n: n, entropy)
    assert (row["rebuilt"], row["reason"]) == ("not computed", "all images have one value")


def test_the_order_of_the_images_changes_nothing(judge):
    def noisy(evaluation, number):
        return float(np.random.default_rng([len(evaluation.run.system), number]).normal(30, 2))

    claims = "twin05 twin09 twin10"
    assert judge(claims, noisy, entropy) == judge(claims, noisy, entropy, turned=True)


def test_a_missing_score_is_named(judge):
    (row,) = judge("twin10", falling, entropy, lambda e: e.dataset.name != "bsd100")
    assert row["rebuilt"] == "not computed"
    assert row["reason"] == "LapSRN + FD at scale 4 on BSD100 is not computed yet"
    (row,) = judge("twin09", lambda _, n: np.inf if n == 3 else n, entropy)
    assert row["reason"] == "an image is met exactly, its score is infinite"


TRACK = """
title: Twin
build: [twin]
tracks:
  twin:
    paper: twin
    compare: true
    ours: [bilinear]
    train: {datasets: [div2k-train], degradation: bicubic}
    test: {datasets: [SETS], degradation: bicubic}
    metrics: {psnr: psnr_classic, ssim: ssim_classic}
    also: [entropy]
systems:
  bilinear: {base: bicubic}
"""


@pytest.mark.parametrize(
    ("sets", "used", "verdict", "count"),
    [
        ("set5, bsd100", "set5;bsd100", "holds", "105"),
        ("photographs", "photographs", "undecided", "4"),
    ],
)
def test_the_sets_at_hand_stand_in_for_those_that_are_not(tmp_path, sets, used, verdict, count):
    each = lay_twin(tmp_path, TRACK.replace("SETS", sets))
    write(tmp_path, each, falling, entropy)
    tabulate.tabulate(each, tmp_path)
    path = tmp_path / paths.CLAIMS.format(study="twin", paper="twin")
    rows = [row for _, row in read_rows(path, HEAD) if row["id"] == "twin09"]
    assert [row["claimed"] for row in rows] == ["yes", "no"]
    assert rows[0]["reason"].endswith("is not in this study")
    assert (rows[1]["dataset"], rows[1]["rebuilt"], rows[1]["images"]) == (used, verdict, count)
    assert rows[1]["reason"] == (f"fewer than {FEWEST} images" if count == "4" else "")


def test_without_entropy_the_claims_are_not_tested(tmp_path):
    each = lay_twin(tmp_path, TRACK.replace("SETS", "set5").replace("    also: [entropy]\n", ""))
    tabulate.tabulate(each, tmp_path)
    path = tmp_path / paths.CLAIMS.format(study="twin", paper="twin")
    reasons = {row["id"]: row["reason"] for _, row in read_rows(path, HEAD)}
    assert reasons["twin09"] == reasons["twin10"] == "entropy: not measured"
