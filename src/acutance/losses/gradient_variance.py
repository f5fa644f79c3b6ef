"""Gradient variance: blur makes gradients vary less (Abrahamyan et al., ICASSP 2022).

Paper: arXiv 2202.00997, section 2, equations (1) and (2).
Code:  lusinlu/gradient-variance-loss@69f80c4, gradient_variance_loss.py; no licence given. Checked
       against it.
Here:  departs in taking one channel too (a luma network's image is its own grey). What the text
       leaves out is the code's: grey weights, signed Sobel maps with zeros beyond the border,
       unbiased variance, rest patches at the right and bottom dropped.
"""

from torch import Tensor
from torch.nn import functional

from acutance.errors import Refused
from acutance.losses._float32 import widened

__all__ = ["gradient_variance"]

GREY = (0.2989, 0.5870, 0.1140)  # of R, G, B


def gradient_variance(sr: Tensor, hr: Tensor, *, patch: int) -> Tensor:
    """Returns the squared difference of patch variances of the Sobel maps, x plus y; 0 when equal.

    Args:
        sr: (N, 3, H, W) RGB or (N, 1, H, W), range [0, 1]: on 0-255 the value grows by 255^4.
        hr: The same shape and range.
        patch: Side of the patches in HR pixels, at least 2, at most H and W.

    Returns:
        Scalar, mean over batch and patches.

    Raises:
        Refused: If no patch of that side fits, or has a variance.

    Source: equation (2); `GradientVariance.forward`.
    """
    if not 2 <= patch <= min(hr.shape[-2:]):
        raise Refused(
            f"loss gradient_variance: patch: found {patch}; must be between 2 and the side of the "
            f"image, here {min(hr.shape[-2:])}"
        )
    across, down = _variances(sr, patch)
    wanted_across, wanted_down = _variances(hr, patch)
    return (across - wanted_across).square().mean() + (down - wanted_down).square().mean()


def _variances(image: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    """Returns the variance in each patch of the x and of the y map, (N, 1, H // p, W // p)."""
    across, down = _sobel(_grey(widened(image)))
    return _variance(across, patch), _variance(down, patch)


def _grey(image: Tensor) -> Tensor:
    if image.shape[1] == 1:
        return image
    red, green, blue = GREY
    return red * image[:, 0:1] + green * image[:, 1:2] + blue * image[:, 2:3]  # (N, 1, H, W)


def _sobel(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Returns right minus left and upper minus lower of `grey`, smoothed 1-2-1, (N, 1, H, W).

    Sums of slices, not a convolution: several times faster on one channel, and float32 where
    autocast or TF32 would make the convolution coarser.
    """
    padded = functional.pad(grey, (1, 1, 1, 1))
    rows = padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]
    columns = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    return rows[..., 2:] - rows[..., :-2], columns[..., :-2, :] - columns[..., 2:, :]


def _variance(gradient: Tensor, patch: int) -> Tensor:
    """Returns the unbiased variance in each patch, in two passes, as torch.var but faster."""
    n, _, height, width = gradient.shape
    down, across = height // patch, width // patch
    whole = gradient[..., : down * patch, : across * patch]
    mean = functional.avg_pool2d(whole, patch).view(n, down, 1, across, 1)
    centred = whole.reshape(n, down, patch, across, patch) - mean
    squares = centred.square().view(n, 1, down * patch, across * patch)
    return functional.avg_pool2d(squares, patch) * (patch**2 / (patch**2 - 1))
