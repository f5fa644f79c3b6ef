"""What the SSIM family shares: Gaussian windows, moments, the index, and the thinning of images."""

import numpy as np
import numpy.typing as npt

from acutance.arrays import correlated

Plane = npt.NDArray[np.float64]

REACH = 5  # pixels either side: an 11 x 11 window
SIGMA = 1.5  # of the Gaussian window, in pixels
C1 = 6.5025  # (0.01 * 255)^2
C2 = 58.5225  # (0.03 * 255)^2


def similarity(x: Plane, y: Plane) -> Plane:
    """Returns SSIM around every pixel, (H, W), the images mirrored beyond their border."""
    product, means, covariance, variances = _moments(x, y)
    return (2 * product + C1) * (2 * covariance + C2) / ((means + C1) * (variances + C2))


def structure(x: Plane, y: Plane) -> Plane:
    """Returns contrast times structure, SSIM without its luminance, around every pixel, (H, W)."""
    _, _, covariance, variances = _moments(x, y)
    return (2 * covariance + C2) / (variances + C2)


def window(image: Plane, reach: int, sigma: float) -> Plane:
    """Returns the Gaussian mean around every pixel; scipy's "reflect" repeats the edge pixel.

    Args:
        image: (H, W).
        reach: Pixels either side that the window covers.
        sigma: Of the Gaussian, in pixels.
    """
    bell = np.exp(-np.square(np.arange(-reach, reach + 1)) / (2 * sigma**2))
    taps = bell / bell.sum()
    both: Plane = correlated(image, taps, "reflect")
    return both


def thinned(image: Plane, factor: int) -> Plane:
    """Returns `image` box-filtered, then every `factor`-th pixel of it, mirrored beyond its border.

    An even box of f pixels reaches from f/2 - 1 before its pixel to f/2 after it, as MATLAB's
    `imfilter` places it.
    """
    before = (factor - 1) // 2
    sides = [-(-side // factor) for side in image.shape]  # ceil: pixels 0, f, 2f, ...
    after = [
        max(0, kept * factor - before - side) for kept, side in zip(sides, image.shape, strict=True)
    ]
    padded = np.pad(image, [(before, after[0]), (before, after[1])], "symmetric")
    blocks = padded[: sides[0] * factor, : sides[1] * factor]
    boxes = blocks.reshape(sides[0], factor, sides[1], factor)
    means: Plane = boxes.mean(axis=(1, 3))
    return means


def _moments(x: Plane, y: Plane) -> tuple[Plane, Plane, Plane, Plane]:
    """Returns product and sum of squares of the means, covariance, sum of the variances."""
    mean_x, mean_y = window(x, REACH, SIGMA), window(y, REACH, SIGMA)
    product = mean_x * mean_y
    means = mean_x * mean_x + mean_y * mean_y
    variances = window(x * x + y * y, REACH, SIGMA) - means
    covariance = window(x * y, REACH, SIGMA) - product
    return product, means, covariance, variances
