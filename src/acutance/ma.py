"""How people would rate a super-resolved image, learnt from the ratings of 50 (Ma et al. 2017).

Ma, Yang, Yang and Yang, "Learning a no-reference quality metric for single-image super-resolution",
CVIU 2017, doi 10.1016/j.cviu.2016.12.009, as the authors' MATLAB code computes it:
chaoma99/sr-metric@51218dbd5a1a, MIT licence. Three groups of features, a random forest for each,
one linear combination; the forests are a file of theirs, `model.mat`.

IQA-PyTorch's NRQM takes other blocks where a side is 1 more than a multiple of 3, one value more in
the least tenth and one less in the greatest, a parent for the sixth subband, parents resized to an
odd side itself, and no negative structure. With these in place of ours, in tests/test_iqa.py, 6
digits agree; the rest is its single precision.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.io
from array_api_compat import array_namespace
from scipy.io.matlab import MatReadError

from acutance.arrays import Array, beside, correlated, home, padded, resized
from acutance.errors import Refused, Unmeasurable
from acutance.forest import Forest, predict
from acutance.gaussians import inverse, symmetric_shape
from acutance.similarity import C2, REACH, SIGMA, window
from acutance.steerable import steerable

Float = npt.NDArray[np.float64]

LEAST = 45  # pixels: 2 for the neighbourhoods, 32 for the guard band, 11 for a window of SSIM
PATCHES = 25  # at the coarsest scale: as many as singular values; 84 x 84 pixels have them
LEVELS, ORIENTATIONS = 2, 6
GROUPS = (18, 45, 75)  # features of the three groups: 3 * 6; 12 + 6 + 12 + 15; 3 * 25
BLOCK, BORDER = 3, 2  # pixels: blocks of 3 x 3 seen with 2 more on each side, 7 x 7
PATCH = 5  # pixels: a side of the patches whose spread is taken
GUARD = 16  # pixels left out at each side of a subband of the first scale

# Where the 7 x 7 frequencies of a block count to its middle orientation; the first is FLAT, the
# third its transpose. Source: oriented1_dct_rho_config3.m to oriented3_.
FLAT = ("0111111", "0011111", "0000111", "0000011", "0000000", "0000000", "0000000")
MIDDLE = ("0000000", "0100000", "0011000", "0011100", "0001111", "0000111", "0000111")

_FIELDS = ("lDau", "rDau", "mbest", "upper", "avnode")
_DAMAGE: tuple[type[Exception], ...] = (  # what scipy raises on a damaged file
    *(OSError, EOFError, ValueError, TypeError, LookupError, NotImplementedError, MemoryError),
    *(MatReadError, zlib.error, struct.error, AttributeError),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Raters:
    """What was learnt from people: a forest for each group, and weights: 1, then the three."""

    forests: tuple[Forest, ...]
    weights: Float  # (4,)


def ma(luma: Array, raters: Raters) -> float:
    """Returns Ma's score of one image: about 0 to 10, higher is better.

    Args:
        luma: uint8 or float, (H, W), 0-255 scale, NumPy's or a tensor; the authors take 8-bit
            values.
        raters: What was learnt.

    Raises:
        Unmeasurable: If the image is flat or too small: 84 x 84 pixels will do, or 45 x 164.

    Source: quality_predict.m.
    """
    scores = [
        predict(forest, group) for forest, group in zip(raters.forests, features(luma), strict=True)
    ]
    return float(raters.weights @ [1, *scores])


def perceptual_index(ma: float, niqe: float) -> float:
    """Returns PIRM 2018's index of both scores, or of their means over a set; lower is better.

    >>> perceptual_index(8.0, 4.0)
    3.0
    """
    return (10 - ma + niqe) / 2


def features(luma: Array) -> tuple[Float, Float, Float]:
    """Returns the three groups of features of one image: float64 (18,), (45,), (75,).

    Raises:
        Unmeasurable: If the image is flat or too small: 84 x 84 pixels will do, or 45 x 164.

    Source: feature_all.m.
    """
    xp = array_namespace(luma)
    patches = math.prod(-(-(side // 4) // PATCH) for side in luma.shape)
    if min(luma.shape) < LEAST or patches < PATCHES:
        size = f"{luma.shape[1]} x {luma.shape[0]}"
        raise Unmeasurable(
            f"an image of {size} pixels; Ma's metric needs 84 x 84, or {LEAST} x 164"
        )
    image = xp.astype(luma, xp.float64)
    if xp.min(image) == xp.max(image):
        raise Unmeasurable("the image is flat; Ma's metric has nothing to measure")
    scales = [image / 255]
    for _ in range(2):
        scales.append(_halved(scales[-1]))
    local = np.concatenate([_frequencies(scale) for scale in scales])
    return local, _subbands(image), np.concatenate([_spread(scale) for scale in scales])


def read_raters(path: Path) -> Raters:
    """Returns what the authors' `model.mat` holds.

    Raises:
        Refused: If the file is absent, damaged, or holds something else.
    """
    try:
        with path.open("rb") as file:
            model = scipy.io.loadmat(file)["model"][0, 0]
        forests = [_forest(kept[0, 0]) for kept in model["rf"].ravel()]
        weights = np.asarray(model["linear"], np.float64).ravel()
    except FileNotFoundError:
        raise Refused(f"{path}: no such file") from None
    except _DAMAGE as error:
        raise Refused(
            f"{path}: no model of Ma's metric ({type(error).__name__}); fetch it again"
        ) from None
    if len(forests) != len(GROUPS) or len(weights) != len(GROUPS) + 1:
        raise Refused(f"{path}: not three forests and four weights; fetch it again")
    for number, (forest, count) in enumerate(zip(forests, GROUPS, strict=True), start=1):
        if fault := forest.fault(count):
            raise Refused(f"{path}: forest {number}: {fault}; fetch it again")
    return Raters(forests=tuple(forests), weights=weights)


def _forest(kept: Any) -> Forest:
    """Returns one forest of regRF_train; `coef` corrects a bias where it is not 0."""
    left, right, feature, threshold, value = (np.asarray(kept[name]) for name in _FIELDS)
    bias = kept["coef"].ravel().tolist() if "coef" in kept.dtype.names else []
    return Forest(
        left=left,
        right=right,
        feature=feature,
        threshold=threshold.astype(np.float64),
        value=value.astype(np.float64),
        bias=(float(bias[0]), float(bias[1])) if any(bias) else None,
    )


def _halved(image: Array) -> Array:
    """Returns every second pixel of `image` after a Gaussian of 3 x 3, darkness around it."""
    taps = np.exp(-2.0 * np.square([-1, 0, 1]))  # sigma 1/2
    return correlated(image, taps / taps.sum(), "constant")[1::2, 1::2]


def _frequencies(image: Array) -> Float:
    """Returns six statistics of the DCT of blocks: shape, variation and orientation (6,).

    Of each the mean over all blocks, after the mean of the tenth that is least (shape) or greatest.

    Source: block_dct.m.
    """
    xp = array_namespace(image)
    waves = _waves(image)
    flat, middle = (np.array([list(map(int, row)) for row in mask]) for mask in (FLAT, MIDDLE))
    turns = [_variation(waves, np.flatnonzero(mask), 1e-8) for mask in (flat, middle, flat.T)]
    shape = np.sort(symmetric_shape(waves[:, 1:]))
    variation = np.sort(home(_variation(waves, np.arange(1, waves.shape[1]), 1e-7)))
    orientation = np.sort(home(xp.var(xp.stack(turns), axis=0, correction=1)))

    least = math.ceil(len(shape) * 0.1)
    greatest = int(len(shape) * 0.9) - 1  # MATLAB's fix(0.9 n), counted from 1, is in it
    found = [shape[:least].mean(), shape.mean()]
    for values in (variation, orientation):
        found += [values[greatest:].mean(), values.mean()]
    return np.array(found)


def _waves(image: Array) -> Array:
    """Returns the DCT of all blocks with their borders, darkness around the image: (blocks, 49)."""
    xp = array_namespace(image)
    counts = [-(-side // BLOCK) for side in image.shape]
    after = [n * BLOCK - side + BORDER for n, side in zip(counts, image.shape, strict=True)]
    wide = padded(image, (BORDER, after[0]), (BORDER, after[1]))
    side = BLOCK + 2 * BORDER
    for axis, count in enumerate(counts):
        seen = BLOCK * np.arange(count)[:, None] + np.arange(side)
        wide = xp.take(wide, beside(seen.ravel(), image), axis=axis)
    apart = xp.reshape(wide, (counts[0], side, counts[1], side))
    blocks = xp.reshape(xp.permute_dims(apart, (0, 2, 1, 3)), (counts[0] * counts[1], side * side))
    basis = scipy.fft.dct(np.eye(side), axis=0, norm="ortho")
    return blocks @ beside(np.kron(basis, basis).T, image)


def _variation(waves: Array, which: npt.NDArray[np.intp], least: float) -> Array:
    """Returns the deviation of each row's magnitudes at some places over their mean."""
    xp = array_namespace(waves)
    magnitude = xp.abs(xp.take(waves, beside(which, waves), axis=1))
    return xp.std(magnitude, axis=1, correction=1) / (xp.mean(magnitude, axis=1) + least)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """A plane with its local mean and variance."""

    plane: Array
    mean: Array
    variance: Array


def _subbands(image: Array) -> Float:
    """Returns statistics of the steerable pyramid (45,): shapes, and structure across subbands.

    Source: global_gsm.m.
    """
    xp = array_namespace(image)
    high, bands = steerable(image, LEVELS, ORIENTATIONS)
    plain = [_normalised(bands, level, n) for level in range(LEVELS) for n in range(ORIENTATIONS)]
    fine, coarse = plain[:ORIENTATIONS], plain[ORIENTATIONS:]
    both = [xp.concat([a, b]) for a, b in zip(fine, coarse, strict=True)]
    found = [float(symmetric_shape(values)) for values in (*plain, *both)]
    whole = _seen(high)
    found += [_structure(_seen(resized(band, *high.shape)), whole) for lv in bands for band in lv]
    return np.array([*found, *_across(bands, fine)])


def _across(bands: list[list[Array]], fine: list[Array]) -> list[float]:
    """Returns the structure that each two normalised subbands of the finest scale share."""
    xp = array_namespace(fine[0])
    inner = [side - 2 * (GUARD + 1) for side in bands[0][0].shape]
    seen = [_seen(xp.reshape(values, tuple(inner))) for values in fine]
    return [_structure(a, b) for i, a in enumerate(seen) for b in seen[i + 1 :]]


def _seen(plane: Array) -> _Seen:
    mean = window(plane, REACH, SIGMA)
    return _Seen(plane=plane, mean=mean, variance=window(plane * plane, REACH, SIGMA) - mean * mean)


def _structure(x: _Seen, y: _Seen) -> float:
    """Returns the mean of contrast times structure over the windows that lie inside."""
    covariance = window(x.plane * y.plane, REACH, SIGMA) - x.mean * y.mean
    index = (2 * covariance + C2) / (x.variance + y.variance + C2)
    return float(array_namespace(index).mean(index[REACH:-REACH, REACH:-REACH]))


def _normalised(bands: list[list[Array]], level: int, index: int) -> Array:
    """Returns a subband over the deviation that its neighbourhood predicts, about its mean: (n,).

    A neighbourhood is 3 x 3 coefficients, the same place at the coarser scale, and in the other
    orientations; the last orientation goes without the coarser scale, as in the authors' code.

    Source: norm_sender_normalized.m; Portilla et al., doi 10.1109/TIP.2003.818640.
    """
    band = bands[level][index]
    xp = array_namespace(band)
    centre = np.s_[1:-1, 1:-1]
    near = [band[i : i + band.shape[0] - 2, j : j + band.shape[1] - 2] for i, j in np.ndindex(3, 3)]
    if level == 0 and index < ORIENTATIONS - 1:
        parent = bands[level + 1][index]
        enlarged = resized(parent, 2 * parent.shape[0], 2 * parent.shape[1])
        near.append(enlarged[: band.shape[0], : band.shape[1]][centre])
    size = len(near)  # the other orientations do not count
    near += [other[centre] for n, other in enumerate(bands[level]) if n != index]

    around = xp.reshape(xp.stack(near), (len(near), -1))
    covariance = home(around @ around.T) / around.shape[1]
    weighted = xp.sum((beside(inverse(covariance), band) @ around) * around, axis=0) / size
    deviation = xp.reshape(xp.sqrt(weighted), near[0].shape)
    off = band[centre] - xp.mean(band[centre])
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = xp.where(deviation > 0, off / deviation, xp.zeros_like(off))
    guard = GUARD >> level
    plain = plain[guard:-guard, guard:-guard]
    return xp.reshape(plain - xp.mean(plain), (-1,))


def _spread(image: Array) -> Float:
    """Returns the 25 singular values of all patches of 5 x 5 side by side, darkness around them."""
    xp = array_namespace(image)
    whole = padded(image, (0, -image.shape[0] % PATCH), (0, -image.shape[1] % PATCH))
    rows, columns = (side // PATCH for side in whole.shape)
    split = xp.permute_dims(xp.reshape(whole, (rows, PATCH, columns, PATCH)), (0, 2, 1, 3))
    patches = xp.reshape(split, (rows * columns, PATCH * PATCH))
    return np.asarray(home(xp.linalg.svdvals(patches)), np.float64)
