"""ifc: information fidelity criterion of one image (Sheikh et al., TIP 2005).

Paper: doi 10.1109/TIP.2005.859389.
Code:  the authors' `ifcvec.m` with Simoncelli's steerable pyramid, as kept in
       Maclory/SPSR@881e78111c41, metrics/MetricEvaluation/utils/ifcvec; licence of the
       University of Texas, free use with notice. Checked against that script in Octave.
Here:  departs in what the script departs in: two orientations at each of four scales, vectors of
       3 x 3, windows that grow with the scale. Only those two of six orientations are filtered.
       An HR image that is flat in one of them is refused, where the script's value is NaN.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from acutance.errors import Unmeasurable
from acutance.metrics._protocol import compared

__all__ = ["ifc"]

UNIT = "bit/pixel"
BETTER = "higher"
RANGE = (0.0, None)  # identical images: about 70, what 1e-10 of noise would leave

LEAST = 72  # pixels: 9 * 2 * 2 * 2, the largest filter at the coarsest scale
BLOCK = 3  # a vector is 3 x 3 coefficients
TINY = 1e-15  # variances below it count as none
NOISE = 1e-10  # added to what HR does not explain
FLAT = 1e-12  # of the largest variance of a vector: where the least is below, it has fewer than 9

# Filters of the pyramid with six orientations (Karasaridis and Simoncelli, ICASSP 1996; table
# sp5Filters.m): the upper left quarters, the rest is their mirror image.
FIRST = (
    (0.00341614, -0.01551246, -0.03848215),
    (-0.01551246, 0.05586982, 0.15925570),
    (-0.03848215, 0.15925570, 0.40304148),
)
HALVING = (
    (0.00170808, -0.00489834, -0.00775624, -0.01888864, -0.01924108),
    (-0.00489834, -0.01046562, -0.01322234, 0.00821200, 0.02005976),
    (-0.00775624, -0.01322234, 0.02793492, 0.06554076, 0.07962786),
    (-0.01888864, 0.00821200, 0.06554076, 0.12852666, 0.16339236),
    (-0.01924108, 0.02005976, 0.07962786, 0.16339236, 0.20193080),
)
ACROSS = (  # the right half has the opposite sign
    (0.00277643, -0.00986904, -0.01021852, 0.0),
    (0.00496194, -0.00893064, -0.03075356, 0.0),
    (0.01026699, 0.01189859, -0.08226445, 0.0),
    (0.01455399, 0.02755155, -0.11732297, 0.0),
)

Plane = npt.NDArray[np.float64]
Quarter = tuple[tuple[float, ...], ...]


def ifc(
    sr: npt.NDArray[Any],
    hr: npt.NDArray[np.uint8],
    *,
    channel: Literal["y", "y_edsr"] = "y",
    quantise: Literal["rgb", "luma", "both", "none"] = "rgb",
    grey: Literal["keep", "rgb"] = "rgb",
    shave: int = 0,
) -> float:
    """Returns the information that SR and HR share, in bits per pixel.

    Args:
        sr: uint8 or float, (H, W, 3) or (H, W), 0-255 scale.
        hr: uint8, (H, W, 3) or (H, W).
        channel: What is compared: "y" (BT.601 luma, 16-235) or "y_edsr" (luma, 0-219).
        quantise: What is rounded to 8 bits first: the SR image ("rgb"), the luma ("luma"), the
            one and then the other ("both"), or nothing ("none").
        grey: Whether a grey picture stays as it is ("keep") or counts as three equal channels.
        shave: Pixels left out at each side.

    Returns:
        0 upwards; the bits of eight subbands over the pixels of the image.

    Raises:
        Refused: If sizes or channels do not match.
        Unmeasurable: If fewer than 72 pixels a side are left, or the HR image has no detail in some
            subband.

    Source: `ifcvec.m`: sum of log2(1 + g^2 s lambda / (v + 1e-10)) over the 3 x 3 blocks of each
        subband and the nine eigenvalues lambda of their covariance in HR; g and v are the gain
        and the rest of SR's regression on HR in a window, s the variance of HR's block.

    >>> flat, noise = np.full((72, 72), 9), np.random.default_rng(0).integers(0, 256, (72, 72))
    >>> ifc(flat.astype(np.uint8), noise.astype(np.uint8))
    0.0
    """
    x, y = compared(sr, hr, channel=channel, rounding=quantise, grey=grey, border=shave)
    if min(x.shape) < LEAST:
        size = f"{x.shape[1]} x {x.shape[0]}"
        raise Unmeasurable(f"{size} pixels to compare; IFC needs {LEAST} x {LEAST} or more")
    bits = 0.0
    low = [_filtered(plane, _whole(FIRST)) for plane in (x, y)]
    for level in (4, 3, 2, 1):
        for band in (_whole(ACROSS, sign=-1), _whole(ACROSS, sign=-1).T):
            coefficients = [_cut(_filtered(plane, band)) for plane in low]
            bits += _shared(coefficients[0], coefficients[1], 2 ** (level - 1))
        low = [_filtered(plane, _whole(HALVING))[::2, ::2] for plane in low]
    return bits / x.size


def _whole(quarter: Quarter, sign: int = 1) -> Plane:
    """Returns a filter from its upper left quarter, `sign` times that on the right."""
    left = np.array(quarter)
    top = np.concatenate([left, sign * left[:, -2::-1]], axis=1)
    return np.concatenate([top, top[-2::-1]])


def _filtered(plane: Plane, taps: Plane) -> Plane:
    """Returns a plane correlated with a filter, mirrored about its border pixels."""
    result: Plane = ndimage.correlate(plane, taps, mode="mirror")
    return result


def _cut(band: Plane) -> Plane:
    """Returns the whole blocks of a subband."""
    height, width = (side // BLOCK * BLOCK for side in band.shape)
    return band[:height, :width]


def _shared(sr: Plane, hr: Plane, reach: int) -> float:
    """Returns the bits that one subband of both images shares.

    Args:
        sr: Coefficients, whole blocks of them.
        hr: Those of the HR image.
        reach: Pixels either side of the windows in which SR is regressed on HR; as many blocks
            as they reach are left out at each side.
    """
    spread, variances = _vectors(hr)
    gain, rest = _regression(sr, hr, reach)
    edge = -(-reach // BLOCK)
    gain, rest, spread = (x[edge:-edge, edge:-edge] for x in (gain, rest, spread))
    signal = gain * gain * spread / (rest + NOISE)
    return float(np.log2(1 + signal[..., None] * variances).sum())


def _regression(sr: Plane, hr: Plane, reach: int) -> tuple[Plane, Plane]:
    """Returns gain and remaining variance of SR on HR in a window around each block."""
    taps = np.ones(2 * reach + 1)

    def total(plane: Plane) -> Plane:
        rows = ndimage.correlate1d(plane, taps, axis=0, mode="mirror")[BLOCK // 2 :: BLOCK]
        sums: Plane = ndimage.correlate1d(rows, taps, axis=1, mode="mirror")
        return sums[:, BLOCK // 2 :: BLOCK]

    pixels = len(taps) ** 2
    mean_sr, mean_hr = total(sr) / pixels, total(hr) / pixels
    both = total(sr * hr) - pixels * mean_sr * mean_hr
    of_hr = np.maximum(total(hr * hr) - pixels * mean_hr * mean_hr, 0)
    of_sr = np.maximum(total(sr * sr) - pixels * mean_sr * mean_sr, 0)
    gain = both / (of_hr + TINY)
    rest = (of_sr - gain * both) / pixels

    flat = of_hr < TINY
    gain[flat], rest[flat] = 0, of_sr[flat]
    empty = of_sr < TINY
    gain[empty], rest[empty] = 0, 0
    turned = gain < 0
    gain[turned], rest[turned] = 0, of_sr[turned]
    return gain, np.maximum(rest, TINY)


def _vectors(hr: Plane) -> tuple[Plane, Plane]:
    """Returns each block's variance in units of the covariance of all, and its nine eigenvalues."""
    views = np.lib.stride_tricks.sliding_window_view(hr, (BLOCK, BLOCK))
    every = views.reshape(-1, BLOCK * BLOCK)
    covariance = np.cov(every, rowvar=False, ddof=0)
    variances = np.linalg.eigvalsh(covariance)
    if variances[0] <= FLAT * variances[-1]:
        raise Unmeasurable("the HR image has no detail in some direction; IFC cannot be measured")
    blocks = views[::BLOCK, ::BLOCK]
    whitened = blocks.reshape(-1, BLOCK * BLOCK) @ np.linalg.inv(covariance)
    spread: Plane = (whitened * blocks.reshape(-1, BLOCK * BLOCK)).sum(axis=1) / BLOCK**2
    return spread.reshape(blocks.shape[:2]), np.asarray(variances, np.float64)
