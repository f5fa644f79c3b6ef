"""Correlation over images: of a score, or of a gain, with another number of the same images."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from acutance.comparisons import (
    Comparison,
    Scored,
    array,
    judged,
    named,
    paired,
    scored,
    seed_of,
    untested,
)
from acutance.intervals import NOT_COMPUTED, UNDECIDED, Interval, interval, resampled
from acutance.measured import Measured
from acutance.published import Claim, Paper

SIGNS: Mapping[str, int] = {"positive-correlation": 1, "negative-correlation": -1}
# A bootstrap cannot judge fewer: images that happen to lie in order do so in every resample.
FEWEST = 10
Array = NDArray[np.float64]


def rows(paper: Paper, claim: Claim, measured: Measured) -> Iterator[dict[str, str]]:
    """Yields one row for each system and scale: all images of the claim's data sets together.

    The claim's metric is `psnr-vs-entropy`; with a baseline, the first of both is the gain over it.
    `rebuilt_difference` holds Spearman's coefficient, because such a claim speaks of an order: the
    more of one, the more of the other. Where a track lacks one of the claim's data sets, a second
    row, marked as not claimed, has those that it tests on.
    """
    score, _, other = claim.metrics[0].partition("-vs-")
    missing = [name for name in (score, other) if measured.protocol(name) is None]
    if missing:
        yield untested(claim, measured, f"{' and '.join(missing)}: not measured")
        return
    tested = tuple(dataset.name for dataset in measured.track.datasets)
    own = tuple(name for name in claim.datasets if name in tested) or tested
    for sets in dict.fromkeys((claim.datasets or tested, own)):
        sides = product(claim.systems, claim.baselines or ("",), claim.scales)
        for system, baseline, scale in sides:
            each = Comparison(
                system=system,
                baseline=baseline,
                metric=score,
                dataset=";".join(sets),
                scale=scale,
                claimed=sets == (claim.datasets or tested),
            )
            row = named(claim, each, measured, metric=claim.metrics[0])
            yield row | _tested(images(each, other, measured, paper), row)


def images(
    each: Comparison, other: str, measured: Measured, paper: Paper
) -> tuple[Scored, Mapping[str, float]] | str:
    """Returns a score (or gain) by seed and image, and another metric of the same images.

    Args:
        each: What is asked for; its data set may be several, with semicolons between them. Images
            are then named `set5/baby`.
        other: The other metric, one of the original alone: it is the same for every seed.
        measured: The track's scores.
        paper: For labels.

    Returns:
        Both, or why there are none.
    """
    scores: dict[int | None, dict[str, float]] = {}
    others: dict[str, float] = {}
    for dataset in each.dataset.split(";"):
        here = replace(each, dataset=dataset)
        score = paired(here, measured, paper)
        beside = scored(replace(here, metric=other), measured, paper)
        if isinstance(score, str) or isinstance(beside, str):
            return score if isinstance(score, str) else str(beside)
        for seed, row in score.items():
            scores.setdefault(seed, {}).update({f"{dataset}/{n}": v for n, v in row.items()})
        others |= {f"{dataset}/{n}": v for n, v in next(iter(beside.values())).items()}
    whole = {seed: row for seed, row in scores.items() if len(row) == len(others)}
    if not whole:
        return "the data sets have no seed in common yet"
    values = [*others.values(), *(v for row in whole.values() for v in row.values())]
    if not np.isfinite(values).all():
        return "an image is met exactly, its score is infinite"
    return whole, others


def correlate(y: Array, x: Array, seed: int) -> Interval:
    """Returns Spearman's coefficient of the mean over seeds, with its bootstrap interval.

    Images and seeds are resampled independently, as for differences.

    Args:
        y: float64 (seeds, images).
        x: float64 (images,), not constant.
        seed: Of the resampling.
    """
    seeds, count = y.shape
    rng = np.random.default_rng(seed)
    over_seeds, over_images = resampled(rng, seeds), resampled(rng, count)
    draws = np.empty(len(over_images))
    # few different mixtures of seeds occur: each is ranked once
    mixtures, which = np.unique(over_seeds, axis=0, return_inverse=True)
    for at, mixture in enumerate(mixtures):
        drawn = which.ravel() == at
        draws[drawn] = spearman(mixture @ y, x, over_images[drawn])
    whole = spearman(y.mean(axis=0), x)
    return interval(float(whole[0]), draws[np.isfinite(draws)], y)


def spearman(y: Array, x: Array, shares: Array | None = None) -> Array:
    """Returns Spearman's rank correlation; ties share the mean of their ranks.

    Args:
        y: float64 (n,).
        x: float64 (n,).
        shares: float64 (k, n), how often each pair counts in each of k samples; once, if None.

    Returns:
        float64 (k,), or (1,); nan where a side is constant.
    """
    weights = _weights(y, shares)
    return pearson(_ranks(y, weights), _ranks(x, weights), weights)


def pearson(y: Array, x: Array, shares: Array | None = None) -> Array:
    """Returns Pearson's correlation: see `spearman`; y and x may be (k, n) too."""
    weights = _weights(y, shares)
    total = weights.sum(axis=1, keepdims=True)
    dy = y - (weights * y).sum(axis=1, keepdims=True) / total
    dx = x - (weights * x).sum(axis=1, keepdims=True) / total
    spread = (weights * dy**2).sum(axis=1) * (weights * dx**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = (weights * dy * dx).sum(axis=1) / np.sqrt(spread)
    return np.clip(found, -1, 1)


def _weights(y: Array, shares: Array | None) -> Array:
    return np.ones((1, y.shape[-1])) if shares is None else shares


def _ranks(values: Array, weights: Array) -> Array:
    """Returns the ranks of values in each weighted sample, up to a shift that changes nothing."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf) > 0)
    group = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(group, axis=1) - group / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = np.repeat(middle, np.diff(np.append(starts, values.size)), axis=1)
    return ranks


def _tested(
    found: tuple[Scored, Mapping[str, float]] | str, row: Mapping[str, str]
) -> dict[str, str]:
    """Returns the fields of a row that scores fill, or the reason for their absence."""
    if isinstance(found, str):
        return {"rebuilt": NOT_COMPUTED, "reason": found}
    scores, others = found
    y, x = array(scores), np.array([others[name] for name in sorted(others)])
    if np.ptp(x) == 0 or np.ptp(y.mean(axis=0)) == 0:
        return {"rebuilt": NOT_COMPUTED, "reason": "all images have one value"}
    fields = judged(correlate(y, x, seed_of(row)), SIGNS[row["direction"]])
    if len(x) < FEWEST:
        fields |= {"rebuilt": UNDECIDED, "reason": f"fewer than {FEWEST} images"}
    return fields
