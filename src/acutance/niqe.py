"""How far an image's statistics lie from those of natural, undistorted photographs (NIQE).

Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", SPL 2013, doi
10.1109/LSP.2012.2227726, as the authors' MATLAB code computes it: niqe_release, kept with its
licence in roimehrez/PIRM2018@d585552a22b4, utils. What is natural is a file of theirs,
`modelparameters.mat`: mean and covariance of the features of 125 photographs.

Pixels of flat surroundings stand between the two sides of a distribution, but a mean subtracted in
floating point leaves some 1e-14 of them, on either side, which the fits count. Here they are 0. In
MATLAB the last bit of its mean decides: 0 at some grey levels, below at others. The 13 of Set14's
baboon are 0 there, too; below, they would add 0.0004 to its NIQE. docs/metrics.md says how far ours
is from MATLAB's, BasicSR's and IQA-PyTorch's.
"""

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io
from array_api_compat import array_namespace
from scipy.io.matlab import MatReadError
from scipy.special import gamma

from acutance.arrays import Array, correlated, resized
from acutance.errors import Refused, Unmeasurable
from acutance.gaussians import inverse, two_sided

Float = npt.NDArray[np.float64]

BLOCK = 96  # pixels, at the first of two scales
FEATURES = 36  # 2 + 4 * 4 at each of two scales
REACH = 3  # pixels either side: a 7 x 7 window
SIGMA = 7 / 6  # of the Gaussian window, in pixels
ROUNDING = 1e-9  # a difference below it, of values up to 255, is none
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # down, right: of the neighbour that is multiplied

_NAMES = (("mu_prisparam", "cov_prisparam"), ("mu_pris_param", "cov_pris_param"))
_DAMAGE: tuple[type[Exception], ...] = (  # what numpy and scipy raise on a damaged file
    *(OSError, EOFError, ValueError, TypeError, LookupError, NotImplementedError, MemoryError),
    *(MatReadError, zipfile.BadZipFile, zlib.error, struct.error, StopIteration),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Natural:
    """The features of natural photographs: mean (36,) and covariance (36, 36)."""

    mean: Float
    covariance: Float


def niqe(luma: Array, natural: Natural) -> float:
    """Returns NIQE of one image: 0 upwards, lower is more natural.

    Args:
        luma: uint8 or float, (H, W), 0-255 scale, NumPy's or a tensor; the authors take 8-bit
            values.
        natural: What to compare with.

    Raises:
        Unmeasurable: If no block of 96 x 96 pixels fits, or none has texture.

    Source: computequality.m; equation (10) of the paper.
    """
    return distance(features(luma), natural)


def features(luma: Array) -> Float:
    """Returns the statistics of each block of an image.

    Args:
        luma: uint8 or float, (H, W), 0-255 scale, NumPy's or a tensor. What is over at the right
            and below is cut off.

    Returns:
        float64 (blocks, 36), block by block along the rows. A flat block has NaN where it has no
        statistics.

    Raises:
        Unmeasurable: If no block of 96 x 96 pixels fits.

    Source: computequality.m; at the second scale the image is halved by `imresize`.
    """
    rows, columns = (side // BLOCK for side in luma.shape)
    if not rows * columns:
        size = f"{luma.shape[1]} x {luma.shape[0]}"
        raise Unmeasurable(f"an image of {size} pixels; NIQE needs a block of {BLOCK} x {BLOCK}")
    xp = array_namespace(luma)
    image = xp.astype(luma[: rows * BLOCK, : columns * BLOCK], xp.float64)
    half = resized(image, image.shape[0] // 2, image.shape[1] // 2)
    return np.concatenate(
        [_of_blocks(_normalised(plane), rows, columns) for plane in (image, half)], axis=1
    )


def distance(found: Float, natural: Natural) -> float:
    """Returns how far a set of features lies from natural ones.

    Args:
        found: (blocks, 36), with NaN where a block has no statistics.
        natural: What to compare with.

    Returns:
        0 upwards: the root of d' (mean of both covariances)^+ d, d the difference of the means.

    Raises:
        Unmeasurable: If some feature is NaN in every block.

    Source: computequality.m: `nanmean` of each feature over the blocks that have it, `nancov` over
        the blocks that have all, `pinv` with MATLAB's tolerance.
    """
    known = ~np.isnan(found)
    if not known.any(axis=0).all():
        raise Unmeasurable("no block of the image has texture; NIQE has nothing to measure")
    mean = np.where(known, found, 0).sum(axis=0) / known.sum(axis=0)
    off = natural.mean - mean
    return float(np.sqrt(off @ inverse((natural.covariance + _covariance(found)) / 2) @ off))


def read_natural(path: Path) -> Natural:
    """Returns what a file holds: the authors' `modelparameters.mat`, or BasicSR's .npz of it.

    Raises:
        Refused: If the file is absent, damaged, or holds something else.
    """
    try:
        with path.open("rb") as file:
            held = np.load(file) if path.suffix == ".npz" else scipy.io.loadmat(file)
            names = next(pair for pair in _NAMES if pair[0] in held)
            mean, covariance = (np.asarray(held[name], np.float64) for name in names)
    except FileNotFoundError:
        raise Refused(f"{path}: no such file") from None
    except _DAMAGE as error:
        raise Refused(
            f"{path}: no parameters of NIQE ({type(error).__name__}); fetch it again"
        ) from None
    if mean.size != FEATURES or covariance.shape != (FEATURES, FEATURES):
        raise Refused(f"{path}: not the mean and covariance of {FEATURES} features; fetch it again")
    return Natural(mean=mean.reshape(-1), covariance=covariance)


def _normalised(image: Array) -> Array:
    """Returns `image` less its local mean, over its local deviation plus 1."""
    xp = array_namespace(image)
    taps = np.exp(-np.square(np.arange(-REACH, REACH + 1)) / (2 * SIGMA**2))
    taps /= taps.sum()
    mean = correlated(image, taps, "nearest")
    power = correlated(image * image, taps, "nearest")
    deviation = xp.sqrt(xp.abs(power - mean * mean))
    off = image - mean
    off[xp.abs(off) < ROUNDING] = 0
    return off / (deviation + 1)


def _of_blocks(plane: Array, rows: int, columns: int) -> Float:
    """Returns the 18 features of each of `rows` x `columns` blocks: (blocks, 18)."""
    xp = array_namespace(plane)
    height, width = plane.shape[0] // rows, plane.shape[1] // columns
    split = xp.permute_dims(xp.reshape(plane, (rows, height, columns, width)), (0, 2, 1, 3))
    blocks = xp.reshape(split, (rows * columns, height, width))
    flat = (rows * columns, height * width)
    shape, left, right = two_sided(xp.reshape(blocks, flat))
    found = [shape, (left + right) / 2]
    for shift in SHIFTS:
        products = blocks * xp.roll(blocks, shift, axis=(1, 2))
        shape, left, right = two_sided(xp.reshape(products, flat))
        found += [shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right]
    return np.stack(found, axis=1)


def _covariance(found: Float) -> Float:
    """Returns MATLAB's `nancov`: of the rows without NaN; a matrix of one row counts as a vector.

    That vector's variance is one number, and MATLAB adds it to each of the 36 x 36.
    """
    if len(found) == 1:
        row = found[~np.isnan(found)]
        return np.full((FEATURES, FEATURES), np.var(row, ddof=1))
    whole = found[~np.isnan(found).any(axis=1)]
    if not len(whole):
        raise Unmeasurable(
            "no block of the image has texture at both scales; NIQE cannot be measured"
        )
    off = whole - whole.mean(axis=0)
    result: Float = off.T @ off / max(1, len(whole) - 1)
    return result
