"""What scores say with how much certainty: bootstrap intervals, and verdicts on them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOLDS, FAILS, UNDECIDED, NOT_TESTABLE = "holds", "fails", "undecided", "not testable"
NOT_COMPUTED = "not computed"
LEVEL = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its bootstrap interval.

    Attributes:
        mean: Mean of paired differences over images and seeds, positive where the system's number
            is greater; or another statistic of them.
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
    over_seeds, over_images = resampled(rng, seeds), resampled(rng, images)
    means = ((over_seeds @ differences) * over_images).sum(axis=1)
    return interval(math.fsum(differences.ravel()) / differences.size, means, differences)


def interval(estimate: float, draws: NDArray[np.float64], values: NDArray[np.float64]) -> Interval:
    """Returns an estimate with the percentile interval of its resampled values.

    Args:
        estimate: From all values.
        draws: float64 (resamples,).
        values: float64 (seeds, images), what was resampled.
    """
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    seeds, images = values.shape
    return Interval(mean=estimate, low=float(low), high=float(high), images=images, seeds=seeds)


def resampled(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Returns how often each of `count` things is drawn, as a share: (RESAMPLES, count)."""
    drawn = rng.integers(count, size=(RESAMPLES, count)) + count * np.arange(RESAMPLES)[:, None]
    times = np.bincount(drawn.ravel(), minlength=RESAMPLES * count)
    return times.reshape(RESAMPLES, count) / count


def judge(interval: Interval, sign: int) -> str:
    """Returns what an interval says of `above zero` (sign +1) or `below zero` (-1).

    A single image has no spread, so it decides nothing.
    """
    low, high = sorted((sign * interval.low, sign * interval.high))
    if interval.images < 2:
        return UNDECIDED
    if low > 0:
        return HOLDS
    return FAILS if high <= 0 else UNDECIDED
