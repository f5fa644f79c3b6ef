"""The steerable pyramid in the frequency domain: oriented subbands of an image, by scale.

Simoncelli and Freeman, ICIP 1995, doi 10.1109/ICIP.1995.537667, as matlabPyrTools' buildSFpyr has
it: its masks are read off tables and interpolated, and so are ours, for the same digits.
"""

import math

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from acutance.arrays import Array, beside

Float = npt.NDArray[np.float64]

_STEPS = 256  # of the table over one octave
_ANGLES = 1024  # of the table over half a turn


def steerable(image: Array, levels: int, orientations: int) -> tuple[Array, list[list[Array]]]:
    """Returns the high-pass residue and the oriented subbands of an image, which counts as a tile.

    Args:
        image: (H, W), any real dtype, NumPy's or a tensor, both sides at least 16.
        levels: Scales, each half the one before; a side of n pixels becomes one of ceil(n / 2).
        orientations: Subbands at each scale, half a turn apart in all.

    Returns:
        float64 (H, W); by level, finest first, by orientation: float64 of that scale's size. Each
        scale is 4 times as strong as the one before, as the inverse transform makes it.

    Source: chaoma99/sr-metric@51218dbd5a1a, external/matlabPyrTools, buildSFpyr.m and
        buildSFpyrLevs.m; the residue at the coarsest scale is not kept.
    """
    xp = array_namespace(image)
    radius, angle = _polar(*image.shape)
    spectrum = xp.fft.fftshift(xp.fft.fftn(xp.astype(image, xp.float64)))
    high = _spatial(spectrum * beside(_radial(radius, 0, high=True), image))
    low = spectrum * beside(_radial(radius, 0, high=False), image)
    bands = []
    for level in range(1, levels + 1):
        turned = (-1j) ** (orientations - 1)
        ring = low * beside(_radial(radius, level, high=True), image) * turned
        bands.append(
            [
                _spatial(ring * beside(_angular(angle, n, orientations), image))
                for n in range(orientations)
            ]
        )
        inner = tuple(_middle(side) for side in low.shape)
        radius, angle = radius[inner], angle[inner]
        low = low[inner] * beside(_radial(radius, level, high=False), image)
    return high, bands


def _polar(height: int, width: int) -> tuple[Float, Float]:
    """Returns log2 of the frequency (0 at Nyquist) and its angle, the origin in the middle."""
    down, right = (
        (np.arange(side) - side // 2)[shape] / (side / 2)
        for side, shape in ((height, np.s_[:, None]), (width, np.s_[None, :]))
    )
    radius = np.sqrt(np.square(down) + np.square(right))
    radius[height // 2, width // 2] = radius[height // 2, width // 2 - 1]  # no log of 0
    return np.log2(radius), np.arctan2(down, right)


def _radial(radius: Float, level: int, *, high: bool) -> Float:
    """Returns the mask that passes what lies above (or below) an octave, a raised cosine in it.

    The octave ends `level` octaves below Nyquist; both masks' squares add up to 1.
    """
    at = math.pi / 2 / _STEPS * np.arange(-_STEPS - 1, 2)
    rising = np.square(np.cos(at))
    rising[0], rising[-1] = rising[1], rising[-2]
    edges = -0.5 - level + 2 / math.pi * (at + math.pi / 4)
    passed = np.sqrt(rising if high else 1 - np.square(np.sqrt(rising)))
    return np.asarray(np.interp(radius, edges, passed), np.float64)


def _angular(angle: Float, index: int, orientations: int) -> Float:
    """Returns the mask of one orientation: a power of the cosine of the angle to it."""
    order = orientations - 1
    at = math.pi / _ANGLES * np.arange(-2 * _ANGLES - 1, _ANGLES + 2)
    scale = 2 ** (2 * order) * math.factorial(order) ** 2
    scale /= orientations * math.factorial(2 * order)
    lobes = math.sqrt(scale) * np.cos(at) ** order
    return np.asarray(np.interp(angle, at + math.pi * index / orientations, lobes), np.float64)


def _middle(side: int) -> slice:
    """Returns where the lower half of `side` frequencies lies."""
    kept = (side + 1) // 2
    start = side // 2 - kept // 2
    return slice(start, start + kept)


def _spatial(spectrum: Array) -> Array:
    """Returns the real part of the image with this spectrum."""
    xp = array_namespace(spectrum)
    return xp.real(xp.fft.ifftn(xp.fft.ifftshift(spectrum)))
