"""Generalised Gaussian distributions fitted by their moments, the shape read off a table.

The density falls as exp(-|x / scale|^shape): shape 2 is a Gaussian, 1 a Laplacian. The ratio of two
moments determines the shape; the MATLAB scripts look it up among thousands of shapes, and so do we.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace
from scipy.special import gamma

from acutance.arrays import Array, home

Float = npt.NDArray[np.float64]

_TINY = 1e-7  # sr-metric's: keeps samples without spread from dividing by 0


def symmetric_shape(samples: Array) -> Float:
    """Returns the shape of each row's distribution about its mean.

    Args:
        samples: (..., n), n at least 2; the moments are taken over the last axis.

    Returns:
        (...), from 0.03 to 10 in steps of 0.001. Rows without spread give 10.

    Source: chaoma99/sr-metric@51218dbd5a1a, gama_gen_gauss.m: variance (of n - 1) over the squared
        mean deviation, against Gamma(1/shape) Gamma(3/shape) / Gamma(2/shape)^2.
    """
    xp = array_namespace(samples)
    off = samples - xp.mean(samples, axis=-1, keepdims=True)
    variance = xp.sum(off * off, axis=-1) / (samples.shape[-1] - 1)
    ratio = home(variance / (xp.mean(xp.abs(off), axis=-1) ** 2 + _TINY))
    shapes, ratios = _symmetric_table()
    # The table falls; the first of two equally near entries is the smaller shape, in either order.
    return shapes[len(shapes) - 1 - _nearest(ratios[::-1], ratio, first=False)]


def two_sided(samples: Array) -> tuple[Float, Float, Float]:
    """Returns shape, left scale and right scale of each row's distribution about 0.

    Args:
        samples: (..., n); the moments are taken over the last axis.

    Returns:
        Three of (...): the shape from 0.2 to 10 in steps of 0.001; the scales. A side that no
        sample lies on has a scale of NaN, and the shape is then 0.2.

    Source: Mittal et al., doi 10.1109/LSP.2012.2227726; niqe_release, estimateaggdparam.m.
    """
    xp = array_namespace(samples)
    squares = samples * samples
    sides = [xp.astype(side, xp.float64) for side in (samples < 0, samples > 0)]
    found = [xp.sum(squares * side, axis=-1) for side in sides]
    found += [xp.sum(side, axis=-1) for side in sides]
    found += [xp.mean(xp.abs(samples), axis=-1), xp.mean(squares, axis=-1)]
    *power, lefts, rights, magnitude, square = home(xp.stack(found))
    with np.errstate(invalid="ignore"):  # 0 / 0 where a side is empty: NaN, as in MATLAB
        left, right = np.sqrt(power[0] / lefts), np.sqrt(power[1] / rights)
        skew = left / right
        ratio = np.square(magnitude) / square
        ratio = ratio * (skew**3 + 1) * (skew + 1) / np.square(skew**2 + 1)
    shapes, ratios = _two_sided_table()
    shape = shapes[np.where(np.isnan(ratio), 0, _nearest(ratios, ratio, first=True))]
    per_deviation = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * per_deviation, right * per_deviation


def inverse(covariance: Float) -> Float:
    """Returns the pseudo-inverse of a covariance, (n, n), with the tolerance of MATLAB's `pinv`."""
    largest = np.linalg.norm(covariance, 2)
    tolerance = len(covariance) * np.spacing(largest) / largest if largest else 0.0
    return np.asarray(np.linalg.pinv(covariance, rcond=tolerance), np.float64)


def _nearest(table: Float, values: Float, *, first: bool) -> npt.NDArray[np.intp]:
    """Returns where in the rising `table` the entry nearest to each value stands.

    Of two equally near entries the `first` in the table, or the last.
    """
    above = np.clip(np.searchsorted(table, values), 1, len(table) - 1)
    to_above, to_below = np.abs(table[above] - values), np.abs(table[above - 1] - values)
    return above - (to_below <= to_above if first else to_below < to_above)


@cache
def _symmetric_table() -> tuple[Float, Float]:
    shapes = 0.03 + 0.001 * np.arange(9971, dtype=np.float64)  # 0.03 to 10
    ratios: Float = gamma(1 / shapes) * gamma(3 / shapes) / np.square(gamma(2 / shapes))
    return shapes, ratios


@cache
def _two_sided_table() -> tuple[Float, Float]:
    shapes = 0.2 + 0.001 * np.arange(9801, dtype=np.float64)  # 0.2 to 10
    ratios: Float = np.square(gamma(2 / shapes)) / (gamma(1 / shapes) * gamma(3 / shapes))
    return shapes, ratios
