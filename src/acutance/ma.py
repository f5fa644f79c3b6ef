"""How people would rate a super-resolved image, learnt from the ratings of 50 (Ma et al. 2017).

Ma, Yang, Yang and Yang, "Learning a no-reference quality metric for single-image super-resolution",
CVIU 2017, doi 10.1016/j.cviu.2016.12.009, as the authors' MATLAB code computes it:
chaoma99/sr-metric@51218dbd5a1a, MIT licence. Three groups of features, a random forest for each,
one linear combination; the forests are a file of theirs, `model.mat`.

IQA-PyTorch's NRQM takes other blocks where a side is not 0 or 2 more than a multiple of 3, one
value more or less in each tenth, a parent for the sixth subband, and no negative structure.
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
from scipy import ndimage
from scipy.io.matlab import MatReadError

from acutance.errors import Refused, Unmeasurable
from acutance.forest import Forest, predict
from acutance.gaussians import inverse, symmetric_shape
from acutance.resize import resize
from acutance.similarity import REACH, structure
from acutance.steerable import steerable

Array = npt.NDArray[Any]
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
        luma: uint8 or float, (H, W), 0-255 scale; the authors take 8-bit values.
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
    patches = math.prod(-(-(side // 4) // PATCH) for side in luma.shape)
    if min(luma.shape) < LEAST or patches < PATCHES:
        size = f"{luma.shape[1]} x {luma.shape[0]}"
        raise Unmeasurable(
            f"an image of {size} pixels; Ma's metric needs 84 x 84, or {LEAST} x 164"
        )
    image = np.asarray(luma, np.float64)
    if image.min() == image.max():
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


def _halved(image: Float) -> Float:
    """Returns every second pixel of `image` after a Gaussian of 3 x 3, darkness around it."""
    taps = np.exp(-2.0 * np.square([-1, 0, 1]))  # sigma 1/2
    taps /= taps.sum()
    rows = ndimage.correlate1d(image, taps, axis=0, mode="constant")
    smooth: Float = ndimage.correlate1d(rows, taps, axis=1, mode="constant")
    return smooth[1::2, 1::2]


def _frequencies(image: Float) -> Float:
    """Returns six statistics of the DCT of blocks: shape, variation and orientation (6,).

    Of each the mean over all blocks, after the mean of the tenth that is least (shape) or greatest.

    Source: block_dct.m.
    """
    whole = [-(-side // BLOCK) * BLOCK - side for side in image.shape]
    padded = np.pad(image, [(BORDER, more + BORDER) for more in whole])
    side = BLOCK + 2 * BORDER
    views = np.lib.stride_tricks.sliding_window_view(padded, (side, side))[::BLOCK, ::BLOCK]
    blocks = scipy.fft.dctn(views.reshape(-1, side, side), axes=(1, 2), norm="ortho")
    waves = blocks.reshape(len(blocks), -1)

    flat, middle = (np.array([list(map(int, row)) for row in mask]) for mask in (FLAT, MIDDLE))
    turns = [_variation(waves[:, mask.ravel() > 0], 1e-8) for mask in (flat, middle, flat.T)]
    shape = np.sort(symmetric_shape(waves[:, 1:]))
    variation = np.sort(_variation(waves[:, 1:], 1e-7))
    orientation = np.sort(np.var(turns, axis=0, ddof=1))

    least = math.ceil(len(blocks) * 0.1)
    greatest = int(len(blocks) * 0.9) - 1  # MATLAB's fix(0.9 n), counted from 1, is in it
    found = [shape[:least].mean(), shape.mean()]
    for values in (variation, orientation):
        found += [values[greatest:].mean(), values.mean()]
    return np.array(found)


def _variation(waves: Float, least: float) -> Float:
    """Returns the deviation of each row's magnitudes over their mean."""
    magnitude = np.abs(waves)
    result: Float = magnitude.std(axis=1, ddof=1) / (magnitude.mean(axis=1) + least)
    return result


def _subbands(image: Float) -> Float:
    """Returns statistics of the steerable pyramid (45,): shapes, and structure across subbands.

    Source: global_gsm.m.
    """
    high, bands = steerable(image, LEVELS, ORIENTATIONS)
    plain = [_normalised(bands, level, n) for level in range(LEVELS) for n in range(ORIENTATIONS)]
    fine, coarse = plain[:ORIENTATIONS], plain[ORIENTATIONS:]
    both = [np.concatenate([a.ravel(), b.ravel()]) for a, b in zip(fine, coarse, strict=True)]
    found = [float(symmetric_shape(values)) for values in (*(b.ravel() for b in plain), *both)]
    found += [_structure(resize(band, *high.shape), high) for level in bands for band in level]
    found += [
        _structure(fine[i], fine[j])
        for i in range(ORIENTATIONS)
        for j in range(i + 1, ORIENTATIONS)
    ]
    return np.array(found)


def _structure(x: Float, y: Float) -> float:
    """Returns the mean of contrast times structure over the windows that lie inside."""
    return float(structure(x, y)[REACH:-REACH, REACH:-REACH].mean())


def _normalised(bands: list[list[Float]], level: int, index: int) -> Float:
    """Returns a subband over the deviation that its neighbourhood predicts, about its mean.

    A neighbourhood is 3 x 3 coefficients, the same place at the coarser scale, and in the other
    orientations; the last orientation goes without the coarser scale, as in the authors' code.

    Source: norm_sender_normalized.m; Portilla et al., doi 10.1109/TIP.2003.818640.
    """
    band = bands[level][index]
    centre = np.s_[1:-1, 1:-1]
    near = [band[i : i + band.shape[0] - 2, j : j + band.shape[1] - 2] for i, j in np.ndindex(3, 3)]
    if level == 0 and index < ORIENTATIONS - 1:
        parent = bands[level + 1][index]
        enlarged = resize(parent, 2 * parent.shape[0], 2 * parent.shape[1])
        near.append(enlarged[: band.shape[0], : band.shape[1]][centre])
    size = len(near)  # the other orientations do not count
    near += [other[centre] for n, other in enumerate(bands[level]) if n != index]

    around = np.stack([plane.ravel() for plane in near], axis=1)
    covariance = around.T @ around / len(around)
    weighted = around @ inverse(covariance) * around / size
    deviation = np.sqrt(weighted.sum(axis=1))
    off = band[centre].ravel() - band[centre].mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.where(deviation > 0, off / deviation, 0).reshape(near[0].shape)
    guard = GUARD >> level
    plain = plain[guard:-guard, guard:-guard]
    result: Float = plain - plain.mean()
    return result


def _spread(image: Float) -> Float:
    """Returns the 25 singular values of all patches of 5 x 5 side by side, darkness around them."""
    padded = np.pad(image, [(0, -side % PATCH) for side in image.shape])
    rows, columns = (side // PATCH for side in padded.shape)
    split = padded.reshape(rows, PATCH, columns, PATCH).swapaxes(1, 2)
    patches = split.reshape(rows * columns, PATCH * PATCH)
    return np.asarray(np.linalg.svd(patches, compute_uv=False), np.float64)
